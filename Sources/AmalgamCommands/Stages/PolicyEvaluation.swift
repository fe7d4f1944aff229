import Foundation
import FusionMDP
import OffPolicyEvaluation

/// What logged sessions say that policies are worth, by any estimator.
struct PolicyEvaluation {
  /// What is set before an evaluation (paper, Algorithm 2).
  struct Settings: Codable, Equatable {
    /// K: rounds of a fit.
    var rounds = 5000
    /// m: transitions a round.
    var batchSize = 512
    /// n: initial states.
    var initialStates = 5000
    /// γ.
    var discount = 0.95
    /// Adam's step size.
    var learningRate: Float = 1e-4
    /// Widths of the hidden layers.
    var hidden = [256, 256]
    /// Share of the last rounds whose iterates are averaged.
    var averagedShare = 0.2
    /// α of eq. 10.
    var conservativeWeight = 0.5e-3
    /// Draws of the policy a state.
    var policySamples = 1
    /// Fits on resampled sessions that the interval is made of.
    var fits = 4

    init() {}

    /// The configuration of the estimators.
    func fittedQ(threads: Int) -> FittedQConfiguration {
      var fit = FittedQConfiguration()
      fit.rounds = rounds
      fit.batchSize = batchSize
      fit.initialStates = initialStates
      fit.discount = discount
      fit.learningRate = learningRate
      fit.hidden = hidden
      fit.averagedShare = averagedShare
      fit.policySamples = policySamples
      fit.intervalFits = fits
      fit.threads = threads
      return fit
    }

    /// What is wrong, in words, or nil.
    var problem: String? {
      if !(conservativeWeight >= 0 && conservativeWeight.isFinite) {
        return "conservativeWeight: expected a number of at least 0, found \(conservativeWeight)"
      }
      return fittedQ(threads: 1).problem?.replacing("intervalFits", with: "fits")
    }
  }

  /// The constants.
  let settings: Settings
  /// Fits that run side by side.
  let threads: Int
  /// What is asked of an estimate.
  var floors = EvidenceFloors()
  /// How the intervals of weighted estimators are made.
  var interval = IntervalChoice.bootstrap
  /// How policies without a density of their own are smoothed.
  var bandwidth = KernelBandwidth.automatic
  /// What is independent of each other.
  var clusters = FittedQConfiguration.ResamplingUnit.users
  /// The largest weight of normalized capped importance sampling.
  var cap = EstimatorConfiguration().cap
  /// Parts of the users for cross-fitting.
  var folds = EstimatorConfiguration().folds
  /// Where the densities of the logged actions come from.
  var propensities = BehaviorPropensities.logged
  /// What speaks against these densities, and so against whatever weighs by them, in words.
  var objections: [String] = []

  /// What estimators say of one policy, with all that the release gate needs.
  struct Judged {
    /// What results call the policy.
    let method: String
    /// The sessions, with what the policy would do there.
    let sessions: EvaluationSessions
    /// One an estimator that has one.
    let estimates: [PolicyValueEstimate]
    /// Why others have none, by the estimator's name.
    let failures: [String: String]
    /// Who asked them.
    let evaluation: PolicyEvaluation

    /// What an estimate lacks before anybody may believe it, in words.
    func shortcomings(of estimate: PolicyValueEstimate) -> [String] {
      evaluation.shortcomings(of: estimate, on: sessions)
    }

    /// As results hold them.
    var records: [Estimate] {
      estimates.map { Estimate($0, method: method, shortcomings: shortcomings(of: $0)) }
    }
  }

  /// Evaluates `policy`, called `method` in the result, on test sessions by FQE and the
  /// Conservative-OPEstimator.
  ///
  /// - Throws: as `judge`.
  func estimates(
    of policy: any FusionPolicy, method: String, data: any TransitionSource,
    normalizer: StateNormalizer, seed: UInt64
  ) throws -> [Estimate] {
    try judge(
      policy, method: method, data: data, normalizer: normalizer,
      kinds: [.fittedQ, .conservative], seed: seed
    ).records
  }

  /// Asks estimators about `policy`, called `method` in the result, on test sessions. One that the
  /// log gives nothing to (unknown propensities, no overlap, a single session, which has no interval)
  /// has no estimate and a reason.
  ///
  /// - Throws: `CommandFailure.failure` when the sessions and the policy do not fit or a fit
  ///   diverges; `.interrupted` on Ctrl-C.
  func judge(
    _ policy: any FusionPolicy, method: String, data: any TransitionSource,
    normalizer: StateNormalizer, kinds: [EstimatorKind], seed: UInt64
  ) throws -> Judged {
    let sessions: EvaluationSessions
    do {
      sessions = try self.sessions(of: policy, data: data, normalizer: normalizer, seed: seed)
    } catch let error as EvaluationError {
      throw CommandFailure.failure("\(method): \(error)")
    }
    return try judge(sessions, method: method, kinds: kinds, seed: seed)
  }

