import FusionMDP
import SeededRandom

/// An estimate with an interval, from a fit on all sessions and fits on resampled ones.
///
/// V̂ is the mean of Q̂(s0, π_e(s0)) over initial states, Q̂ fitted on all sessions. Two things
/// make it uncertain, and each is measured on its own:
///
/// * **which sessions began**: W₀, the variance of that mean with users (or sessions) as clusters,
///   which is what a session bootstrap of the initial states converges to;
/// * **which sessions Q̂ learnt from, and its seed**: W_f, the variance of V̂ between
///   `intervalFits` fits, each on a bootstrap resample of the sessions and with a seed of its own,
///   all read at the same initial states.
///
/// The error of Q̂ has mean zero given the initial states (it comes from temporal difference
/// errors), so the two add up. The interval is V̂ ± t_ν·√(W₀ + W_f) with Welch and Satterthwaite's
/// ν = (W₀ + W_f)² / (W₀²/(G − 1) + W_f²/(fits − 1)), G clusters. It does not know of bias: a
/// function class too poor, too few rounds, or a policy whose actions the log does not hold.
struct FitSpread {
  let configuration: FittedQConfiguration
  let name: String

  /// One fit's V̂ at the initial states, and how it ended.
  private struct Reading: Sendable {
    let summary: FitSummary
    let values: [Double]
    /// How often each initial state's session was drawn for the fit.
    let draws: [Int32]
    /// V̂ of the last tenth of the rounds less that of the tenth before.
    let drift: Double?
    /// Q̂'s mean residual over all transitions; of the fit on all of them only.
    let residual: Double
  }

  /// - Parameters:
  ///   - rounds: how often `fit` calls its last argument.
  ///   - fit: fits Q̂ on the given transitions (repeats allowed).
  func estimate(
    on sessions: EvaluationSessions, seed: UInt64, rounds: Int, progress: EvaluationProgress,
    fit:
      @escaping @Sendable (
        _ transitions: [Int], _ stream: inout RandomStream, _ onRound: () throws -> Void
      ) throws -> FittedQ
  ) throws -> PolicyValueEstimate {
    let root = RandomStream(seed: seed, name: "off-policy-evaluation")
    var initialStream = root.child("initial-states")
    let initial = sessions.initialSessions(
      count: configuration.initialStates, using: &initialStream)
    let clusters = SessionClusters(sessions.data, unit: configuration.resampling)
    let readings = try ParallelFits(threads: configuration.threads).run(
      count: 1 + configuration.intervalFits, rounds: rounds, progress: progress
    ) { index, onRound in
      var stream = root.child("fit", index)
      var resampling = root.child("resample", index)
      let data = sessions.data
      let drawn = index == 0 ? [] : clusters.resampledSessions(using: &resampling)
      let q = try fit(
        index == 0 ? Array(0..<data.transitionCount) : drawn.flatMap(data.session), &stream,
        onRound)
      var draws = [Int32](repeating: 0, count: data.sessionCount)
      for m in drawn { draws[m] += 1 }
      func value(_ q: FittedQ.Values) -> Double {
        Self.mean(sessions.initialValues(of: initial, q))
      }
      return Reading(
        summary: q.summary, values: sessions.initialValues(of: initial, q.values),
        draws: initial.map { draws[$0] }, drift: q.course.map { value($0.last) - value($0.before) },
        residual: index == 0 ? sessions.meanResidual(q.values) : 0)
    }
    let values = readings[0].values
    let value = Self.mean(values)
    let refits = readings.dropFirst().map { Self.mean($0.values) }
    let summary = readings[0].summary
    let scale = sessions.rewardScale
    let (initialVariance, count) = clusters.varianceOfMean(values, of: initial)
    let fitVariance = Self.variance(refits)
    let reach = Self.reach(
      initialVariance, degrees: Double(count - 1), fitVariance,
      degrees: Double(refits.count - 1), confidence: configuration.confidence)
    let errors = StandardErrors(
      initialStates: scale * initialVariance.squareRoot(), fits: scale * fitVariance.squareRoot())
    return PolicyValueEstimate(
      estimator: name, value: scale * value, low: scale * (value - reach),
      high: scale * (value + reach),
      effectiveSampleSize: errors.total > 0
        ? sessions.loggedReturn.variance / (errors.total * errors.total) : nil,
      n: initial.count, standardErrors: errors,
      fit: FitDiagnostics(
        temporalDifferenceError: scale * summary.temporalDifferenceError,
        regularizer: scale * summary.regularizer, qMean: scale * summary.qMean,
        actionDistance: sessions.actionDistance,
        convergence: Self.convergence(
          drifts: readings.compactMap(\.drift).map { scale * $0 },
          residual: scale * readings[0].residual * sessions.meanDiscountedLength)),
      weights: nil,
      parts: EstimateParts(
        sessions: initial, contributions: values.map { scale * $0 },
        refits: refits.map { scale * $0 }, draws: readings.dropFirst().map(\.draws)))
  }

  private static func convergence(drifts: [Double], residual: Double) -> FitConvergence? {
    guard drifts.count > 1 else { return nil }
    return FitConvergence(
      drift: mean(drifts),
      driftError: (variance(drifts) / Double(drifts.count)).squareRoot(), residual: residual)
  }

  /// Half the width of the interval, by Welch and Satterthwaite; ∞ where a variance is.
  static func reach(
    _ first: Double, degrees firstDegrees: Double, _ second: Double,
    degrees secondDegrees: Double, confidence: Double
  ) -> Double {
    let total = first + second
    guard total > 0 else { return 0 }
    guard total < .infinity else { return .infinity }  // of a single group
    let spread =
      (firstDegrees > 0 ? first * first / firstDegrees : 0)
      + (secondDegrees > 0 ? second * second / secondDegrees : 0)
    let degrees = spread > 0 ? total * total / spread : .infinity
    return StudentDistribution.quantile(0.5 + confidence / 2, degrees: degrees)
      * total.squareRoot()
  }

  static func mean(_ values: [Double]) -> Double {
    values.reduce(0, +) / Double(values.count)
  }

  static func variance(_ values: [Double]) -> Double {
    let mean = mean(values)
    return values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count - 1)
  }
}
