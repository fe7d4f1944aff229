import OnlineExperiments
import SeededRandom
import Testing

@Suite("Ramp decisions")
struct RampRulesTests {
  static let sequence = ConfidenceSequence(plannedStandardError: 0.01)

  /// A lift of the given fraction; half-width about 3 points.
  static func lift(_ fraction: Double) throws -> SequentialLift {
    try #require(
      sequence.lift(
        arm: RatioEstimate(value: 1 + fraction, variance: 0.00005),
        reference: RatioEstimate(value: 1, variance: 0.00005)))
  }

  static func state(
    step: Int = 1, days: Int = 7, users: [Int] = [500, 500], time: Double? = 0,
    rate: Double? = 0, counts: [Int] = [500, 500]
  ) throws -> RampState {
    var split = SequentialSampleRatio(shares: [1, 1])
    split.look(at: counts)
    return RampState(
      step: step, steps: 4, daysInStep: days, users: users, sampleRatio: split,
      readings: [
        GuardrailReading(metric: "ADTime", arm: "treated", lift: try time.map(lift)),
        GuardrailReading(metric: "skips", arm: "treated", lift: try rate.map(lift)),
      ])
  }

  static let rules = RampRules(
    minimumDays: 3, minimumUsers: 400,
    guardrails: [
      Guardrail(metric: "ADTime", toleratedHarm: 0.01, harmToRuleOut: 0.05),
      Guardrail(metric: "skips", direction: .lowerIsBetter, toleratedHarm: 0.02),
    ])

  @Test("with everything in place the next step is taken, after the last none")
  func stepUp() throws {
    #expect(
      Self.rules.decision(in: try Self.state())
        == RampDecision(action: .stepUp(to: 2), reasons: [.rulesMet]))
    #expect(
      Self.rules.decision(in: try Self.state(step: 3))
        == RampDecision(action: .stay, reasons: [.lastStep]))
  }

  @Test("it waits for days, users, readings and harms to be ruled out, and names them all")
  func waits() throws {
    func reasons(_ state: RampState) -> [RampReason] {
      let decision = Self.rules.decision(in: state)
      #expect(decision.action == .stay)
      return decision.reasons
    }
    #expect(reasons(try Self.state(days: 2)) == [.tooFewDays(found: 2, needed: 3)])
    #expect(
      reasons(try Self.state(days: 2, users: [399, 500], rate: nil)) == [
        .tooFewDays(found: 2, needed: 3), .tooFewUsers(arm: 0, found: 399, needed: 400),
        .unread(metric: "skips", arm: "treated"),
      ])
    let low = try Self.lift(-0.03).low
    #expect(
      reasons(try Self.state(time: -0.03)) == [
        .harmNotRuledOut(metric: "ADTime", arm: "treated", largestHarm: -low, toRuleOut: 0.05)
      ])
    let nothing = RampState(
      step: 0, steps: 2, daysInStep: 9, users: [500, 500],
      sampleRatio: SequentialSampleRatio(shares: [1, 1]), readings: [])
    #expect(
      reasons(nothing) == [.unread(metric: "ADTime", arm: nil), .unread(metric: "skips", arm: nil)])
  }

  @Test("harm beyond what is tolerated stops on the first day, whichever way is bad")
  func harm() throws {
    let fall = try Self.lift(-0.06)
    #expect(
      Self.rules.decision(in: try Self.state(step: 0, days: 1, users: [2, 2], time: -0.06))
        == RampDecision(
          action: .rollBack,
          reasons: [
            .harm(metric: "ADTime", arm: "treated", leastHarm: -fall.high, tolerated: 0.01)
          ]))
    let rise = try Self.lift(0.08)
    #expect(
      Self.rules.decision(in: try Self.state(rate: 0.08))
        == RampDecision(
          action: .rollBack,
          reasons: [.harm(metric: "skips", arm: "treated", leastHarm: rise.low, tolerated: 0.02)]))
    // Proven to fall, yet not by more than is tolerated.
    let near = try Self.lift(-0.035)
    #expect(near.high < 0 && near.high > -0.01)
    #expect(Self.rules.decision(in: try Self.state(time: -0.035)).action == .stay)
    // A gain is no harm.
    #expect(Self.rules.decision(in: try Self.state(time: 0.2, rate: -0.2)).action != .rollBack)
  }

  @Test("a broken split stops, also without a reading")
  func split() throws {
    let state = try Self.state(time: nil, rate: nil, counts: [20_000, 22_000])
    #expect(state.sampleRatio.isMismatch)
    let decision = Self.rules.decision(in: state)
    #expect(decision.action == .rollBack)
    #expect(decision.reasons == [.sampleRatioMismatch(pValue: state.sampleRatio.pValue)])
    #expect(decision.reasons.allSatisfy { !$0.description.isEmpty })
  }
}

