import FusionMDP

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Counts of everything that a check compares, over some users. Every count is a sum over users, so
/// tallies of separate users add up.
///
/// Shapes: U users, V videos, 11 tasks.
struct CheckTally {
  private let tasks = ResponseTask.allCases
  private var impressions = 0.0
  private var requests = 0.0
  private var sessions = 0.0
  private var userDays = 0.0
  private var begunSessions = 0.0
  private var logPlay = 0.0
  /// Seconds between the requests of sessions.
  private var gapSeconds = 0.0
  private var shortReturns = 0.0
  /// Impressions with both behaviors [11·11].
  private var joint: [Double]
  /// Impressions, and those with each behavior, of users [U], [U·11] and videos [V], [V·11].
  private var userCounts: [Double]
  private var userSums: [Double]
  private var videoCounts: [Double]
  private var videoSums: [Double]
  private var requestGaps = [Double](repeating: 0, count: 4)
  private var hours = [Double](repeating: 0, count: 24)

  /// One number of the log and of a platform.
  struct Comparison {
    var name: String
    var anchor: Double
    var simulated: Double
    /// How far the platform may be off, chance apart.
    var closeness: Double
    /// The least that chance does to it.
    var leastError = 0.0
  }

  init(platform: SimulatedPlatform) {
    let taskCount = ResponseTask.allCases.count
    joint = [Double](repeating: 0, count: taskCount * taskCount)
    userCounts = [Double](repeating: 0, count: platform.data.users.count)
    userSums = [Double](repeating: 0, count: platform.data.users.count * taskCount)
    videoCounts = [Double](repeating: 0, count: platform.data.videos.count)
    videoSums = [Double](repeating: 0, count: platform.data.videos.count * taskCount)
  }

  /// Counts a request.
  mutating func add(_ request: ServedRequest, clock: HourClock) {
    let taskCount = tasks.count
    requests += 1
    for (video, feedback) in zip(request.shown, request.feedback) {
      impressions += 1
      userCounts[request.user] += 1
      videoCounts[video] += 1
      hours[Int(clock.hour(at: request.timeMilliseconds))] += 1
      logPlay += log1p(Double(feedback.playSeconds))
      let happened = tasks.filter { feedback.has($0) }
      for first in happened {
        userSums[request.user * taskCount + first.rawValue] += 1
        videoSums[video * taskCount + first.rawValue] += 1
        for second in happened { joint[first.rawValue * taskCount + second.rawValue] += 1 }
      }
    }
    let gap = Double(request.truth.gapMilliseconds) / 1000
    if request.truth.leaves {
      sessions += 1
      if gap < 7200 { shortReturns += 1 }
    } else {
      gapSeconds += gap
      requestGaps[gap < 10 ? 0 : gap < 60 ? 1 : gap < 300 ? 2 : 3] += 1
    }
  }

  /// Counts a user's day.
  mutating func add(_ day: UserDay) {
    userDays += 1
    begunSessions += Double(day.sessions)
  }

  /// Adds another tally, or takes it away with `sign` −1.
  mutating func add(_ other: CheckTally, sign: Double) {
    for path in [
      \CheckTally.impressions, \.requests, \.sessions, \.userDays, \.begunSessions, \.logPlay,
      \.gapSeconds, \.shortReturns,
    ] { self[keyPath: path] += sign * other[keyPath: path] }
    for path in [
      \CheckTally.joint, \.userCounts, \.userSums, \.videoCounts, \.videoSums, \.requestGaps,
      \.hours,
    ] {
      let values = other[keyPath: path]
      self[keyPath: path] = zip(self[keyPath: path], values).map { $0 + sign * $1 }
    }
  }

  /// Every number beside its anchor.
  func comparisons(_ anchors: PlatformAnchors) -> [Comparison] {
    courseComparisons(anchors) + rateComparisons(anchors) + spreadComparisons(anchors)
      + associationComparisons(anchors)
  }

