/// What training looks like at a step: means over the steps since the last report, and the
/// policy's decisions on the latest batch.
package struct TrainingReport: Sendable, Equatable, Codable {
  /// The step, counted from 1.
  package var step: Int
  /// Means over the steps since the last report.
  package var metrics: StepMetrics
  /// Q_φ1 at the decisions of the policy (eq. 4), what fig. 5 shows; nil without critics.
  package var decisionValues: ValueStatistics?
  /// The decisions of the policy beside the logged actions.
  package var decisions: ActionStatistics
}

/// Sums of metrics since the last report.
struct MetricsAverage: Sendable, Equatable, Codable {
  private var sum: StepMetrics?
  private var count = 0

  mutating func add(_ metrics: StepMetrics) {
    count += 1
    guard var total = sum else {
      sum = metrics
      return
    }
    total.combine(metrics) { $0 + $1 }
    sum = total
  }

  /// The mean of what was added, which is forgotten.
  mutating func take() -> StepMetrics? {
    defer {
      sum = nil
      count = 0
    }
    guard var mean = sum else { return nil }
    let divisor = Double(count)
    mean.combine(mean) { value, _ in value / divisor }
    return mean
  }
}

extension StepMetrics {
  /// Applies an operation to each number and its counterpart.
  mutating func combine(_ other: StepMetrics, _ operation: (Double, Double) -> Double) {
    precondition(
      losses.map(\.name) == other.losses.map(\.name), "metrics of two different learners")
    for index in losses.indices {
      losses[index].value = operation(losses[index].value, other.losses[index].value)
    }
    func combined(_ first: ValueStatistics?, _ second: ValueStatistics?) -> ValueStatistics? {
      guard var result = first, let second else { return first }
      result.mean = operation(result.mean, second.mean)
      result.deviation = operation(result.deviation, second.deviation)
      result.largest = operation(result.largest, second.largest)
      return result
    }
    func combined(_ first: Double?, _ second: Double?) -> Double? {
      guard let first, let second else { return first }
      return operation(first, second)
    }
    dataValues = combined(dataValues, other.dataValues)
    policyValues = combined(policyValues, other.policyValues)
    temporalDifferenceError = combined(temporalDifferenceError, other.temporalDifferenceError)
    candidateDeviation = combined(candidateDeviation, other.candidateDeviation)
    sampleWeight = combined(sampleWeight, other.sampleWeight)
    actions.distanceFromData = operation(
      actions.distanceFromData, other.actions.distanceFromData)
    actions.saturationShare = operation(actions.saturationShare, other.actions.saturationShare)
  }
}
