import FusionMDP
import SeededRandom
import Testing
import UserSimulator

@Suite("engine")
struct EngineTests {
  let platform: SimulatedPlatform
  let state: PlatformState

  init() throws {
    platform = try Small.platform()
    state = platform.initialState()
  }

  @Test("the same seed gives the same bits, another seed others")
  func reproducible() {
    let first = Small.requests(platform, seed: 5)
    #expect(first.run.sessions == Small.requests(platform, seed: 5).run.sessions)
    #expect(first.run.state == Small.requests(platform, seed: 5).run.state)
    #expect(first.run.sessions != Small.requests(platform, seed: 6).run.sessions)
  }

  @Test("one thread and three give the same bits in the same order, with a policy that draws")
  func threads() throws {
    let policy = RandomExploration(actionSize: 12)
    let one = Small.requests(platform, policy: policy, seed: 5, threads: 1)
    let three = Small.requests(platform, policy: policy, seed: 5, threads: 3)
    #expect(one.run.sessions == three.run.sessions)
    #expect(one.run.userDays == three.run.userDays)
    #expect(one.run.state == three.run.state)
    #expect(one.requests.map(\.timeMilliseconds) == three.requests.map(\.timeMilliseconds))
    #expect(one.requests.map(\.action) == three.requests.map(\.action))
    #expect(one.requests.map(\.logPropensity) == three.requests.map(\.logPropensity))
  }

  @Test("records do not change what happens")
  func recordsAreSilent() {
    let silent = platform.run(
      policy: platform.configuration.referencePolicy, from: state, days: 1, seed: 5)
    #expect(silent.sessions == Small.requests(platform, seed: 5).run.sessions)
  }

  @Test("a user's time goes on: lists, responses, gaps under and over half an hour")
  func times() throws {
    let all = Small.requests(platform, seed: 7, days: 2).requests
    #expect(all.count > 1000)
    for (_, own) in Dictionary(grouping: all, by: \.user) {
      for (request, next) in zip(own, own.dropFirst()) {
        let gap = next.timeMilliseconds - request.timeMilliseconds
        #expect(gap == request.truth.gapMilliseconds)
        #expect(request.truth.leaves == (next.session == request.session + 1))
        #expect(next.ordinal == (request.truth.leaves ? 0 : request.ordinal + 1))
        if request.truth.leaves {
          #expect(gap >= 30 * 60_000)
        } else {
          #expect(gap >= 1000 && gap < 30 * 60_000)
        }
        #expect(request.feedbackMilliseconds.allSatisfy { $0 <= next.timeMilliseconds })
      }
    }
    for request in all {
      let times = [request.timeMilliseconds] + request.feedbackMilliseconds
      #expect(zip(times, times.dropFirst()).allSatisfy { $0 <= $1 })
    }
  }