/// A server's days: assign by the plan's stage, close the books, read, decide.
@Suite("A ramp that decides by itself, over seeded replicates")
struct RampSimulationTests {
  static let pool = 2000
  static let steps = [0.1, 0.25, 0.5, 1]
  static let analysis = SequentialAnalysis(
    adTime: ConfidenceSequence(plannedStandardError: 0.03),
    upiRate: ConfidenceSequence(plannedStandardError: 0.03), minimumUsers: 50,
    adjustsForBaseline: true)
  static let rules = RampRules(
    minimumDays: 3, minimumUsers: 60,
    guardrails: [Guardrail(metric: "ADTime"), Guardrail(metric: "UPIRate")])

  /// How a ramp ended.
  struct Outcome {
    /// The day of the roll-back, from 1.
    var stopped: Int?
    /// The highest step served.
    var step = 0
  }

  static func ramp(_ replicate: Int, time: Double, rate: Double) throws -> Outcome {
    let name = "ramp \(replicate)"
    let plan = try ExperimentPlan(layers: [
      ExperimentLayer(
        name: "layer of \(name)",
        experiments: [
          RampedExperiment(
            name: name, slice: TrafficSlice(0, 1), arms: SimulatedExperiment.arms, steps: steps)
        ])
    ])
    var stream = RandomStream(seed: 31, name: name)
    var users = (0..<pool).map { _ in SimulatedUser(&stream) }
    var ledger = try ExperimentLedger(
      experiment: name, arms: SimulatedExperiment.arms, firstDay: 0)
    var outcome = Outcome()
    var stepSince = 0
    var arms = [Int?](repeating: nil, count: pool)
    for day in 0..<SimulatedExperiment.days {
      let assignment = try LayeredAssignment(plan: plan, stages: [name: .step(outcome.step)])
      var entering: [AssignedUser] = []
      var activity: [UserDay] = []
      for user in users.indices {
        guard let place = assignment.enrollment(of: UInt64(user), layer: 0) else { continue }
        if arms[user] == nil {
          arms[user] = place.arm
          entering.append(
            AssignedUser(user: UInt64(user), arm: place.arm, baseline: users[user].baseline))
        }
        let effect = place.arm == 1 ? (time: time, rate: rate) : (time: 1, rate: 1)
        if let row = users[user].day(day, user: UInt64(user), effect: effect, &stream) {
          activity.append(row)
        }
      }
      try ledger.close(day: day, entering: entering, activity: activity)
      let state = RampState(
        step: outcome.step, steps: steps.count, daysInStep: day + 1 - stepSince,
        readout: try analysis.readout(of: ledger))
      switch rules.decision(in: state).action {
      case .stay: break
      case .stepUp(let next):
        outcome.step = next
        stepSince = day + 1
      case .rollBack:
        outcome.stopped = day + 1
        return outcome
      }
    }
    return outcome
  }

  @Test("an arm without harm goes through all steps and is hardly ever stopped")
  func harmless() throws {
    let replicates = 200
    var stopped = 0
    var reached = 0
    for replicate in 0..<replicates {
      let outcome = try Self.ramp(replicate, time: 1, rate: 1)
      if outcome.stopped != nil { stopped += 1 }
      if outcome.step == Self.steps.count - 1 { reached += 1 }
    }
    // Two guardrails of 5 % each, and the split's .1 %.
    let bound = binomialBound(trials: replicates, probability: 0.101)
    print("harmless: stopped \(stopped) of \(replicates) (bound \(bound)), last step \(reached)")
    #expect(stopped <= bound)
    #expect(reached >= replicates - stopped)
  }

  @Test("harm is stopped, the larger the sooner")
  func harm() throws {
    let replicates = 60
    var medians: [Int] = []
    for harm in [0.05, 0.1, 0.2, 0.4] {
      var days: [Int] = []
      var steps = 0
      for replicate in 0..<replicates {
        let outcome = try Self.ramp(replicate, time: 1 - harm, rate: 1)
        days.append(outcome.stopped ?? SimulatedExperiment.days + 1)
        steps += outcome.step
      }
      days.sort()
      let found = days.count { $0 <= SimulatedExperiment.days }
      medians.append(days[replicates / 2])
      print(
        "harm \(harm): stopped \(found) of \(replicates), median day \(days[replicates / 2]),",
        "nine in ten by day \(days[replicates * 9 / 10]),",
        "mean step \(Double(steps) / Double(replicates) + 1)")
      // 5 % is about three standard errors of the last day: not always found in a month.
      #expect(harm == 0.05 || found >= replicates * 9 / 10)
    }
    for (smaller, larger) in zip(medians, medians.dropFirst()) { #expect(smaller > larger) }
  }
}
