import Foundation

/// Weights that nobody tried to change say nothing about other weights.
enum ActionChecks {
  static func findings(_ data: CheckedTransitions, names: [String]) -> [DataFinding] {
    let size = data.actionSize
    var findings: [DataFinding] = []
    if let place = data.actions.firstIndex(where: { !(abs($0) <= 1) }) {
      return [
        DataFinding(
          check: .actionVariation, severity: .error,
          summary:
            "transition \(place / size), weight \(CheckedTransitions.name(place % size, names)): "
            + "\(data.actions[place]) found, a number in [-1, 1] expected",
          advice: "store actions normalized by the bounds of the fusion weights")
      ]
    }
    let deviations = ActionMoments(data.actions, actionSize: size).deviation
    let limit = DataChecks.Threshold.actionDeviation
    let constant = deviations.indices.filter { deviations[$0] < limit }
    if constant.count == size {
      return [
        DataFinding(
          check: .actionVariation, severity: .error,
          summary: "none of the \(size) weights varies (largest deviation "
            + String(format: "%.2g", deviations.max() ?? 0) + ", at least \(limit) expected)",
          advice: "explore: a log of one action cannot say what another would do")
      ]
    }
    if !constant.isEmpty {
      let listed = constant.map { CheckedTransitions.name($0, names) }.joined(separator: ", ")
      findings.append(
        DataFinding(
          check: .actionVariation, severity: .warning,
          summary: "\(constant.count) of \(size) weights never vary (deviation below \(limit)): "
            + listed,
          advice: "judge only policies that leave these weights as they were"))
    }
    var seen: Set<[Float]> = []
    for row in 0..<data.count where seen.count < DataChecks.Threshold.distinctActions {
      seen.insert(Array(data.actions[row * size..<(row + 1) * size]))
    }
    let expected = DataChecks.Threshold.distinctActions
    if seen.count < expected, data.count >= 10 * expected {
      findings.append(
        DataFinding(
          check: .actionVariation, severity: .warning,
          summary: "\(data.count) transitions hold \(seen.count) different actions; at least "
            + "\(expected) expected",
          advice: "weights were switched and not explored: judge only policies that choose among "
            + "them"))
    }
    return findings
  }
}

/// Logged densities that cannot be right.
///
/// It sees constants, impossible sizes, densities whose mean reciprocal exceeds the volume of the box and single
/// ones that are too small to have been drawn. It does not see permuted ones, or ones that are too large: an estimator's mean weight does (E[π/μ] = 1), and
/// so does a fitted density beside them.
enum PropensityChecks {
  static func findings(_ data: CheckedTransitions) -> [DataFinding] {
    let known = data.propensities.filter { !$0.isNaN }.map(Double.init)
    let unknown = Double(data.count - known.count) / Double(data.count)
    var findings: [DataFinding] = []
    if unknown > DataChecks.Threshold.unknownPropensities {
      findings.append(
        finding(
          .warning,
          String(
            format: "%.1f %% of the transitions have no logged density (at most ", 100 * unknown)
            + String(format: "%.0f %%)", 100 * DataChecks.Threshold.unknownPropensities),
          "use estimators without weights, or a fitted density and its calibration report"))
    }
    guard let first = known.first else { return findings }
    let ceiling = DataChecks.Threshold.logDensityPerDimension * Double(data.actionSize)
    if let odd = known.first(where: { !$0.isFinite || $0 > ceiling }) {
      findings.append(
        finding(
          .error,
          "a logged log density of \(odd) was found; a finite number of at most \(ceiling) nats "
            + "expected",
          "log the natural logarithm of the density of what was deployed"))
      return findings
    }
    let actions = ActionMoments(data.actions, actionSize: data.actionSize)
    let varies = actions.deviation.contains { $0 >= DataChecks.Threshold.actionDeviation }
    if known.count > 1, varies, known.allSatisfy({ $0 == first }) {
      let reading =
        first == 0
        ? "all logged log densities are 0: every density 1"
        : String(format: "all logged log densities are %.4g", first)
      findings.append(
        finding(
          first == 0 ? .error : .warning,
          reading
            + String(
              format: ", right only for actions drawn evenly from a part of volume %.3g",
              exp(-first)),
          "log the density of each action, or leave it unknown"))
    }
    let found = rarest(known, actionSize: data.actionSize)
    return findings + (found.isEmpty ? reciprocal(known, actionSize: data.actionSize) : found)
  }

  /// An action whose density is below p/2^A is drawn with a probability of at most p (Markov, with the
  /// mean of `reciprocal`), so that the smallest of N is below p/(N·2^A) with at most p.
  ///
  /// One such density among many right ones hides the mean's excess in its own standard error.
  private static func rarest(_ known: [Double], actionSize: Int) -> [DataFinding] {
    let chance = DataChecks.Threshold.rarestDensity
    let floor = log(chance / Double(known.count)) - Double(actionSize) * log(2)
    let below = known.filter { $0 < floor }
    guard let least = below.min() else { return [] }
    return [
      finding(
        .error,
        String(
          format: "%d of %d logged log densities are below %.1f nats, the least %.4g; the least of "
            + "right ones lies there in one of %.0f logs", below.count, known.count, floor, least,
          1 / chance),
        "log the natural logarithm of the density of what was deployed: look for a logarithm of a "
          + "logarithm, or another unit")
    ]
  }

  /// E_{a∼μ}[1/μ(a)] is the volume of where μ is above 0: at most 2^A.
  private static func reciprocal(_ known: [Double], actionSize: Int) -> [DataFinding] {
    guard known.count >= 100 else { return [] }
    // As shares of the box's volume.
    let shares = known.map { exp(-$0 - Double(actionSize) * log(2)) }
    let count = Double(shares.count)
    let mean = shares.reduce(0, +) / count
    let squares = shares.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    let error = (squares / count / (count - 1)).squareRoot()
    guard mean - 4 * error > 1.05 else { return [] }
    return [
      finding(
        .error,
        String(
          format: "the mean of 1/density is %.2f ± %.2f of the box's volume; at most 1 ", mean,
          error)
          + "expected",
        "logged densities are too small: look for a missing mixture part, another unit of the "
          + "action, or a logarithm of another base")
    ]
  }

  private static func finding(
    _ severity: DataFinding.Severity, _ summary: String, _ advice: String
  ) -> DataFinding {
    DataFinding(check: .propensities, severity: severity, summary: summary, advice: advice)
  }
}
