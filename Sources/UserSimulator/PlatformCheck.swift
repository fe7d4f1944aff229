import FusionMDP

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// What a platform does under the reference policy, beside the anchors it was fitted to.
package struct PlatformCheck: Sendable, Equatable, Codable {
  /// One number of the log and of the platform.
  ///
  /// What nothing stands behind, as a correlation of a behavior that never happened, is NaN; JSON
  /// has null for it.
  package struct Row: Sendable, Equatable, Codable {
    /// What is compared.
    package var name: String
    /// The log's number.
    package var anchor: Double
    /// The platform's.
    package var simulated: Double
    /// How far they may be apart.
    package var tolerance: Double

    enum CodingKeys: String, CodingKey { case name, anchor, simulated, tolerance }

    init(name: String, anchor: Double, simulated: Double, tolerance: Double) {
      self.name = name
      self.anchor = anchor
      self.simulated = simulated
      self.tolerance = tolerance
    }

    /// Reads null as NaN.
    package init(from decoder: any Decoder) throws {
      let values = try decoder.container(keyedBy: CodingKeys.self)
      func number(_ key: CodingKeys) throws -> Double {
        try values.decodeNil(forKey: key) ? .nan : values.decode(Double.self, forKey: key)
      }
      self.init(
        name: try values.decode(String.self, forKey: .name), anchor: try number(.anchor),
        simulated: try number(.simulated), tolerance: try number(.tolerance))
    }

    /// Writes null for what is not finite.
    package func encode(to encoder: any Encoder) throws {
      var values = encoder.container(keyedBy: CodingKeys.self)
      try values.encode(name, forKey: .name)
      for (key, number) in [
        (CodingKeys.anchor, anchor), (.simulated, simulated), (.tolerance, tolerance),
      ] {
        try values.encode(number.isFinite ? number : nil, forKey: key)
      }
    }

    /// Whether they are near enough.
    package var passes: Bool { abs(simulated - anchor) <= tolerance }
  }

  /// The comparisons.
  package var rows: [Row]

  /// The comparisons that are off.
  package var failures: [Row] { rows.filter { !$0.passes } }

  /// One line a comparison: name, anchor, simulated, tolerance, and a mark where it is off.
  package var lines: [String] {
    func text(_ x: Double) -> String {
      let digits = abs(x) >= 10 ? 100.0 : 10_000.0
      return "\((x * digits).rounded() / digits)"
    }
    func padded(_ text: String, _ width: Int) -> String {
      text + String(repeating: " ", count: max(width - text.count, 1))
    }
    return rows.map { row in
      padded(row.name, 34) + padded(text(row.anchor), 10) + padded(text(row.simulated), 10)
        + "±" + padded(text(row.tolerance), 9) + (row.passes ? "" : "off")
    }
  }
}

extension SimulatedPlatform {
  /// Runs the reference policy on fresh random numbers and compares it with the anchors.
  package func check(
    users: Int = 512, days: Int = 3, seed: UInt64, threads: Int = 1
  ) -> PlatformCheck {
    let wanted = min(users, data.users.count)
    let members = (0..<wanted).map { $0 * data.users.count / wanted }
    var tally = CheckTally(platform: self)
    let run = run(
      policy: configuration.referencePolicy, users: members,
      from: warmedState(
        days: 1, seed: seed &+ 1, threads: threads), days: days, seed: seed, threads: threads
    ) { tally.add($0, clock: clock) }
    return PlatformCheck(rows: tally.rows(run: run, anchors: anchors, days: days))
  }
}

/// Counts of everything that a check compares.
private struct CheckTally {
  let tasks = ResponseTask.allCases
  var impressions = 0.0
  var requests = 0.0
  var sessions = 0.0
  var logPlay = 0.0
  /// Impressions with both behaviors [11·11].
  var joint: [Double]
  /// Impressions, and those with each behavior, of users [U], [U·11] and videos [V], [V·11].
  var userCounts: [Double]
  var userSums: [Double]
  var videoCounts: [Double]
  var videoSums: [Double]
  var requestGaps = [Double](repeating: 0, count: 4)
  var returns = 0.0
  var shortReturns = 0.0
  var hours = [Double](repeating: 0, count: 24)

