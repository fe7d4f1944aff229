/// How a policy's actions stand to the logged ones (what the paper's fig. 6 shows).
package struct ActionStatistics: Sendable, Equatable, Codable {
  /// Actions at least this far from 0 count as saturated.
  package static let saturation: Float = 0.99

  /// The root of the mean squared difference to the logged action, a dimension.
  package var distanceFromData: Double
  /// The share of action entries at the bounds: |a| ≥ 0.99.
  package var saturationShare: Double

  /// The statistics of a batch.
  ///
  /// Shapes: actions, logged [B, A].
  package init(actions: [Float], logged: [Float]) {
    precondition(
      actions.count == logged.count && !actions.isEmpty,
      "\(actions.count) action entries beside \(logged.count) logged ones")
    var squares = 0.0
    var saturated = 0
    for i in actions.indices {
      let difference = Double(actions[i]) - Double(logged[i])
      squares += difference * difference
      if abs(actions[i]) >= Self.saturation { saturated += 1 }
    }
    let count = Double(actions.count)
    distanceFromData = (squares / count).squareRoot()
    saturationShare = Double(saturated) / count
  }
}

/// Mean and standard deviation of values.
package struct ValueStatistics: Sendable, Equatable, Codable {
  /// The mean.
  package var mean: Double
  /// The standard deviation over the batch (divisor B).
  package var deviation: Double
  /// The largest absolute value; NaN when one is.
  package var largest: Double

  /// The statistics of at least one value.
  package init(_ values: [Float]) {
    precondition(!values.isEmpty, "statistics of no values")
    var sum = 0.0
    var largest = 0.0
    for value in values {
      sum += Double(value)
      let size = Double(abs(value))
      if !largest.isNaN && !(size <= largest) { largest = size }
    }
    let mean = sum / Double(values.count)
    var squares = 0.0
    for value in values { squares += (Double(value) - mean) * (Double(value) - mean) }
    self.mean = mean
    deviation = (squares / Double(values.count)).squareRoot()
    self.largest = largest
  }
}
