/// A metric that an experiment must not harm.
package struct Guardrail: Sendable, Equatable {
  /// Which way the metric is good.
  package enum Direction: Sendable, Equatable {
    /// A fall is harm.
    case higherIsBetter
    /// A rise is harm.
    case lowerIsBetter
  }

  /// The metric's name, as in the readings.
  package let metric: String
  /// Which way is good.
  package let direction: Direction
  /// Harm, as a fraction of the reference, that is put up with: more than that, proven, stops.
  package let toleratedHarm: Double
  /// When given, a step up also waits until harm of this fraction or more is ruled out.
  package let harmToRuleOut: Double?

  /// A guardrail.
  /// - Precondition: fractions at or above zero; the harm to rule out above the tolerated one.
  package init(
    metric: String, direction: Direction = .higherIsBetter, toleratedHarm: Double = 0,
    harmToRuleOut: Double? = nil
  ) {
    precondition(
      toleratedHarm >= 0 && (harmToRuleOut ?? .infinity) > toleratedHarm,
      "tolerated harm \(toleratedHarm), harm to rule out \(String(describing: harmToRuleOut))")
    self.metric = metric
    self.direction = direction
    self.toleratedHarm = toleratedHarm
    self.harmToRuleOut = harmToRuleOut
  }

  /// The least and the largest harm that the interval of a lift allows; below zero is a gain.
  func harm(of lift: SequentialLift) -> (least: Double, largest: Double) {
    switch direction {
    case .higherIsBetter: (-lift.high, -lift.low)
    case .lowerIsBetter: (lift.low, lift.high)
    }
  }
}

/// A guardrail's metric in one arm at one look.
package struct GuardrailReading: Sendable, Equatable {
  /// The metric's name.
  package let metric: String
  /// The arm's name.
  package let arm: String
  /// Its lift over the reference; nil while there is none.
  package let lift: SequentialLift?

  /// A reading.
  package init(metric: String, arm: String, lift: SequentialLift?) {
    self.metric = metric
    self.arm = arm
    self.lift = lift
  }
}

/// Where a ramp is and what is known of it at one look.
package struct RampState: Sendable, Equatable {
  /// Index of the step that is served.
  package let step: Int
  /// Number of steps.
  package let steps: Int
  /// Whole days since the step began.
  package let daysInStep: Int
  /// Users of each arm so far.
  package let users: [Int]
  /// The split of users.
  package let sampleRatio: SequentialSampleRatio
  /// Every guardrail's metric in every arm but the reference.
  package let readings: [GuardrailReading]

  /// A state.
  package init(
    step: Int, steps: Int, daysInStep: Int, users: [Int], sampleRatio: SequentialSampleRatio,
    readings: [GuardrailReading]
  ) {
    self.step = step
    self.steps = steps
    self.daysInStep = daysInStep
    self.users = users
    self.sampleRatio = sampleRatio
    self.readings = readings
  }

  /// The state after a look, with ADTime and UPIRate as readings and what else is guarded.
  package init(
    step: Int, steps: Int, daysInStep: Int, readout: SequentialReadout,
    others: [GuardrailReading] = []
  ) {
    var readings = others
    for (index, arm) in readout.arms.enumerated() where index != readout.reference {
      for (metric, value) in [(ExperimentMetric.adTime, arm.adTime), (.upiRate, arm.upiRate)] {
        readings.append(
          GuardrailReading(metric: metric.rawValue, arm: arm.name, lift: value.lift))
      }
    }
    self.init(
      step: step, steps: steps, daysInStep: daysInStep, users: readout.arms.map(\.users),
      sampleRatio: readout.sampleRatio, readings: readings)
  }
}

/// What to do with a ramp.
package enum RampAction: Sendable, Equatable {
  /// Go on as it is.
  case stay
  /// Serve the step with this index.
  case stepUp(to: Int)
  /// Turn the experiment off: everybody gets the reference.
  case rollBack
}

