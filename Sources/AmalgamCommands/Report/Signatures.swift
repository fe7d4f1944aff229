import Foundation

/// The paper's qualitative findings, each looked for in a run.
struct Signatures {
  /// What came of looking.
  enum Verdict: String {
    case seen
    case notSeen = "not seen"
    /// The interval over seeds holds 0, or there is one seed and no interval.
    case undecided = "not distinguishable"
    /// The run holds no such method or sweep.
    case missing = "not in this run"
  }

  /// One finding.
  struct Finding {
    var claim: String
    var verdict: Verdict
    /// The numbers behind the verdict.
    var numbers: String
  }

  let run: FinishedRun

  /// All findings, in the order of the paper.
  var findings: [Finding] {
    values + [orderOfEstimates] + exploration + rewards + controls
  }

  /// Figure 5 and the offline column of table 1.
  private var values: [Finding] {
    let mtf = run.values(.batchRLMTF, .finalValue)
    let growth = zip(run.values(.td3, .finalValue), mtf).map { td3, mtf in
      td3.flatMap { td3 in mtf.map { abs(td3) / max(abs($0), 1) } }
    }
    let others: [Reproduction.Method] = [.td3, .uwacTD3, .cqlSAC]
    let deviations = others.map { run.values($0, .finalDeviation) }
    let least = run.seeds.indices.map { seed in deviations.compactMap { $0[seed] }.min() }
    return [
      finding(
        "TD3's Q grows exponentially (here: at the end at least 10 times BatchRL-MTF's)",
        growth.map { $0.map { $0 - 10 } },
        "|Q| of TD3 over BatchRL-MTF's at the end: \(list(growth))"),
      finding(
        "TD3's estimated value is strongly negative",
        run.values(.td3, .conservative).map { $0.map { -$0 } },
        "V̂: \(list(run.values(.td3, .conservative)))"),
      finding(
        "CQL+SAC's and BatchRL-MTF's estimated values are positive",
        zip(run.values(.cqlSAC, .conservative), run.values(.batchRLMTF, .conservative)).map {
          pair($0, $1) { min($0, $1) }
        },
        "V̂ of CQL+SAC: \(list(run.values(.cqlSAC, .conservative))); of BatchRL-MTF: "
          + list(run.values(.batchRLMTF, .conservative))),
      finding(
        "BatchRL-MTF's Q is the most stable: a smaller deviation than TD3's, UWAC+TD3's, CQL+SAC's",
        zip(least, run.values(.batchRLMTF, .finalDeviation)).map { pair($0, $1) { $0 - $1 } },
        "deviation at the end, BatchRL-MTF: \(list(run.values(.batchRLMTF, .finalDeviation))); "
          + "the smallest of the three: \(list(least))"),
      finding(
        "TD3 decides for the bounds (here: more than half of the weights)",
        run.values(.td3, .saturation).map { $0.map { $0 - 0.5 } },
        "share of weights at the bounds: \(list(run.values(.td3, .saturation)))"),
      difference(
        "UWAC+TD3 less so", .td3, .uwacTD3, .saturation),
      difference(
        "BatchRL-MTF least", .uwacTD3, .batchRLMTF, .saturation),
    ]
  }

  private var orderOfEstimates: Finding {
    let (td3, uwac, mtf) = (
      run.values(.td3, .conservative), run.values(.uwacTD3, .conservative),
      run.values(.batchRLMTF, .conservative)
    )
    let margins = td3.indices.map { seed -> Double? in
      guard let low = td3[seed], let value = uwac[seed], let high = mtf[seed] else { return nil }
      return min(value - low, high - value)
    }
    return finding(
      "UWAC+TD3's estimated value lies between TD3's and BatchRL-MTF's", margins,
      "V̂ of TD3: \(list(td3)); UWAC+TD3: \(list(uwac)); BatchRL-MTF: \(list(mtf))")
  }

