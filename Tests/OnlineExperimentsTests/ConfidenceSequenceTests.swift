import Foundation
import OnlineExperiments
import SeededRandom
import Testing

@Suite("Confidence sequences")
struct ConfidenceSequenceTests {
  @Test("arm 12 ± .6 over 10 ± .5, worked by hand")
  func handComputed() throws {
    let sequence = ConfidenceSequence(alpha: 0.05, plannedStandardError: 0.05)
    // x − ln x = 1 + 2·ln 20 has the root x = 9.211968; W = .0025·8.211968.
    #expect(abs(sequence.mixtureVariance - 0.020529920155170637) < 1e-12)
    #expect(abs(sequence.multiplier(standardError: 0.05) - 3.035122413028551) < 1e-12)
    let lift = try #require(
      sequence.lift(
        arm: RatioEstimate(value: 12, variance: 0.36),
        reference: RatioEstimate(value: 10, variance: 0.25)))
    // V = .36/144 + .25/100 = .005; ρ = .2435469; half-width √(V·(1 + ρ)·ln((1 + ρ)/(ρα²))).
    #expect(abs(lift.fraction - 0.2) < 1e-12)
    #expect(abs(lift.standardError - 0.07071067811865475) < 1e-12)
    #expect(abs(lift.low - (-0.034754454751978914)) < 1e-9)
    #expect(abs(lift.high - 0.4918483769122084) < 1e-9)
    #expect(abs(lift.logEvidence - 1.8578850266057212) < 1e-9)
  }

  @Test("the planned standard error is where the interval is shortest in standard errors")
  func tightest() {
    for alpha in [0.2, 0.05, 0.001] {
      let sequence = ConfidenceSequence(alpha: alpha, plannedStandardError: 0.02)
      let best = sequence.multiplier(standardError: 0.02)
      for step in -200...200 where step != 0 {
        let error = 0.02 * exp(0.02 * Double(step))
        #expect(sequence.multiplier(standardError: error) > best)
      }
    }
  }

  @Test("the sequence excludes zero exactly when its p-value lies below alpha")
  func agreement() throws {
    let sequence = ConfidenceSequence(alpha: 0.05, plannedStandardError: 0.03)
    var excluded = 0
    for step in 0...300 {
      let lift = try #require(
        sequence.lift(
          arm: RatioEstimate(value: 8.5 + Double(step) * 0.01, variance: 0.04),
          reference: RatioEstimate(value: 10, variance: 0.05)))
      let excludes = lift.low > 0 || lift.high < 0
      #expect(excludes == (lift.pValue < 0.05))
      if excludes { excluded += 1 }
    }
    #expect(excluded > 50 && excluded < 250)
  }

  @Test("with 1,000 looks at a Brownian motion it still errs in at most 5 %")
  func manyLooks() throws {
    // The error of ln ratio at information v is B(v)/v: increments are exactly independent.
    let sequence = ConfidenceSequence(alpha: 0.05, plannedStandardError: 0.01)
    let replicates = 2000
    var (ever, fixed) = (0, 0)
    for replicate in 0..<replicates {
      var stream = RandomStream(seed: 41, name: "motion").child("replicate", replicate)
      var sum = 0.0
      var (missed, missedFixed) = (false, false)
      for look in 1...1000 {
        let information = 100 * Double(look)  // standard errors from 0.1 to 0.0032
        sum += 10 * stream.gaussian()
        let value = exp(sum / information)
        let lift = try #require(
          sequence.lift(
            arm: RatioEstimate(value: value, variance: value * value / information),
            reference: RatioEstimate(value: 1, variance: 0)))
        if lift.low > 0 || lift.high < 0 { missed = true }
        if abs(sum) > 1.96 * information.squareRoot() { missedFixed = true }
      }
      if missed { ever += 1 }
      if missedFixed { fixed += 1 }
    }
    let bound = binomialBound(trials: replicates, probability: 0.05)
    print("1,000 looks: of \(replicates), sequence \(ever) (bound \(bound)), interval \(fixed)")
    #expect(ever <= bound && ever > bound / 10)
    #expect(fixed > 5 * bound)
  }

  @Test("there is no lift where a ratio is undefined or zero, or nothing varies")
  func undefined() {
    let sequence = ConfidenceSequence()
    let some = RatioEstimate(value: 1, variance: 0.1)
    for other in [
      RatioEstimate(value: nil, variance: 0), RatioEstimate(value: 0, variance: 0.1),
      RatioEstimate(value: -1, variance: 0.1),
    ] {
      #expect(sequence.lift(arm: other, reference: some) == nil)
      #expect(sequence.lift(arm: some, reference: other) == nil)
    }
    // Half-widths of ln ratio just below and above 1.
    let planned = ConfidenceSequence(plannedStandardError: 0.3)
    let narrow = RatioEstimate(value: 1, variance: 0.05)
    #expect(planned.lift(arm: narrow, reference: narrow) != nil)
    let wide = RatioEstimate(value: 1, variance: 0.06)
    #expect(planned.lift(arm: wide, reference: wide) == nil)
    let still = RatioEstimate(value: 1, variance: 0)
    #expect(sequence.lift(arm: still, reference: still) == nil)
  }
}