  init(platform: SimulatedPlatform) {
    let taskCount = ResponseTask.allCases.count
    joint = [Double](repeating: 0, count: taskCount * taskCount)
    userCounts = [Double](repeating: 0, count: platform.data.users.count)
    userSums = [Double](repeating: 0, count: platform.data.users.count * taskCount)
    videoCounts = [Double](repeating: 0, count: platform.data.videos.count)
    videoSums = [Double](repeating: 0, count: platform.data.videos.count * taskCount)
  }

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
      returns += 1
      if gap < 7200 { shortReturns += 1 }
    } else {
      requestGaps[gap < 10 ? 0 : gap < 60 ? 1 : gap < 300 ? 2 : 3] += 1
    }
  }

  func rows(run: PlatformRun, anchors: PlatformAnchors, days: Int) -> [PlatformCheck.Row] {
    var rows: [PlatformCheck.Row] = []
    func add(_ name: String, _ anchor: Double, _ simulated: Double, _ tolerance: Double) {
      rows.append(
        PlatformCheck.Row(
          name: name, anchor: anchor, simulated: simulated, tolerance: tolerance))
    }
    let userDays = Double(run.userDays.count)
    let begun = run.userDays.reduce(0) { $0 + Double($1.sessions) }
    add("requests a session", anchors.requestsPerSession, requests / sessions, 1)
    add("sessions a user and day", anchors.sessionsPerDay, begun / userDays, 0.3)
    add("impressions a request", anchors.impressionsPerRequest, impressions / requests, 0.03)
    let gaps = requestGaps.reduce(0, +)
    for (index, name) in ["1-10 s", "10-60 s", "1-5 min", "5-30 min"].enumerated() {
      add(
        "request gap " + name, anchors.requestGapShares[index], requestGaps[index] / gaps, 0.05)
    }
    add("return gap under 2 h", anchors.returnUnderTwoHours, shortReturns / returns, 0.04)
    add(
      "log quartile ratio impressions/user", anchors.impressionsLogQuartileRatio,
      logQuartileRatio, 0.35)
    let rate = joint[0] / impressions
    add("users' mean click rate / rate", anchors.userMeanClickRatio, userMeanClick / rate, 0.15)
    let hourTotal = hours.reduce(0, +)
    let variation = zip(hours, anchors.hourShares).reduce(0) { $0 + abs($1.0 / hourTotal - $1.1) }
    add("hour profile, total variation", 0, variation / 2, 0.06)
    add("mean log(1 + play s)", anchors.meanLogPlaySeconds, logPlay / impressions, 0.12)
    rows += taskRows(anchors)
    return rows
  }

  private func taskRows(_ anchors: PlatformAnchors) -> [PlatformCheck.Row] {
    let taskCount = tasks.count
    var rows: [PlatformCheck.Row] = []
    func count(_ a: ResponseTask, _ b: ResponseTask) -> Double {
      joint[a.rawValue * taskCount + b.rawValue]
    }
    for task in tasks {
      let p = anchors.rates[task.rawValue]
      rows.append(
        PlatformCheck.Row(
          name: "rate \(task)", anchor: p, simulated: count(task, task) / impressions,
          tolerance: p * (task.isPlay ? 0.05 : 0.1) + 3 * rareError(task, anchors)))
    }
    for (name, sums, counts, targets) in [
      ("user", userSums, userCounts, anchors.userCorrelations),
      ("video", videoSums, videoCounts, anchors.videoCorrelations),
    ] {
      for task in tasks {
        let own = counts.indices.map { sums[$0 * taskCount + task.rawValue] }
        let simulated = betweenVariance(sums: own, counts: counts, squares: own.reduce(0, +))
        let target = targets[task.rawValue]
        rows.append(
          PlatformCheck.Row(
            name: "\(name) correlation \(task)", anchor: target, simulated: simulated,
            tolerance: 0.02 + 0.25 * target + rareNoise(task)))
      }
    }
    for (index, task) in ResponseTask.added.enumerated() {
      let positives = count(task, task)
      rows.append(
        PlatformCheck.Row(
          name: "P(click | \(task))", anchor: anchors.clickGivenAdded[index],
          simulated: count(task, .click) / max(positives, 1),
          tolerance: 0.05 + 1.5 / max(positives, 1).squareRoot()))
    }
    for pair in anchors.associations {
      rows.append(
        PlatformCheck.Row(
          name: "phi \(pair.first) \(pair.second)", anchor: pair.correlation,
          simulated: phi(pair.first, pair.second),
          tolerance: 0.06 + rareNoise(pair.first) + rareNoise(pair.second)))
    }
    return rows
  }

  /// The standard error of a rate when users differ: binomial, inflated by the users' correlation.
  private func rareError(_ task: ResponseTask, _ anchors: PlatformAnchors) -> Double {
    let p = anchors.rates[task.rawValue]
    let groups = Double(userCounts.count { $0 > 0 })
    let squares = userCounts.reduce(0) { $0 + $1 * $1 }
    let effective = impressions * impressions / squares
    let between = p * (1 - p) * anchors.userCorrelations[task.rawValue]
    return (p * (1 - p) / impressions + between / max(min(effective, groups), 1)).squareRoot()
  }

  /// What chance does to correlations of a behavior with few positives.
  private func rareNoise(_ task: ResponseTask) -> Double {
    let positives = joint[task.rawValue * tasks.count + task.rawValue]
    return 1 / max(positives, 1).squareRoot()
  }

  private func phi(_ a: ResponseTask, _ b: ResponseTask) -> Double {
    let taskCount = tasks.count
    let p = joint[a.rawValue * taskCount + a.rawValue] / impressions
    let q = joint[b.rawValue * taskCount + b.rawValue] / impressions
    let both = joint[a.rawValue * taskCount + b.rawValue] / impressions
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