/// Why.
package enum RampReason: Sendable, Equatable, CustomStringConvertible {
  /// Harm above the tolerated one is proven; `leastHarm` is the interval's end next to zero.
  case harm(metric: String, arm: String, leastHarm: Double, tolerated: Double)
  /// The split of users is broken, so that no guardrail can be believed.
  case sampleRatioMismatch(pValue: Double)
  /// The step has not run long enough.
  case tooFewDays(found: Int, needed: Int)
  /// An arm has too few users.
  case tooFewUsers(arm: Int, found: Int, needed: Int)
  /// A guardrail has no interval yet in some arm.
  case unread(metric: String, arm: String?)
  /// Harm of the given size is not ruled out yet.
  case harmNotRuledOut(metric: String, arm: String, largestHarm: Double, toRuleOut: Double)
  /// There is no further step.
  case lastStep
  /// Nothing speaks against the next step.
  case rulesMet

  /// One line for an operator.
  package var description: String {
    switch self {
    case .harm(let metric, let arm, let least, let tolerated):
      "\(metric) of arm \"\(arm)\": harm of at least \(least), tolerated \(tolerated)"
    case .sampleRatioMismatch(let pValue):
      "users are not split as promised (p \(pValue))"
    case .tooFewDays(let found, let needed):
      "\(found) of \(needed) days in this step"
    case .tooFewUsers(let arm, let found, let needed):
      "arm \(arm): \(found) of \(needed) users"
    case .unread(let metric, let arm):
      "\(metric) of \(arm.map { "arm \"\($0)\"" } ?? "any arm"): no interval yet"
    case .harmNotRuledOut(let metric, let arm, let largest, let toRuleOut):
      "\(metric) of arm \"\(arm)\": harm up to \(largest) possible, \(toRuleOut) to rule out"
    case .lastStep: "the last step is reached"
    case .rulesMet: "nothing speaks against the next step"
    }
  }
}

/// An action and every reason for it.
package struct RampDecision: Sendable, Equatable {
  /// What to do.
  package let action: RampAction
  /// All reasons, never none.
  package let reasons: [RampReason]

  /// A decision.
  package init(action: RampAction, reasons: [RampReason]) {
    self.action = action
    self.reasons = reasons
  }
}

/// When a ramp stays, goes on and stops.
///
/// 1. Harm beyond what a guardrail tolerates, by the near end of its confidence sequence, or a
///    broken split of users stops it at once, whatever the step and the day.
/// 2. Otherwise the next step is taken once the step has run its days, every arm has its users,
///    every guardrail has been read in every arm, and the harms to rule out are ruled out.
/// 3. Otherwise it stays.
///
/// A pure function of the state. Because the sequences hold at every look at once, an arm without
/// harm is ever stopped by guardrail g with probability α_g at most, and by the split with
/// probability `SequentialSampleRatio.threshold`.
package struct RampRules: Sendable, Equatable {
  /// Days that every step runs.
  package let minimumDays: Int
  /// Users that every arm needs before a step up.
  package let minimumUsers: Int
  /// What must not be harmed.
  package let guardrails: [Guardrail]

  /// Rules.
  package init(minimumDays: Int, minimumUsers: Int, guardrails: [Guardrail]) {
    self.minimumDays = minimumDays
    self.minimumUsers = minimumUsers
    self.guardrails = guardrails
  }

  /// What to do in `state`.
  package func decision(in state: RampState) -> RampDecision {
    let stops = stopReasons(in: state)
    if !stops.isEmpty { return RampDecision(action: .rollBack, reasons: stops) }
    let waits = waitReasons(in: state)
    if !waits.isEmpty { return RampDecision(action: .stay, reasons: waits) }
    return RampDecision(action: .stepUp(to: state.step + 1), reasons: [.rulesMet])
  }

  private func stopReasons(in state: RampState) -> [RampReason] {
    var reasons: [RampReason] = []
    for guardrail in guardrails {
      for reading in state.readings where reading.metric == guardrail.metric {
        guard let lift = reading.lift else { continue }
        let least = guardrail.harm(of: lift).least
        if least > guardrail.toleratedHarm {
          reasons.append(
            .harm(
              metric: guardrail.metric, arm: reading.arm, leastHarm: least,
              tolerated: guardrail.toleratedHarm))
        }
      }
    }
    if state.sampleRatio.isMismatch {
      reasons.append(.sampleRatioMismatch(pValue: state.sampleRatio.pValue))
    }
    return reasons
  }

  private func waitReasons(in state: RampState) -> [RampReason] {
    var reasons: [RampReason] = []
    if state.step + 1 >= state.steps { reasons.append(.lastStep) }
    if state.daysInStep < minimumDays {
      reasons.append(.tooFewDays(found: state.daysInStep, needed: minimumDays))
    }
    for (arm, users) in state.users.enumerated() where users < minimumUsers {
      reasons.append(.tooFewUsers(arm: arm, found: users, needed: minimumUsers))
    }
    for guardrail in guardrails {
      let readings = state.readings.filter { $0.metric == guardrail.metric }
      if readings.isEmpty { reasons.append(.unread(metric: guardrail.metric, arm: nil)) }
      reasons += readings.compactMap { wait(for: $0, of: guardrail) }
    }
    return reasons
  }

  private func wait(for reading: GuardrailReading, of guardrail: Guardrail) -> RampReason? {
    guard let lift = reading.lift else {
      return .unread(metric: reading.metric, arm: reading.arm)
    }
    guard let limit = guardrail.harmToRuleOut else { return nil }
    let largest = guardrail.harm(of: lift).largest
    guard largest >= limit else { return nil }
    return .harmNotRuledOut(
      metric: reading.metric, arm: reading.arm, largestHarm: largest, toRuleOut: limit)
  }
}