  private var exploration: [Finding] {
    [
      difference(
        "Random exploration alone is worse than mixed, by estimate", .batchRLMTF, .randomOnly,
        .conservative),
      difference("… by true session return", .batchRLMTF, .randomOnly, .sessionReturn),
      difference("… in true app time", .batchRLMTF, .randomOnly, .appMinutes),
      difference("… in true UPIRate", .batchRLMTF, .randomOnly, .positiveRate),
    ]
  }

  private var rewards: [Finding] {
    let rivals: [Reproduction.Method] = [.batchRLMTF, .emphasizingTime, .emphasizingIntegrity]
    let columns = rivals.map { run.values($0, .appMinutes) }
    let best = run.seeds.indices.map { seed in columns.compactMap { $0[seed] }.max() }
    let interaction = run.values(.emphasizingInteraction, .appMinutes)
    return [
      difference("Rtime has more app time …", .emphasizingTime, .batchRLMTF, .appMinutes),
      difference("… and less UPIRate", .batchRLMTF, .emphasizingTime, .positiveRate),
      difference(
        "Rintegrity has less app time …", .batchRLMTF, .emphasizingIntegrity, .appMinutes),
      difference("… and more UPIRate", .emphasizingIntegrity, .batchRLMTF, .positiveRate),
      finding(
        "Rinteraction has the most app time of the four",
        zip(interaction, best).map { pair($0, $1) { $0 - $1 } },
        "true lift of Rinteraction: \(list(interaction, isLift: true)); best of the others: "
          + list(best, isLift: true)),
      difference(
        "Rinteraction has the most UPIRate (here: more than the standard reward)",
        .emphasizingInteraction, .batchRLMTF, .positiveRate),
    ]
  }

  private var controls: [Finding] {
    [
      difference(
        "Shuffling decisions across users costs session return", .batchRLMTF, .shuffled,
        .sessionReturn),
      difference("… UPIRate", .batchRLMTF, .shuffled, .positiveRate),
      difference(
        "Looking ahead (γ = 0.95) is worth session return over γ = 0", .batchRLMTF, .myopic,
        .sessionReturn),
      difference(
        "Rewards are worth session return over behavior cloning", .batchRLMTF, .behaviorCloning,
        .sessionReturn),
    ]
  }

  /// The finding that one method exceeds another, seed by seed.
  private func difference(
    _ claim: String, _ larger: Reproduction.Method, _ smaller: Reproduction.Method,
    _ measure: FinishedRun.Measure
  ) -> Finding {
    let values = zip(run.values(larger, measure), run.values(smaller, measure)).map {
      pair($0, $1) { $0 - $1 }
    }
    return finding(
      claim, values,
      "\(larger.rawValue) less \(smaller.rawValue), \(measure.rawValue)"
        + "\(measure.isLift ? ", points" : ""): \(list(values, isLift: measure.isLift))")
  }

  /// The finding that a margin is above 0: by its interval over seeds.
  private func finding(_ claim: String, _ margins: [Double?], _ numbers: String) -> Finding {
    let summary = SeedStudy.Lift(margins)
    let verdict: Verdict =
      switch (summary.mean, summary.low, summary.high) {
      case (nil, _, _): .missing
      case (_, let low?, let high?): low > 0 ? .seen : high < 0 ? .notSeen : .undecided
      default: .undecided
      }
    return Finding(claim: claim, verdict: verdict, numbers: verdict == .missing ? "–" : numbers)
  }

  private func pair(
    _ first: Double?, _ second: Double?, _ combine: (Double, Double) -> Double
  ) -> Double? {
    guard let first, let second else { return nil }
    return combine(first, second)
  }

  /// The mean with its interval over seeds.
  private func list(_ values: [Double?], isLift: Bool = false) -> String {
    let summary = SeedStudy.Lift(values)
    if isLift { return summary.text }
    guard let mean = summary.mean else { return "–" }
    guard let low = summary.low, let high = summary.high else {
      return String(format: "%.3f", mean)
    }
    return String(format: "%.3f [%.3f, %.3f]", mean, low, high)
  }
}