/// What the truth is and how the users enter.
struct Scenario: Sendable, CustomTestStringConvertible {
  let name: String
  let entry: SimulatedExperiment.Entry
  let users: Int
  var spread = 0.6
  var taste = 0.3
  /// Set from the scale of the simulated users, of no replicate.
  var planned = 0.05
  /// Multipliers of the treated arm by day.
  let time: @Sendable (Int) -> Double
  let rate: @Sendable (Int) -> Double

  var testDescription: String { name }

  static let all = [
    Scenario(name: "A/A", entry: .together, users: 400, time: { _ in 1 }, rate: { _ in 1 }),
    Scenario(
      name: "A/B, lifts 10 % and 25 %", entry: .together, users: 400, time: { _ in 1.1 },
      rate: { _ in 1.25 }),
    Scenario(
      name: "A/A while users enter in steps", entry: .ramped, users: 1500, time: { _ in 1 },
      rate: { _ in 1 }),
    Scenario(
      name: "A/A, heavy tails and rare hearts", entry: .together, users: 400, spread: 1.2,
      taste: 0.03, planned: 0.2, time: { _ in 1 }, rate: { _ in 1 }),
    Scenario(
      name: "A/B, a novelty that wears off", entry: .together, users: 400,
      time: { 1 + 0.2 * exp(-Double($0) / 7) }, rate: { 1 + 0.3 * exp(-Double($0) / 7) }),
  ]
}

/// Each experiment is looked at after every one of 30 days.
@Suite("Looking every day, over seeded replicates")
struct DailyLooksTests {
  static let replicates = 400
  static let metrics = ExperimentMetric.allCases

  /// How often the truth was ever excluded, and widths on the last day, of one metric.
  struct Tally {
    var everSequence = 0
    var everFixed = 0
    var lastDayFixed = 0
    /// Replicates with both intervals on the last day, whose widths are added up.
    var read = 0
    var sequenceWidth = 0.0
    var fixedWidth = 0.0

    mutating func add(_ looks: Looks) {
      if looks.missedSequence { everSequence += 1 }
      if looks.missedFixed { everFixed += 1 }
      if looks.missedLast { lastDayFixed += 1 }
      guard let sequence = looks.sequenceWidth, let fixed = looks.fixedWidth else { return }
      read += 1
      sequenceWidth += sequence
      fixedWidth += fixed
    }
  }

  /// One metric of one experiment, looked at every day.
  struct Looks {
    var missedSequence = false
    var missedFixed = false
    var missedLast = false
    var sequenceWidth: Double?
    var fixedWidth: Double?
    var effects = 0.0

    mutating func look(
      at ledger: ExperimentLedger, metric: ExperimentMetric, adjusted: Bool, effect: Double,
      sequence: ConfidenceSequence
    ) throws {
      effects += effect
      let truth = effects / Double(ledger.nextDay) - 1  // days weigh the same on average
      let found = try ledger.estimates(of: metric, adjustsForBaseline: adjusted)
      sequenceWidth = nil
      if let lift = sequence.lift(arm: found[1], reference: found[0]) {
        if truth < lift.low || truth > lift.high { missedSequence = true }
        sequenceWidth = lift.high - lift.low
      }
      (fixedWidth, missedLast) = (nil, false)
      if let fixed = RelativeLift(arm: found[1], reference: found[0]), let low = fixed.low,
        let high = fixed.high
      {
        missedLast = truth < low || truth > high
        if missedLast { missedFixed = true }
        fixedWidth = high - low
      }
    }
  }

