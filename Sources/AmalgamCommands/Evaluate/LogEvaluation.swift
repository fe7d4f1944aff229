import FusionMDP
import OffPolicyEvaluation
import PolicyArtifacts
import TrajectoryPreparation

/// Policies estimated from logged test sessions: what `evaluate --data` does.
struct LogEvaluation {
  typealias Found = EvaluateCommand.Found
  /// A policy and what results call it.
  typealias Named = (name: String, artifact: PolicyArtifact)

  private let settings: EvaluateCommand.Settings
  private let source: TrajectoryShards
  private let normalizer: StateNormalizer
  private let findings: [DataFinding]
  private let propensities: JudgedPropensities
  private let policies: [Found.Policy]
  private var evaluation: PolicyEvaluation

  /// Checks the sessions and, where asked, fits the densities of their actions.
  ///
  /// - Parameter named: all policies that will be asked about, references too; rewards are held against
  ///   those of their training data.
  /// - Throws: `CommandFailure`, of usage where a policy reads other states or gives other actions than
  ///   the sessions have; `PreparationError.shards`.
  init(
    of source: TrajectoryShards, policies named: [Named], settings: EvaluateCommand.Settings
  ) throws {
    self.settings = settings
    self.source = source
    policies = try named.map { name, artifact in
      try artifact.manifest.check(
        name, states: source.stateSize, actions: source.actionSize, of: source.folder)
      // States of as many numbers may still be others.
      if let own = artifact.manifest.stateEncoder?.definition,
        let other = source.manifest.stateDefinition, own != other
      {
        throw CommandFailure.usage(
          "\(source.folder): expected states by the definition that policy \(name) reads, found those of "
            + "another one, or of one that was fitted to other data (Docs/StateEncoder.md)")
      }
      return Found.Policy(method: name, manifestSHA256: artifact.manifestSHA256 ?? "")
    }
    normalizer = StateNormalizer.fit(on: source)
    findings = DataChecks.run(
      on: source,
      facts: try DataChecks.Facts(
        of: source, expecting: named.map(\.artifact),
        largestRewardRatio: settings.gate.largestRewardRatio))
    propensities =
      switch settings.propensities {
      case .logged: JudgedPropensities(logged: findings)
      case .fitted:
        try JudgedPropensities(
          fittedTo: source, called: source.folder, normalizer: normalizer, settings: settings)
      }
    evaluation = settings.policyEvaluation
    evaluation.propensities = propensities.propensities
    evaluation.objections = propensities.found.objections
  }

  /// Findings that forbid the use of the sessions, whatever the estimator.
  private var forbidding: [String] {
    findings.filter { $0.severity == .error && $0.check != .propensities }.map(\.summary)
  }

  /// Each policy by each estimator.
  ///
  /// - Throws: `CommandFailure`.
  func evaluated(_ policies: [Named]) throws -> Found {
    try found(
      policies.map { name, artifact in
        try evaluation.judge(
          artifact.makePolicy(), method: name, data: source, normalizer: normalizer,
          kinds: settings.estimators, seed: settings.seed)
      })
  }

  /// A policy beside its reference, and the gate's verdict.
  ///
  /// - Throws: `CommandFailure`.
  func judged(_ policy: Named, against reference: ReleaseReference) throws -> Found {
    let kinds = (settings.estimators + settings.gate.estimators).withoutRepeats
    let own = (name: policy.name, policy: policy.artifact.makePolicy() as any FusionPolicy)
    var others: [(name: String, policy: any FusionPolicy)] = []
    if case .policy(let name, let artifact) = reference {
      others = [(name, artifact.makePolicy())]
    }
    let judged = try judge([own] + others, by: kinds)
    let decision = ReleaseDecision(
      settings: settings.gate, evaluation: evaluation, data: source, normalizer: normalizer,
      seed: settings.seed, dataFindings: forbidding)
    var found = try found(judged)
    found.gate = try decision.decide(
      own.policy, judged[0], against: others.isEmpty ? nil : (others[0].policy, judged[1]))
    return found
  }

  /// Judges policies that are compared: whoever needs smoothing is smoothed by the same bandwidth, the
  /// largest that one of them asks for, so that its bias is much the same in both.
  private func judge(
    _ policies: [(name: String, policy: any FusionPolicy)], by kinds: [EstimatorKind]
  ) throws -> [PolicyEvaluation.Judged] {
    var sessions = try policies.map { name, policy in
      do {
        return try evaluation.sessions(
          of: policy, data: source, normalizer: normalizer, seed: settings.seed)
      } catch let error as EvaluationError {
        throw CommandFailure.failure("\(name): \(error)")
      }
    }
    // Where densities are unknown nothing weighs, and each estimator says so.
    if kinds.contains(where: \.needsPropensities), settings.bandwidth == .automatic,
      let widest = sessions.compactMap({ try? $0.bandwidthInUse() }).max()
    {
      sessions = sessions.map { $0.smoothed(by: .fixed(widest)) }
    }
    return try zip(policies, sessions).map { policy, sessions in
      try evaluation.judge(sessions, method: policy.name, kinds: kinds, seed: settings.seed)
    }
  }

  private func found(_ judged: [PolicyEvaluation.Judged]) throws -> Found {
    let logged: LoggedValue
    do {
      logged = try LoggedValue(of: source, discount: settings.evaluation.discount)
    } catch {
      throw CommandFailure.failure("\(source.folder): \(error)")
    }
    var estimates = judged.flatMap(\.records)
    if !forbidding.isEmpty {
      for index in estimates.indices {
        estimates[index].evidence = .notEnough
        estimates[index].shortcomings = forbidding + (estimates[index].shortcomings ?? [])
      }
    }
    let failures = judged.flatMap { policy in
      policy.failures.values.sorted().map { "\(policy.method): \($0)" }
    }
    return Found(
      data: source.folder, sessions: source.sessionCount, transitions: source.transitionCount,
      loggedReturn: logged.value, truncatedShare: logged.truncatedShare, seed: settings.seed,
      policies: policies, findings: findings, propensities: propensities.found,
      estimates: estimates,
      failures: failures.isEmpty ? nil : failures)
  }
}

extension PolicyManifest {
  /// Refuses states and actions of other sizes than the policy's.
  ///
  /// - Throws: `CommandFailure.usage` naming `place`, the policy as `name`, what was expected and found.
  func check(_ name: String, states: Int, actions: Int, of place: String) throws {
    let own = sizes
    for (what, expected, found) in [
      ("states", own.state ?? states, states), ("actions", own.action, actions),
    ] where expected != found {
      throw CommandFailure.usage(
        "\(place): expected \(what) of \(expected) numbers, which policy \(name) is made for, found "
          + "\(found)")
    }
  }
}
