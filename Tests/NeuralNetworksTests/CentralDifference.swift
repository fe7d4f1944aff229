import Testing

/// ∂f/∂xᵢ of each entry by central differences in Double: (f(x + h) − f(x − h)) / 2h.
///
/// At h = 1e-5 the error is about h² (curvature) plus 1e-16/h (rounding): below 1e-9 for the
/// functions here, far under what Float32 leaves of the analytic gradient.
func centralDifference(
  at point: [Double], step: Double = 1e-5, of function: ([Double]) -> Double
) -> [Double] {
  var moved = point
  return point.indices.map { i in
    moved[i] = point[i] + step
    let above = function(moved)
    moved[i] = point[i] - step
    let below = function(moved)
    moved[i] = point[i]
    return (above - below) / (2 * step)
  }
}

/// Checks a Float32 result against its reference in Double, entry by entry.
///
/// The error is measured against the entry or, if that is larger, the root mean square of all
/// entries: an entry that cancels to nearly nothing keeps the rounding of its summands. The
/// default tolerance of 1e-4 is about 1,000 units in the last place of a Float32: sums of up
/// to some hundred rounded products stay below it, a wrong term does not.
func expectClose(
  _ values: [Float], _ reference: [Double], tolerance: Double = 1e-4,
  _ name: Comment? = nil, sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(values.count == reference.count, name, sourceLocation: sourceLocation)
  guard values.count == reference.count, !values.isEmpty else { return }
  let squares = reference.reduce(0) { $0 + $1 * $1 }
  let typical = (squares / Double(reference.count)).squareRoot()
  var worst = (error: 0.0, index: 0)
  for i in values.indices {
    let scale = max(abs(reference[i]), typical, 1e-12)
    let error = abs(Double(values[i]) - reference[i]) / scale
    if !(error <= worst.error) { worst = (error, i) }
  }
  #expect(
    worst.error <= tolerance,
    "entry \(worst.index): \(values[worst.index]) against \(reference[worst.index])",
    sourceLocation: sourceLocation)
}

/// The entries as Double, exactly.
func doubles(_ values: [Float]) -> [Double] { values.map(Double.init) }
