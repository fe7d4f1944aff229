import Foundation

/// What a reader of two regressions must know.
struct FitFindings {
  let configuration: RewardFitConfiguration
  /// The signals regressed on.
  let signals: [String]

  /// One sentence a finding.
  func callAsFunction(_ fit: OutcomeFit) -> [String] {
    var findings: [String] = []
    for estimate in RewardFitConfiguration.Estimate.allCases {
      guard let result = fit[estimate] else { continue }
      let place = "\(fit.outcome.rawValue), \(estimate.rawValue): "
      for column in result.leftOut where signals.contains(column.name) {
        findings.append(place + "\(column.name) is left out: \(column.reason)")
      }
      for term in result.terms
      where signals.contains(term.name)
        && term.varianceInflation > configuration.inflationWarning
      {
        findings.append(
          place + "\(term.name) is nearly a combination of other columns "
            + String(format: "(variance inflation %.1f)", term.varianceInflation))
      }
      if result.conditionNumber > 30 {
        findings.append(
          place
            + String(
              format: "the columns are strongly collinear (condition number %.0f)",
              result.conditionNumber))
      }
      if result.clusters <= result.terms.count {
        findings.append(
          place + "\(result.clusters) users for \(result.terms.count) columns: errors that are "
            + "clustered by user are too small")
      }
    }
    guard let within = fit.within else { return findings }
    let differing = signals.filter { name in
      guard let all = fit.pooled[name], let own = within[name] else { return false }
      return Self.differ(all, own)
    }
    if !differing.isEmpty {
      findings.append(
        "\(fit.outcome.rawValue): pooled and within users differ strongly on "
          + differing.joined(separator: ", ") + ": the association is mostly who the user is")
    }
    return findings
  }

  /// Whether what is seen between users is gone or turned within them: the pooled interval
  /// excludes zero, the interval within users excludes the pooled estimate, and less than half of
  /// that is left.
  static func differ(_ pooled: RegressionTerm, _ within: RegressionTerm) -> Bool {
    !pooled.holdsZero && (pooled.estimate < within.low || pooled.estimate > within.high)
      && within.estimate / pooled.estimate < 0.5
  }
}