  /// How sessions go and when users come.
  private func courseComparisons(_ anchors: PlatformAnchors) -> [Comparison] {
    var found: [Comparison] = []
    func add(_ name: String, _ anchor: Double, _ simulated: Double, _ closeness: Double) {
      found.append(
        Comparison(name: name, anchor: anchor, simulated: simulated, closeness: closeness))
    }
    add("requests a session", anchors.requestsPerSession, requests / sessions, 1)
    add(
      "impressions a session", anchors.impressionsPerSession, impressions / sessions, 6)
    // The log tells the gaps' shares, not their mean: 15 to 85 minutes would agree with them.
    add("minutes a session", anchors.minutesPerSession, gapSeconds / 60 / sessions, 20)
    add("sessions a user and day", anchors.sessionsPerDay, begunSessions / userDays, 0.3)
    add("impressions a request", anchors.impressionsPerRequest, impressions / requests, 0.03)
    let gaps = requestGaps.reduce(0, +)
    for (index, name) in ["1-10 s", "10-60 s", "1-5 min", "5-30 min"].enumerated() {
      add(
        "request gap " + name, anchors.requestGapShares[index], requestGaps[index] / gaps, 0.05)
    }
    add("return gap under 2 h", anchors.returnUnderTwoHours, shortReturns / sessions, 0.04)
    add(
      "log quartile ratio impressions/user", anchors.impressionsLogQuartileRatio,
      logQuartileRatio, 0.35)
    add(
      "users' mean click rate / rate", anchors.userMeanClickRatio,
      userMeanClick / (joint[0] / impressions), 0.15)
    let hourTotal = hours.reduce(0, +)
    let variation = zip(hours, anchors.hourShares).reduce(0) { $0 + abs($1.0 / hourTotal - $1.1) }
    add("hour profile, total variation", 0, variation / 2, 0.06)
    add("mean log(1 + play s)", anchors.meanLogPlaySeconds, logPlay / impressions, 0.12)
    return found
  }

  /// How often each behavior occurs, over all impressions.
  private func rateComparisons(_ anchors: PlatformAnchors) -> [Comparison] {
    tasks.map { task in
      let p = anchors.rates[task.rawValue]
      return Comparison(
        name: "rate \(task)", anchor: p, simulated: count(task, task) / impressions,
        closeness: p * (task.isPlay ? 0.05 : 0.1),
        leastError: (p * (1 - p) / impressions).squareRoot())
    }
  }

  /// How much users and videos differ in each behavior.
  private func spreadComparisons(_ anchors: PlatformAnchors) -> [Comparison] {
    let taskCount = tasks.count
    return [
      ("user", userSums, userCounts, anchors.userCorrelations),
      ("video", videoSums, videoCounts, anchors.videoCorrelations),
    ].flatMap { name, sums, counts, targets in
      tasks.map { task in
        let own = counts.indices.map { sums[$0 * taskCount + task.rawValue] }
        let target = targets[task.rawValue]
        return Comparison(
          name: "\(name) correlation \(task)", anchor: target,
          simulated: betweenVariance(sums: own, counts: counts, squares: own.reduce(0, +)),
          closeness: 0.02 + 0.25 * target)
      }
    }
  }

  /// Which behaviors occur together.
  private func associationComparisons(_ anchors: PlatformAnchors) -> [Comparison] {
    var found = ResponseTask.added.enumerated().map { index, task in
      let positives = max(count(task, task), 1)
      let p = anchors.clickGivenAdded[index]
      return Comparison(
        name: "P(click | \(task))", anchor: p, simulated: count(task, .click) / positives,
        closeness: 0.05, leastError: (p * (1 - p) / positives).squareRoot())
    }
    for pair in anchors.associations {
      found.append(
        Comparison(
          name: "phi \(pair.first) \(pair.second)", anchor: pair.correlation,
          simulated: phi(pair.first, pair.second), closeness: 0.06))
    }
    return found
  }

  private func count(_ a: ResponseTask, _ b: ResponseTask) -> Double {
    joint[a.rawValue * tasks.count + b.rawValue]
  }

  private func phi(_ a: ResponseTask, _ b: ResponseTask) -> Double {
    let p = count(a, a) / impressions
    let q = count(b, b) / impressions
    let both = count(a, b) / impressions
    return (both - p * q) / max((p * (1 - p) * q * (1 - q)).squareRoot(), 1e-12)
  }

  /// The mean over users of each user's click rate.
  private var userMeanClick: Double {
    let seen = userCounts.indices.filter { userCounts[$0] > 0 }
    let sum = seen.reduce(0) { $0 + userSums[$1 * tasks.count] / userCounts[$1] }
    return sum / Double(max(seen.count, 1))
  }

  /// ln(p75 / p25) of impressions a user, over users that had any.
  private var logQuartileRatio: Double {
    let sorted = userCounts.filter { $0 > 0 }.sorted()
    guard sorted.count >= 4 else { return 0 }
    return log(sorted[sorted.count * 3 / 4] / sorted[sorted.count / 4])
  }
}
