/// How a signal enters the reward: clipped, then on a logarithmic scale.
///
///     y = min(max(x, lower), upper)
///     y' = sign(y) · log(1 + |y| / scale)
///
/// x is the signal of a request, summed over the list that was shown: rewards are computed from the
/// stored feedback, which holds no single items. Both steps never fall as x rises.
public struct SignalTransform: Sendable, Equatable {
  /// What a smaller value counts as; nil: no limit.
  public let lower: Float?
  /// What a larger value counts as; nil: no limit.
  public let upper: Float?
  /// Where the logarithm bends, in units of the signal; nil: no logarithm.
  public let logScale: Float?

  /// A transform.
  ///
  /// - Precondition: ``problem(lower:upper:logScale:)`` is nil.
  public init(lower: Float? = nil, upper: Float? = nil, logScale: Float? = nil) {
    let problem = Self.problem(lower: lower, upper: upper, logScale: logScale)
    precondition(problem == nil, problem ?? "")
    self.lower = lower
    self.upper = upper
    self.logScale = logScale
  }

  /// What is wrong with these values, if anything.
  public static func problem(lower: Float?, upper: Float?, logScale: Float?) -> String? {
    for (name, value) in [("lower", lower), ("upper", upper), ("log", logScale)] {
      if let value, !value.isFinite { return "\(name): a finite number expected, found \(value)" }
    }
    if let lower, let upper, lower >= upper {
      return "lower: less than upper (\(upper)) expected, found \(lower)"
    }
    if let logScale, logScale <= 0 { return "log: more than 0 expected, found \(logScale)" }
    return nil
  }

  /// The transformed value; NaN stays NaN.
  public func callAsFunction(_ x: Float) -> Float {
    var y = x
    if let lower, y < lower { y = lower }
    if let upper, y > upper { y = upper }
    guard let logScale else { return y }
    return y < 0 ? -logarithm1p(-y / logScale) : logarithm1p(y / logScale)
  }
}
