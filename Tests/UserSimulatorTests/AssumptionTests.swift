import FusionMDP
import Testing
import UserSimulator

/// Each switch has its effect, and nothing that it should not touch moves.
@Suite("assumptions")
struct AssumptionTests {
  typealias Requests = [ServedRequest]

  /// Requests of the default assumptions and with one switched off, same seed.
  private func pair(
    _ assumption: Assumptions.Switch, days: Int = 1,
    changing change: (inout Assumptions) -> Void = { _ in }
  ) throws -> (on: Requests, off: Requests) {
    var assumptions = Assumptions()
    change(&assumptions)
    let on = try Small.platform(assumptions)
    assumptions[assumption] = false
    let off = try on.assuming(assumptions)
    return (
      Small.requests(on, seed: 31, days: days).requests,
      Small.requests(off, seed: 31, days: days).requests
    )
  }

  private func first(_ requests: Requests) -> Requests {
    requests.filter { $0.session == 0 && $0.ordinal == 0 }.sorted { $0.user < $1.user }
  }

  private func rate(_ requests: Requests, _ has: (UserFeedback) -> Bool) -> Double {
    let all = requests.flatMap(\.feedback)
    return Double(all.count(where: has)) / Double(all.count)
  }

  @Test("staying: requests are alike, only how likely it is to leave after them moves")
  func staying() throws {
    let (on, off) = try pair(.satisfactionDrivesStaying, days: 2) { $0.stayingSlope = 2 }
    #expect(first(on).map(\.shown) == first(off).map(\.shown))
    #expect(first(on).map(\.feedback) == first(off).map(\.feedback))
    #expect(
      first(on).map(\.truth.sessionSatisfaction) == first(off).map(\.truth.sessionSatisfaction))
    #expect(on.map(\.truth.leaves) != off.map(\.truth.leaves))
    // On, those who leave are less satisfied than off.
    func ending(_ requests: Requests) -> Double {
      let ends = requests.filter(\.truth.leaves).map(\.truth.sessionSatisfaction)
      return ends.reduce(0, +) / Double(ends.count)
    }
    #expect(ending(on) < ending(off) - 0.05)
  }

  @Test("time: off, it does not matter for leaving how long a list took")
  func time() throws {
    let (on, off) = try pair(.timeIsLimited)
    #expect(first(on).map(\.feedback) == first(off).map(\.feedback))
    func seconds(_ requests: Requests) -> Double {
      let ends = requests.filter(\.truth.leaves).map(\.appSeconds)
      let others = requests.filter { !$0.truth.leaves }.map(\.appSeconds)
      return ends.reduce(0, +) / Double(ends.count) * Double(others.count) / others.reduce(0, +)
    }
    #expect(seconds(on) > 1.25)
    #expect(seconds(off) > 0.8 && seconds(off) < 1.2)
  }

  @Test(
    "returning: first sessions are the same to the end; the gap after them shrinks by e^(0.2·S)")
  func returning() throws {
    let (on, off) = try pair(.satisfactionDrivesReturning)
    let mine = on.filter { $0.session == 0 }.sorted {
      ($0.user, $0.ordinal) < ($1.user, $1.ordinal)
    }
    let others = off.filter { $0.session == 0 }
      .sorted { ($0.user, $0.ordinal) < ($1.user, $1.ordinal) }
    #expect(mine.map(\.feedback) == others.map(\.feedback))
    #expect(mine.map(\.truth.leaves) == others.map(\.truth.leaves))
    for (a, b) in zip(mine, others) where a.truth.leaves {
      let satisfied = a.truth.sessionSatisfaction
      if abs(satisfied) > 0.05 {
        #expect((a.truth.gapMilliseconds < b.truth.gapMilliseconds) == (satisfied > 0))
      }
    }
  }

  @Test("satiation: off, repeated topics are played on more often; what comes first is the same")
  func satiation() throws {
    let (on, off) = try pair(.topicSatiation)
    #expect(first(on).map { $0.feedback[0] } == first(off).map { $0.feedback[0] })
    #expect(rate(off) { $0.click } > rate(on) { $0.click } + 0.02)
    #expect(rate(off) { $0.skip } < rate(on) { $0.skip } - 0.02)
  }

  @Test("fatigue: off, later requests engage more and end fewer sessions; first ones are the same")
  func fatigue() throws {
    var assumptions = Assumptions()
    assumptions.fatigueLogit = 0.05
    assumptions.fatigueExit = 0.05
    let on = try Small.platform(assumptions)
    assumptions.sessionFatigue = false
    let tired = Small.requests(on, seed: 31).requests
    let fresh = Small.requests(try on.assuming(assumptions), seed: 31).requests
    #expect(first(tired).map(\.feedback) == first(fresh).map(\.feedback))
    #expect(
      rate(fresh.filter { $0.ordinal > 10 }) { $0.click }
        > rate(tired.filter { $0.ordinal > 10 }) { $0.click } + 0.03)
    func ends(_ requests: Requests) -> Double {
      Double(requests.count(where: \.truth.leaves)) / Double(requests.count)
    }
    #expect(ends(fresh) < ends(tired))
  }

  @Test("types: off, the same responses please all alike")
  func types() throws {
    var assumptions = Assumptions()
    assumptions.topicSatiation = false
    let on = try Small.platform(assumptions)
    assumptions.satisfactionTypes = false
    let off = try on.assuming(assumptions)
    let mine = first(Small.requests(on, seed: 31).requests)
    let others = first(Small.requests(off, seed: 31).requests)
    #expect(mine.map(\.feedback) == others.map(\.feedback))
    #expect(mine.map(\.truth.listSatisfaction) != others.map(\.truth.listSatisfaction))
    // Common weights on clicks and long views only: what one of them is worth, is the same.
    let common = UserType.common
    let p = PlatformAnchors.kuaiRand.rates
    func sd(_ task: ResponseTask) -> Double {
      (p[task.rawValue] * (1 - p[task.rawValue])).squareRoot()
    }
    for request in others {
      let sum = request.feedback.reduce(0.0) { sum, feedback in
        sum + common.weights[2] * ((feedback.click ? 1 : 0) - p[0]) / sd(.click)
          + common.weights[3] * ((feedback.longView ? 1 : 0) - p[1]) / sd(.longView)
          + common.weights[8] * ((feedback.hate ? 1 : 0) - p[6]) / sd(.hate)
          + common.weights[12] * ((feedback.skip ? 1 : 0) - p[10]) / sd(.skip)
      }
      #expect(
        abs(sum / Double(request.feedback.count) - request.truth.listSatisfaction) < 1e-9)
    }
  }

  @Test("expression: on, a type does what is characteristic of it more often than without")
  func expression() throws {
    let (on, off) = try pair(.typeExpression)
    #expect(first(on).map(\.shown) == first(off).map(\.shown))
    let watchers = Assumptions().types.firstIndex { $0.name == "watcher" }
    func longViews(_ requests: Requests, ofWatchers: Bool) -> Double {
      rate(requests.filter { ($0.truth.type == watchers) == ofWatchers }) { $0.longView }
    }
    #expect(longViews(on, ofWatchers: true) > longViews(off, ofWatchers: true))
    #expect(longViews(on, ofWatchers: false) < longViews(off, ofWatchers: false))
  }

  @Test("hours: off, night is like day")
  func hours() throws {
    let (on, off) = try pair(.hourProfile, days: 2)
    func night(_ requests: Requests) -> Double {
      let hours = requests.map { ($0.timeMilliseconds / 3_600_000 + 8) % 24 }
      return Double(hours.count { (2..<6).contains($0) }) / Double(hours.count)
    }
    #expect(night(on) < 0.12)
    #expect(night(off) > 0.13 && night(off) < 0.21)
  }

  @Test("activity: on, users who are active in the log come more often")
  func activity() throws {
    let (on, off) = try pair(.activitySpread, days: 3)
    let activity = try Small.platform().data.users.activity
    let median = activity.sorted()[30]
    func ratio(_ requests: Requests) -> Double {
      let starts = requests.filter { $0.ordinal == 0 }
      let active = starts.count { activity[$0.user] >= median }
      return Double(active) / Double(starts.count - active)
    }
    #expect(ratio(on) > 1.6)
    #expect(ratio(off) > 0.8 && ratio(off) < 1.25)
  }

  @Test("staying spread: on, users differ more in how long they stay")
  func stayingSpread() throws {
    let (on, off) = try pair(.stayingSpread, days: 3)
    #expect(first(on).map(\.feedback) == first(off).map(\.feedback))
    func spread(_ requests: Requests) -> Double {
      let lengths = Dictionary(grouping: requests, by: \.user).values.compactMap { own -> Double? in
        let sessions = own.count(where: \.truth.leaves)
        return sessions < 4 ? nil : Double(own.count) / Double(sessions)
      }
      let mean = lengths.reduce(0, +) / Double(lengths.count)
      let squares = lengths.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      return (squares / Double(lengths.count)).squareRoot() / mean
    }
    #expect(spread(on) > 1.3 * spread(off))
  }

  @Test("all off: policies change what is answered, never when users leave or return")
  func allOff() throws {
    let platform = try Small.platform(.allOff)
    let mine = Small.requests(platform, seed: 31, days: 2).requests
    let other = Small.requests(
      platform, policy: FixedWeightsPolicy(action: Small.action(["finished": 2])), seed: 31, days: 2
    )
    #expect(mine.flatMap(\.shown) != other.requests.flatMap(\.shown))
    func ends(_ requests: Requests) -> [[Bool]] {
      Dictionary(grouping: requests, by: \.user).sorted { $0.key < $1.key }.map { own in
        own.value.map(\.truth.leaves)
      }
    }
    // Gaps to the next request follow play time, so days may end a session earlier or later: what
    // can be compared is each user's course up to the shorter one.
    for (a, b) in zip(ends(mine), ends(other.requests)) {
      let length = min(a.count, b.count)
      #expect(a.prefix(length) == b.prefix(length))
    }
  }

  @Test("more satisfying lists make longer sessions, if satisfaction drives staying")
  func satisfactionProlongs() throws {
    var assumptions = Assumptions()
    assumptions.timeIsLimited = false
    assumptions.sessionFatigue = false
    let on = try Small.platform(assumptions)
    assumptions.satisfactionDrivesStaying = false
    let off = try on.assuming(assumptions)
    let good = FixedWeightsPolicy(action: Small.action(["click": 2, "skip": -2]))
    let bad = FixedWeightsPolicy(action: Small.action(["hate": -2]))
    func runs(_ platform: SimulatedPlatform) -> (good: PlatformRun, bad: PlatformRun) {
      (
        Small.requests(platform, policy: good, seed: 8, days: 3).run,
        Small.requests(platform, policy: bad, seed: 8, days: 3).run
      )
    }
    let driven = runs(on)
    #expect(driven.good.difference(to: driven.bad, .sessionLength).low > 0)
    let free = runs(off)
    for user in off.allUsers {
      let lengths = [free.good, free.bad].map { run in
        run.sessions.filter { $0.user == user }.map(\.requests)
      }
      let common = min(lengths[0].count, lengths[1].count)
      #expect(lengths[0].prefix(common) == lengths[1].prefix(common))
    }
  }

  @Test("numbers out of range are named")
  func ranges() throws {
    var assumptions = Assumptions()
    assumptions.commonShare = 1.5
    #expect(
      throws: PlatformError.setting(
        name: "commonShare", expected: "a number in 0.0...1.0", found: "1.5")
    ) { try Small.platform(assumptions) }
    assumptions = Assumptions()
    assumptions.types[0].share = 0.5
    #expect(throws: PlatformError.self) { try Small.platform(assumptions) }
    assumptions = Assumptions()
    assumptions.types[2].weights.removeLast()
    #expect(
      throws: PlatformError.setting(
        name: "weights of type social", expected: "13 numbers", found: "12")
    ) { try Small.platform(assumptions) }
  }
}
