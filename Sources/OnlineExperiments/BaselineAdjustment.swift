/// Takes out of each arm's mean what the users' pre-period already explains.
enum BaselineAdjustment {
  /// Adjusted mean and variance of each arm.
  ///
  /// - Parameters:
  ///   - values: one linearised value a user, by arm; nil where the ratio is undefined.
  ///   - covariates: the pre-period value of the same users, by arm.
  static func estimates(values: [[Double]?], covariates: [[Double]]) -> [RatioEstimate] {
    let overall = mean(covariates.flatMap { $0 })
    var crossed = 0.0
    var squares = 0.0
    for case (let arm?, let pre) in zip(values, covariates) {
      let valueMean = mean(arm)
      let preMean = mean(pre)
      for (y, c) in zip(arm, pre) {
        crossed += (y - valueMean) * (c - preMean)
        squares += (c - preMean) * (c - preMean)
      }
    }
    let slope = squares > 0 ? crossed / squares : 0  // θ
    return zip(values, covariates).map { arm, pre in
      guard let arm else { return RatioEstimate(value: nil, variance: 0) }
      let adjusted = zip(arm, pre).map { y, c in y - slope * (c - overall) }
      return RatioEstimate(
        numerators: adjusted, denominators: [Double](repeating: 1, count: adjusted.count))
    }
  }

  private static func mean(_ values: [Double]) -> Double {
    values.isEmpty ? 0 : values.reduce(0, +) / Double(values.count)
  }
}
