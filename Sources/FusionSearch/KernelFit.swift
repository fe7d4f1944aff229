import Foundation

/// Chooses kernel parameters by the most probable value given observations.
///
/// Maximises the log marginal likelihood plus a log prior by resilient propagation (Rprop−: each
/// parameter has a step of its own that grows while the sign of its slope stays), from several
/// starts. Prior, for values of mean 0 and variance 1 on the box [−1, 1]^D:
/// log ℓ_d ~ N(√2 + log(D)/2 + log 2, 3), log σ_f² ~ N(0, 1), log σ_n² ~ N(−3, 4).
/// The length scales' prior grows with √D, without which points of a twelve-dimensional box look
/// unrelated. (Hvarfner, Hellsten and Nardi, ICML 2024; their unit box is half of this one.)
struct KernelFit {
  /// Means and variances of the prior, [D + 2].
  let priorMean: [Double]
  let priorVariance: [Double]
  let steps: Int

  init(dimension: Int, steps: Int = 40) {
    let scale = 2.0.squareRoot() + log(Double(dimension)) / 2 + log(2)
    priorMean = [Double](repeating: scale, count: dimension) + [0, -3]
    priorVariance = [Double](repeating: 3, count: dimension) + [1, 4]
    self.steps = steps
  }

  /// The prior's own best parameters.
  var initial: KernelParameters {
    var parameters = KernelParameters(logLengthScales: [], logSignal: 0, logNoise: 0)
    parameters.flat = priorMean
    return parameters
  }

  /// The best parameters over all starts: `warmStart` if given, the prior's mode, and equal
  /// length scales of 1 and 0.3.
  func fit(
    points: [Double], values: [Double], noiseScales: [Double], warmStart: KernelParameters?
  ) throws(SearchError) -> KernelParameters {
    var starts = [initial]
    for scale in [1.0, 0.3] {
      var start = initial
      start.logLengthScales = start.logLengthScales.map { _ in log(scale) }
      starts.append(start)
    }
    if let warmStart { starts.insert(warmStart, at: 0) }
    var best: (parameters: KernelParameters, objective: Double)?
    for start in starts {
      let found = try climb(
        from: start, points: points, values: values, noiseScales: noiseScales)
      if best.map({ found.objective > $0.objective }) ?? true { best = found }
    }
    return best?.parameters ?? initial
  }

  private func climb(
    from start: KernelParameters, points: [Double], values: [Double], noiseScales: [Double]
  ) throws(SearchError) -> (parameters: KernelParameters, objective: Double) {
    var parameters = start
    var best = (parameters: start, objective: -Double.infinity)
    var stepSizes = [Double](repeating: 0.2, count: priorMean.count)
    var lastSigns = [Double](repeating: 0, count: priorMean.count)
    for _ in 0...steps {
      let process = try GaussianProcess(
        points: points, values: values, noiseScales: noiseScales, parameters: parameters)
      var flat = parameters.flat
      var objective = process.logMarginalLikelihood
      var gradient = process.likelihoodGradient(noiseScales: noiseScales)
      for k in flat.indices {
        let distance = flat[k] - priorMean[k]
        objective -= 0.5 * distance * distance / priorVariance[k]
        gradient[k] -= distance / priorVariance[k]
      }
      if objective > best.objective { best = (parameters, objective) }
      for k in flat.indices {
        let sign: Double = gradient[k] > 0 ? 1 : (gradient[k] < 0 ? -1 : 0)
        if sign * lastSigns[k] > 0 { stepSizes[k] = min(1, 1.2 * stepSizes[k]) }
        if sign * lastSigns[k] < 0 { stepSizes[k] *= 0.5 }
        lastSigns[k] = sign
        // Six prior deviations bound the search where the likelihood is flat.
        let reach = 6 * priorVariance[k].squareRoot()
        flat[k] = min(
          max(flat[k] + sign * stepSizes[k], priorMean[k] - reach), priorMean[k] + reach)
      }
      parameters.flat = flat
    }
    return best
  }
}