  /// Both metrics' tallies over all replicates.
  static func tallies(
    _ scenario: Scenario, adjusted: Bool
  ) throws -> [ExperimentMetric: Tally] {
    let experiment = SimulatedExperiment(
      users: scenario.users, entry: scenario.entry, spread: scenario.spread, taste: scenario.taste)
    let sequence = ConfidenceSequence(plannedStandardError: scenario.planned)
    var tallies: [ExperimentMetric: Tally] = [:]
    for replicate in 0..<replicates {
      var looks: [ExperimentMetric: Looks] = [:]
      try experiment.run(
        replicate: replicate, effect: { (scenario.time($0), scenario.rate($0)) },
        look: { ledger in
          for metric in metrics {
            let effect = metric == .adTime ? scenario.time : scenario.rate
            try looks[metric, default: Looks()].look(
              at: ledger, metric: metric, adjusted: adjusted, effect: effect(ledger.nextDay - 1),
              sequence: sequence)
          }
        })
      for (metric, look) in looks { tallies[metric, default: Tally()].add(look) }
    }
    return tallies
  }

  @Test(
    "a sequence ever excludes the truth in at most 5 % of experiments, a daily interval in more",
    arguments: Scenario.all, [false, true])
  func everExcluded(scenario: Scenario, adjusted: Bool) throws {
    let bound = binomialBound(trials: Self.replicates, probability: 0.05)
    let tallies = try Self.tallies(scenario, adjusted: adjusted)
    for metric in Self.metrics {
      let tally = try #require(tallies[metric])
      let ratio = tally.sequenceWidth / tally.fixedWidth
      let read = Double(tally.read)
      print(
        "\(scenario.name), \(metric.rawValue)\(adjusted ? ", adjusted" : ""):",
        "of \(Self.replicates), sequence ever \(tally.everSequence) (bound \(bound)),",
        "interval ever \(tally.everFixed), on the last day \(tally.lastDayFixed);",
        String(format: "mean widths on the last day %.4f /", tally.sequenceWidth / read),
        String(format: "%.4f = %.2f (%.0f read)", tally.fixedWidth / read, ratio, read))
      #expect(tally.everSequence <= bound)
      #expect(tally.everFixed > bound && tally.everFixed > 3 * tally.everSequence)
      #expect(ratio > 1.4 && ratio < 2 && read > 0.9 * Double(Self.replicates))
    }
  }

  @Test("a plan that is far off costs width and no coverage", arguments: [0.01, 0.4])
  func planOff(planned: Double) throws {
    let sequence = ConfidenceSequence(plannedStandardError: planned)
    var ever = 0
    var ratio = 0.0
    for replicate in 0..<Self.replicates {
      var missed = false
      try SimulatedExperiment(users: 400).run(replicate: replicate, effect: { _ in (1, 1) }) {
        ledger in
        let found = try ledger.estimates(of: .adTime, adjustsForBaseline: true)
        guard let lift = sequence.lift(arm: found[1], reference: found[0]) else { return }
        if lift.low > 0 || lift.high < 0 { missed = true }
        guard ledger.nextDay == SimulatedExperiment.days else { return }
        let fixed = try #require(RelativeLift(arm: found[1], reference: found[0]))
        let (low, high) = (try #require(fixed.low), try #require(fixed.high))
        ratio += (lift.high - lift.low) / (high - low) / Double(Self.replicates)
      }
      if missed { ever += 1 }
    }
    print("A/A, planned error \(planned): ever \(ever) of \(Self.replicates), width", ratio)
    #expect(ever <= binomialBound(trials: Self.replicates, probability: 0.05))
    #expect(ratio > 1.57 && ratio < 3)  // 1.57: planned for the error of the last day
  }

  @Test("the pre-period makes the sequence of both metrics shorter")
  func shorter() throws {
    try SimulatedExperiment(users: 1000).run(replicate: 0, effect: { _ in (1.1, 1.1) }) { ledger in
      for metric in Self.metrics where ledger.nextDay == SimulatedExperiment.days {
        let sequence = ConfidenceSequence(plannedStandardError: 0.05)
        let widths = try [false, true].map { adjusted in
          let found = try ledger.estimates(of: metric, adjustsForBaseline: adjusted)
          let lift = try #require(sequence.lift(arm: found[1], reference: found[0]))
          return lift.high - lift.low
        }
        #expect(widths[1] < 0.8 * widths[0], "\(metric)")
      }
    }
  }
}