  @Test("lists hold five or six different videos, none of the latest, with the ranker's scores")
  func lists() throws {
    let all = Small.requests(platform, seed: 7, days: 2).requests
    let recent = min(platform.configuration.recentlySeen, platform.data.videos.count / 3)
    for (user, own) in Dictionary(grouping: all, by: \.user) {
      var seen: [Int] = []
      let scores = platform.data.impressions.row(user: user).scores
      for request in own {
        #expect([5, 6].contains(request.shown.count))
        #expect(request.feedback.count == request.shown.count)
        #expect(Set(request.shown).count == request.shown.count)
        #expect(Set(request.shown).isDisjoint(with: seen.suffix(recent)))
        seen += request.shown
        #expect(
          request.taskScores == request.shown.flatMap { Array(scores[$0 * 12..<$0 * 12 + 12]) })
        #expect(request.state.count == platform.encoder.stateSize)
      }
    }
  }

  @Test("the list is ranked by the fused score of the policy's weights")
  func ranking() throws {
    let action = [Float](repeating: 0.3, count: 12)
    let weights = platform.configuration.bounds.denormalized(action)
    let all = Small.requests(platform, policy: FixedWeightsPolicy(action: action), seed: 3)
    for request in all.requests.prefix(300) {
      let fused = platform.configuration.formula.fusedScores(
        candidates: request.taskScores, weights: weights)
      #expect(fused == fused.sorted(by: >))
    }
  }

  @Test("days, sessions and returns are the sums of the records")
  func accounts() throws {
    let (run, requests) = Small.requests(platform, seed: 9, days: 2)
    let reward = SatisfactionReward.standard
    #expect(run.userDays.reduce(0) { $0 + $1.requests } == requests.count)
    #expect(run.userDays.reduce(0) { $0 + $1.sessions } == run.sessions.count)
    let plays = requests.flatMap(\.feedback).filter { $0.playSeconds > 0 }
    #expect(run.userDays.reduce(0) { $0 + $1.plays } == plays.count)
    let positive = plays.filter {
      $0.like || $0.follow || $0.comment || $0.forward || $0.profileEnter
    }
    #expect(run.userDays.reduce(0) { $0 + $1.positivePlays } == positive.count)
    let play = plays.reduce(0) { $0 + Double($1.playSeconds) }
    let impressions = requests.reduce(0) { $0 + $1.shown.count }
    let seconds = run.userDays.reduce(0) { $0 + $1.appSeconds }
    #expect(abs(seconds - play - Double(impressions)) < 1e-6 * seconds)

    var index = 0
    for user in platform.allUsers {
      let own = requests.filter { $0.user == user }
      for session in Dictionary(grouping: own, by: \.session).sorted(by: { $0.key < $1.key }) {
        let outcome = run.sessions[index]
        let rewards = session.value.map { reward(UserFeedback.summedSignals($0.feedback)) }
        let value = discountedReturn(of: rewards, discount: 0.95)
        #expect(outcome.user == user && outcome.requests == session.value.count)
        #expect(abs(outcome.discountedReturn - value) < 1e-4 * max(1, value))
        #expect(session.value.last?.truth.leaves == true)
        index += 1
      }
    }
    #expect(index == run.sessions.count)
  }

  @Test("a run that goes on from the state of another continues its users")
  func continues() throws {
    let first = Small.requests(platform, seed: 9).run
    var later: [ServedRequest] = []
    _ = platform.run(
      policy: platform.configuration.referencePolicy, from: first.state, days: 1, seed: 10
    ) { later.append($0) }
    let day: Int64 = 86_400_000
    let start = platform.configuration.startMilliseconds
    #expect(first.state.startMilliseconds == start + day)
    for request in later {
      #expect(request.timeMilliseconds >= start + day)
      if request.ordinal == 0 {
        let before = first.sessions.count { $0.user == request.user }
        #expect(request.session >= before)
      }
    }
    let user = try #require(first.sessions.first).user
    #expect(first.state.history(of: user).totalCount > 0)
  }

  @Test("users that are left out keep their state, and the others do not notice")
  func subset() throws {
    let some = [3, 10, 17]
    let run = platform.run(
      policy: platform.configuration.referencePolicy, users: some, from: state, days: 1, seed: 5)
    let full = Small.requests(platform, seed: 5).run
    #expect(run.sessions == some.flatMap { user in full.sessions.filter { $0.user == user } })
    #expect(run.state.history(of: 4) == state.history(of: 4))
    #expect(run.userDays.map(\.user) == some)
  }

  @Test("two policies meet the same first candidates and draws: their difference is tighter paired")
  func paired() throws {
    let reference = Small.requests(platform, seed: 21, days: 2)
    let click = FixedWeightsPolicy(action: Small.action(["click": 1]))
    let other = Small.requests(platform, policy: click, seed: 21, days: 2)
    let apart = Small.requests(platform, policy: click, seed: 22, days: 2)
    #expect(
      reference.requests.filter { $0.session == 0 && $0.ordinal == 0 }.map(\.timeMilliseconds)
        == other.requests.filter { $0.session == 0 && $0.ordinal == 0 }.map(\.timeMilliseconds))
    let tight = other.run.difference(to: reference.run, .appMinutes)
    let wide = apart.run.difference(to: reference.run, .appMinutes)
    #expect(tight.high - tight.low < 0.7 * (wide.high - wide.low))
  }

  @Test("an error of the receiver ends the run and is passed on")
  func receiverFails() {
    struct Full: Error {}
    #expect(throws: Full.self) {
      _ = try platform.run(
        policy: platform.configuration.referencePolicy, from: state, days: 1, seed: 5
      ) { (_: ServedRequest) throws(Full) in throw Full() }
    }
  }
}
