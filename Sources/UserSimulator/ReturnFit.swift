import SeededRandom

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Finds how long users stay away: the two constants of the gap between sessions.
///
/// Sessions are replayed without their requests: lengths and final satisfactions are those that a
/// run of the reference policy had.
struct ReturnFit {
  static let days = 15

  let platform: SimulatedPlatform
  let users: [Int]
  /// Wall seconds, seconds from the last request to the end, and final satisfaction of sessions.
  let sessions: [(wall: Double, tail: Double, satisfaction: Double)]
  private let draws: [[(session: Int, noise: Double)]]

  init(
    platform: SimulatedPlatform, users: [Int],
    sessions: [(wall: Double, tail: Double, satisfaction: Double)]
  ) {
    self.platform = platform
    self.users = users
    self.sessions = sessions
    let root = RandomStream(seed: platform.seed, name: "return fit")
    draws = users.map { user in
      var stream = root.child("user", user)
      return (0..<400).map { _ in
        (stream.index(below: sessions.count), stream.gaussian())
      }
    }
  }

  /// The constants of returning: the deviation by bisection on the share of gaps under two hours, for
  /// each the location by bisection on sessions a day, then the hours by proportional steps.
  func fitted() -> PlatformFit {
    let anchors = platform.anchors
    var fit = platform.fit
    fit.returnDeviation = bisected(over: 0.3...2.5) { deviation in
      fit.returnDeviation = deviation
      fitLocation(&fit)
      return replay(fit).underTwoHours - anchors.returnUnderTwoHours
    }
    guard platform.assumptions.hourProfile else {
      fitLocation(&fit)
      return fit
    }
    for _ in 0..<6 {
      fitLocation(&fit)
      let hours = replay(fit).hours
      for hour in 0..<24 {
        let ratio = anchors.hourShares[hour] / max(hours[hour], 1e-4)
        fit.arrivalShares[hour] *= min(max(ratio, 0.5), 2)
      }
      let total = fit.arrivalShares.reduce(0, +)
      for hour in 0..<24 {
        fit.arrivalShares[hour] = max(fit.arrivalShares[hour] / total, 0.001)
      }
    }
    fitLocation(&fit)
    return fit
  }

  private func fitLocation(_ fit: inout PlatformFit) {
    fit.returnLocation = bisected(over: -3...3) { location in
      fit.returnLocation = location
      return platform.anchors.sessionsPerDay - replay(fit).perDay
    }
  }

  private struct Outcome {
    var perDay = 0.0
    var underTwoHours = 0.0
    /// Shares of session time by local hour [24].
    var hours = [Double](repeating: 0, count: 24)
  }

  /// Sessions follow each other with the gaps of `fit`; the first three days are not counted.
  private func replay(_ fit: PlatformFit) -> Outcome {
    let old = platform.fit
    let clock = HourClock(
      shares: platform.assumptions.hourProfile ? fit.arrivalShares : nil,
      utcOffsetHours: platform.configuration.utcOffsetHours)
    let slope =
      platform.assumptions.satisfactionDrivesReturning ? platform.assumptions.returningSlope : 0
    let start = platform.configuration.startMilliseconds
    let end = start + Int64(Self.days) * HourClock.dayMilliseconds
    let counted = start + 3 * HourClock.dayMilliseconds
    var result = Outcome()
    var count = 0.0
    var short = 0.0
    for (row, user) in users.enumerated() {
      let mean =
        platform.users[user].returnLocation
        + old.returnDeviation * old.returnDeviation / 2 - old.returnLocation
      let center = mean - fit.returnDeviation * fit.returnDeviation / 2 + fit.returnLocation
      var now = start
      for draw in draws[row] where now < end {
        let session = sessions[draw.session]
        let minutes = exp(center - slope * session.satisfaction + fit.returnDeviation * draw.noise)
        let sessionEnd = now + Int64(session.wall * 1000)
        let next = clock.advance(
          from: sessionEnd + 30 * 60_000, byActiveMinutes: min(minutes, 31 * 1440))
        if now >= counted {
          count += 1
          if Double(next - sessionEnd) / 1000 + session.tail < 7200 { short += 1 }
          for tenth in 0..<10 {
            let moment = now + Int64(session.wall * (Double(tenth) + 0.5) * 100)
            result.hours[Int(clock.hour(at: moment))] += session.wall
          }
        }
        now = next
      }
    }
    result.perDay = count / Double(users.count * (Self.days - 3))
    result.underTwoHours = short / max(count, 1)
    let total = max(result.hours.reduce(0, +), 1e-9)
    result.hours = result.hours.map { $0 / total }
    return result
  }
}

/// Finds the spread of the time to the next request around the time that a list takes.
enum GapFit {
  /// The location holds P(gap < 1 min); of the deviations the one whose four shares are nearest.
  ///
  /// Shapes: `seconds`, how long lists take [n]; `shares` [4].
  static func run(
    seconds: [Double], shares: [Double]
  ) -> (location: Double, deviation: Double) {
    let logs = seconds.map { log($0) }
    let total = shares.reduce(0, +)
    let target = (shares[0] + shares[1]) / total
    var best = (error: Double.infinity, location: 0.0, deviation: 1.0)
    for step in 0...22 {
      let deviation = 0.3 + 0.1 * Double(step)
      let location = bisected(over: -5...5) { location in
        target - below(60, logs, location, deviation)
      }
      let points = [10.0, 60, 300].map { below($0, logs, location, deviation) }
      let simulated = [points[0], points[1] - points[0], points[2] - points[1], 1 - points[2]]
      let error = zip(simulated, shares).reduce(0) { sum, pair in
        let difference = pair.0 - pair.1 / total
        return sum + difference * difference
      }
      if error < best.error { best = (error, location, deviation) }
    }
    return (best.location, best.deviation)
  }

  private static func below(
    _ seconds: Double, _ logs: [Double], _ location: Double, _ deviation: Double
  ) -> Double {
    let sum = logs.reduce(0) {
      $0 + NormalDistribution.cumulative((log(seconds) - $1 - location) / deviation)
    }
    return sum / Double(logs.count)
  }
}
