package import FusionMDP
package import PolicyArtifacts

/// What all that a service serves has in common: one log holds its decisions, one store its users.
///
/// A policy of other tasks, another formula, other bounds or another state needs a service of its
/// own, for the numbers in its log would mean something else.
package struct ServingContract: Sendable, Equatable {
  /// Tasks, formula and the bounds of the weights.
  package let fusion: FusionDefinition
  /// Builds the states.
  package let encoder: StateEncoder

  /// A contract.
  package init(fusion: FusionDefinition, encoder: StateEncoder) {
    self.fusion = fusion
    self.encoder = encoder
  }

  /// Checks that a policy can be served.
  /// - Throws: `OnlineServingError.unfitPolicy`.
  func check(_ live: LivePolicy) throws(OnlineServingError) {
    func fail(_ field: String, _ expected: String, _ found: String) -> OnlineServingError {
      .unfitPolicy(version: live.version, field: field, expected: expected, found: found)
    }
    if live.version.isEmpty || live.version.contains("+") {
      throw fail("version", "a name without \"+\"", "\"\(live.version)\"")
    }
    let count = fusion.schema.count
    if live.policy.actionSize != count {
      throw fail("action", "\(count) weights", "\(live.policy.actionSize)")
    }
    if let other = live.fusion, other != fusion {
      let what =
        other.schema != fusion.schema
        ? ("tasks", "\(fusion.schema.names)", "\(other.schema.names)")
        : other.formula != fusion.formula
          ? ("formula", "\(fusion.formula)", "\(other.formula)")
          : ("bounds", "\(fusion.bounds)", "\(other.bounds)")
      throw fail(what.0, what.1, what.2)
    }
    if let size = live.stateSize, size != encoder.stateSize {
      throw fail("state", "\(encoder.stateSize) features", "\(size)")
    }
    if let other = live.encoder, other != encoder {
      throw fail("state_encoder", "the definition of the service's states", "another one")
    }
  }
}

/// A policy that can be served, and the name that its decisions carry.
package struct LivePolicy: Sendable {
  /// The version, for logs.
  package let version: String
  /// Decides.
  package let policy: any FusionPolicy
  /// What it was made for, where it says so.
  let fusion: FusionDefinition?
  let encoder: StateEncoder?
  let stateSize: Int?

  /// A policy of the registry.
  package init(version: String, artifact: PolicyArtifact) {
    self.version = version
    policy = artifact.policy
    fusion = artifact.manifest.fusion
    encoder = artifact.manifest.stateEncoder
    stateSize = artifact.manifest.sizes.state
  }

  /// A policy of the program's own that reads any state.
  package init(version: String, policy: any FusionPolicy) {
    self.version = version
    self.policy = policy
    fusion = nil
    encoder = nil
    stateSize = nil
  }
}

/// The weights that rank where the policy cannot: the same for every user and request.
package struct StaticWeights: Sendable, Equatable {
  /// The name that its decisions carry, before the reason.
  package let version: String
  /// The normalized action [K].
  package let action: [Float]
  /// The weights [K] that it stands for.
  package let weights: [Float]

  /// Weights within the bounds of `fusion`.
  ///
  /// Shapes: `action` [K] in [−1, 1].
  /// - Throws: `OnlineServingError.unfitPolicy`.
  package init(
    version: String, action: [Float], fusion: FusionDefinition
  ) throws(OnlineServingError) {
    do {
      weights = try fusion.weights(forAction: action)
    } catch {
      throw .unfitPolicy(
        version: version, field: "action", expected: "\(fusion.schema.count) numbers in [-1, 1]",
        found: error.description)
    }
    self.version = version
    self.action = action
  }
}
