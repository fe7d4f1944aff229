import Foundation
import FusionMDP

/// The columns of the regression: a session's signals, then its controls.
struct SessionDesign {
  let configuration: RewardFitConfiguration
  /// The signals regressed on.
  let signals: [String]
  private let places: [Int]
  private let userActivity: [Double]?

  /// - Parameter signals: the signals of the sessions, in their order.
  /// - Throws: `RewardFitError.configuration` for a signal that the log does not have.
  init(
    signals: [String], userActivity: [Double]?, configuration: RewardFitConfiguration
  ) throws(RewardFitError) {
    self.configuration = configuration
    self.userActivity = userActivity
    self.signals = configuration.signals ?? signals
    var places: [Int] = []
    for name in self.signals {
      guard let place = signals.firstIndex(of: name) else {
        throw .configuration(
          field: "signals", expected: "signals of the log: " + signals.joined(separator: ", "),
          found: name)
      }
      places.append(place)
    }
    self.places = places
  }

  /// Fits one outcome on these sessions.
  func fit(
    _ sessions: [FeedbackSession], _ outcome: RewardFitConfiguration.Outcome,
    _ centering: LeastSquares.Centering
  ) throws(RewardFitError) -> RegressionResult {
    var numbers: [Int: Int] = [:]
    var clusters: [Int] = []
    for session in sessions {
      let next = numbers.count
      clusters.append(numbers[session.user, default: next])
      if clusters.last == next { numbers[session.user] = next }
    }
    let minutes = sessions.map {
      outcome == .nextSession ? $0.nextMinutes ?? 0 : $0.horizonMinutes
    }
    return try LeastSquares(
      columns: columns(of: sessions, centering), clusters: clusters, clusterCount: numbers.count,
      centering: centering
    ).fit(
      minutes.map { transformed($0, configuration.outcomeTransform) },
      confidence: configuration.confidence)
  }

  private func transformed(
    _ minutes: Double, _ transform: RewardFitConfiguration.MinutesTransform
  ) -> Double {
    transform == .log1p ? log1p(minutes) : minutes
  }

  private func columns(
    of sessions: [FeedbackSession], _ centering: LeastSquares.Centering
  ) -> [LeastSquares.Column] {
    let controls = configuration.controls
    var columns: [LeastSquares.Column] = []
    for (name, place) in zip(signals, places) {
      let isPlay = name == FeedbackSignal.playMinutes.rawValue
      columns.append(
        LeastSquares.Column(
          name,
          sessions.map {
            isPlay
              ? transformed($0.signals[place], configuration.playTransform) : $0.signals[place]
          }))
    }
    if controls.impressions {
      columns.append(
        LeastSquares.Column(
          "log_impressions", sessions.map { log(Double(max(1, $0.impressions))) }))
    }
    if centering == .overall, let column = activityColumn(sessions) { columns.append(column) }
    let shift = Int64((controls.hoursAheadOfUTC * 3_600_000).rounded())
    if controls.days {
      columns += dummies(
        "day", sessions.map { Int(floorDivide($0.startMilliseconds + shift, 86_400_000)) })
    }
    if controls.hoursPerBlock > 0 {
      let block = Int64(controls.hoursPerBlock) * 3_600_000
      columns += dummies(
        "hours",
        sessions.map { session in
          let local = session.startMilliseconds + shift
          let inDay = local - floorDivide(local, 86_400_000) * 86_400_000
          return Int(inDay / block) * controls.hoursPerBlock
        })
    }
    return columns
  }

  private func activityColumn(_ sessions: [FeedbackSession]) -> LeastSquares.Column? {
    switch configuration.controls.activity {
    case .none: nil
    case .sessions:
      LeastSquares.Column("log_sessions_before", sessions.map { log1p(Double($0.sessionsBefore)) })
    case .impressions:
      LeastSquares.Column(
        "log_impressions_before", sessions.map { log1p(Double($0.impressionsBefore)) })
    case .file:
      LeastSquares.Column("log_activity", sessions.map { log1p(userActivity?[$0.user] ?? 0) })
    }
  }

  /// A column for every level but the first: days since 1970, or the block's first hour.
  private func dummies(_ name: String, _ levels: [Int]) -> [LeastSquares.Column] {
    Set(levels).sorted().dropFirst().map { level in
      LeastSquares.Column("\(name)_\(level)", levels.map { $0 == level ? 1 : 0 }, isLevel: true)
    }
  }

  private func floorDivide(_ a: Int64, _ b: Int64) -> Int64 { (a - (a % b + b) % b) / b }
}
