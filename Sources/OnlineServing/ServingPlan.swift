internal import FusionMDP
package import OnlineExperiments
internal import SeededRandom

/// How the users of one group explore.
package enum ExplorationKind: Sendable, Equatable {
  /// Actions from a Gaussian around the middle of the box (`RandomExploration`).
  case randomActions(deviation: Double)
  /// The policy's action plus noise (`ActionNoiseExploration`, paper, eq. 8).
  case actionNoise(deviation: Double)
  /// The two on two halves of the group's users (`MixedExploration`, paper, section 3.3).
  case mixed(randomDeviation: Double, noiseDeviation: Double, salt: UInt64)

  /// What one user meets, which is never `.mixed`.
  func met(byUser userHash: UInt64) -> ExplorationKind {
    guard case .mixed(let random, let noise, let salt) = self else { return self }
    let middle = RandomExploration(actionSize: 1)
    let mixed = MixedExploration(random: middle, actionNoise: middle, salt: salt)
    return mixed.group(ofUser: userHash) == .random
      ? .randomActions(deviation: random) : .actionNoise(deviation: noise)
  }

  fileprivate var deviations: [Double] {
    switch self {
    case .randomActions(let deviation), .actionNoise(let deviation): [deviation]
    case .mixed(let random, let noise, _): [random, noise]
    }
  }
}

/// Which policy a user meets: experiments on one layer, exploration on another.
///
/// A value; the assignment is made anew when a ramp's stage changes.
package struct ServingPlan: Sendable {
  /// The policy of one arm.
  package struct ArmPolicy: Sendable {
    /// The experiment's name.
    package let experiment: String
    /// The arm's name.
    package let arm: String
    /// What its users meet.
    package let policy: LivePolicy

    /// The policy of one arm.
    package init(experiment: String, arm: String, policy: LivePolicy) {
      self.experiment = experiment
      self.arm = arm
      self.policy = policy
    }
  }

  /// Where a user is.
  struct Place: Sendable {
    /// The experiment, or the layer of exploration.
    var experiment: String?
    /// The arm, or the group.
    var arm: String?
    /// The arm's policy; nil: that which is released.
    var policy: LivePolicy?
    /// How the user explores, if so.
    var exploration: ExplorationKind?
  }

  /// The policies of arms.
  package let policies: [ArmPolicy]
  private let assignment: LayeredAssignment
  private let layer: Int?
  /// The policy of each arm of each experiment of the layer.
  private let arms: [[LivePolicy?]]
  /// How each group explores.
  private let groups: [ExplorationKind]

  /// A plan.
  ///
  /// - Parameters:
  ///   - layer: the layer whose experiments compare policies; nil if there is none.
  ///   - policies: arms without one meet the released policy.
  ///   - exploration: how each group of the exploration layer explores.
  /// - Throws: `OnlineServingError.invalidPlan` for a layer, an experiment, an arm or a group that
  ///   is not there or stands twice, a group without a kind, and a deviation that is none.
  package init(
    assignment: LayeredAssignment, layer: String?, policies: [ArmPolicy] = [],
    exploration: [String: ExplorationKind] = [:]
  ) throws(OnlineServingError) {
    let layers = assignment.plan.layers
    let place = layer.flatMap { name in layers.firstIndex { $0.name == name } }
    if let layer, place == nil {
      throw .invalidPlan(
        field: "layer", expected: "one of \(layers.map(\.name))", found: "\"\(layer)\"")
    }
    let experiments = place.map { layers[$0].experiments } ?? []
    var arms = experiments.map { $0.arms.map { _ in LivePolicy?.none } }
    for entry in policies {
      guard let experiment = experiments.firstIndex(where: { $0.name == entry.experiment }),
        let arm = experiments[experiment].arms.firstIndex(where: { $0.name == entry.arm }),
        arms[experiment][arm] == nil
      else {
        throw .invalidPlan(
          field: "policy \"\(entry.policy.version)\"",
          expected: "an arm of the layer's experiments that has no policy yet",
          found: "experiment \"\(entry.experiment)\", arm \"\(entry.arm)\"")
      }
      arms[experiment][arm] = entry.policy
    }
    self.assignment = assignment
    self.policies = policies
    self.layer = place
    self.arms = arms
    groups = try Self.kinds(exploration, of: assignment.plan.exploration?.groups ?? [])
  }

  private static func kinds(
    _ kinds: [String: ExplorationKind], of groups: [ExplorationGroup]
  ) throws(OnlineServingError) -> [ExplorationKind] {
    let names = groups.map(\.name)
    for name in kinds.keys.sorted() where !names.contains(name) {
      throw .invalidPlan(field: "exploration", expected: "one of \(names)", found: "\"\(name)\"")
    }
    var found: [ExplorationKind] = []
    for name in names {
      let field = "exploration group \"\(name)\""
      guard let kind = kinds[name] else {
        throw .invalidPlan(field: field, expected: "how it explores", found: "nothing")
      }
      for deviation in kind.deviations where !(deviation > 0 && deviation.isFinite) {
        throw .invalidPlan(
          field: field, expected: "a finite deviation above 0", found: "\(deviation)")
      }
      found.append(kind)
    }
    return found
  }

  /// Where a user is. A user who explores does so around the policy of the user's arm, and is
  /// logged under the group.
  func place(ofUser userHash: UInt64, explores: Bool) -> Place {
    var place = Place()
    if let layer, let enrolled = assignment.enrollment(of: userHash, layer: layer) {
      let experiment = assignment.plan.layers[layer].experiments[enrolled.experiment]
      place.experiment = experiment.name
      place.arm = experiment.arms[enrolled.arm].name
      place.policy = arms[enrolled.experiment][enrolled.arm]
    }
    if explores, let layer = assignment.plan.exploration,
      let group = assignment.explorationGroup(of: userHash)
    {
      place.experiment = layer.name
      place.arm = layer.groups[group].name
      place.exploration = groups[group].met(byUser: userHash)
    }
    return place
  }
}