  /// Asks estimators about the policy of `sessions`, called `method` in the result.
  ///
  /// - Throws: as the form that makes the sessions.
  func judge(
    _ sessions: EvaluationSessions, method: String, kinds: [EstimatorKind], seed: UInt64
  ) throws -> Judged {
    var found: [PolicyValueEstimate] = []
    var failures: [String: String] = [:]
    for kind in kinds {
      do {
        let estimate = try estimate(kind, of: method, on: sessions, seed: seed)
        if estimate.isFinite {
          found.append(estimate)
        } else {
          failures[kind.rawValue] =
            "\(kind.rawValue): value and interval are no finite numbers "
            + "(\(sessions.sessionCount) logged sessions)"
        }
      } catch let error as EvaluationError where error.isAboutOverlap {
        failures[kind.rawValue] = "\(error)"
      } catch let error as EvaluationError {
        throw CommandFailure.failure("\(method): \(error)")
      }
    }
    return Judged(
      method: method, sessions: sessions, estimates: found, failures: failures, evaluation: self)
  }

  /// The objections in one sentence; nil where there is none.
  private var objection: String? {
    guard let first = objections.first else { return nil }
    return objections.count == 1
      ? first : "\(first), and \(objections.count - 1) more objections to the densities"
  }

  /// What an estimate on `sessions` lacks before anybody may believe it, in words.
  func shortcomings(
    of estimate: PolicyValueEstimate, on sessions: EvaluationSessions
  ) -> [String] {
    estimate.shortcomings(under: floors, on: sessions).map(\.description)
      + (estimate.weights == nil ? [] : objection.map { [$0] } ?? [])
  }

  /// The sessions with what a policy would do there.
  ///
  /// - Throws: `EvaluationError`.
  func sessions(
    of policy: any FusionPolicy, data: any TransitionSource, normalizer: StateNormalizer,
    log: NormalizedLog? = nil, seed: UInt64
  ) throws -> EvaluationSessions {
    try EvaluationSessions(
      policy: policy, data: data, normalizer: normalizer, discount: settings.discount,
      samples: settings.policySamples, propensities: propensities, bandwidth: bandwidth, log: log,
      seed: seed)
  }

  /// One estimator's word on the policy of `sessions`, which progress calls `method`.
  ///
  /// - Throws: `EvaluationError`; `CommandFailure.interrupted` on Ctrl-C.
  func estimate(
    _ kind: EstimatorKind, of method: String, on sessions: EvaluationSessions, seed: UInt64
  ) throws -> PolicyValueEstimate {
    let configuration = estimatorConfiguration
    let estimator = kind.make(configuration)
    return try watched("\(estimator.name) of \(method)", configuration.fittedQ) {
      try estimator.estimate(on: sessions, seed: seed, progress: $0)
    }
  }

  /// The configuration of the estimators.
  private var estimatorConfiguration: EstimatorConfiguration {
    var configuration = EstimatorConfiguration()
    configuration.fittedQ = settings.fittedQ(threads: threads)
    configuration.fittedQ.resampling = clusters
    configuration.conservativeWeight = settings.conservativeWeight
    configuration.cap = cap
    configuration.folds = folds
    configuration.interval = interval.method
    return configuration
  }

  /// What is wrong with what is set beside `settings`, in words, or nil.
  var problem: String? { estimatorConfiguration.problem }

  private func watched(
    _ label: String, _ fit: FittedQConfiguration,
    _ body: (EvaluationProgress) throws -> PolicyValueEstimate
  ) throws -> PolicyValueEstimate {
    let line = ProgressLine(label, total: fit.rounds * (fit.intervalFits + 1))
    let estimate = try body(
      EvaluationProgress { round, rounds, fit in
        guard round.isMultiple(of: 50) else { return }
        try Interruption.shared.check("stopped in off-policy evaluation")
        line.update(fit * rounds + round)
      })
    line.finish()
    return estimate
  }
}

extension EvaluationError {
  /// Whether the log has nothing for this estimator, as it may for others.
  fileprivate var isAboutOverlap: Bool {
    switch self {
    case .unknownPropensities, .noOverlap: true
    default: false
    }
  }
}
