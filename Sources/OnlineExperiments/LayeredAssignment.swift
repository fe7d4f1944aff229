import SeededRandom

/// How far an experiment is.
package enum RampStage: Sendable, Equatable {
  /// Nobody takes part: not begun, finished or rolled back.
  case off
  /// The users of the step with this index take part.
  case step(Int)
}

/// A user's place in one layer.
package struct Enrollment: Sendable, Equatable {
  /// Index of the layer in the plan.
  package let layer: Int
  /// Index of the experiment in the layer.
  package let experiment: Int
  /// Index of the arm in the experiment.
  package let arm: Int
}

/// A plan at given stages: who is where, as a pure function of the user.
///
/// A user's position in a layer is a hash salted by the layer's name, the arm a hash salted by
/// the experiment's name:
///
///     enrolled in e  ⇔  lower_e ≤ position(user, layer) < lower_e + share of the step
///     arm = the weights' cut of position(user, experiment)
///
/// So a step adds users and moves none: whoever is enrolled stays, in the same arm, while the
/// steps rise. Turned off and on again, everybody is back where they were.
///
/// A value to be made anew when a stage changes and read by every request; a look-up allocates
/// nothing and takes two hashes.
package struct LayeredAssignment: Sendable {
  /// The plan that is carried out.
  package let plan: ExperimentPlan
  private let layers: [Layer]
  private let exploration: Layer

  private struct Layer {
    let salt: UInt64
    let tenants: [Tenant]

    /// The tenant whose users include `user`.
    func tenant(of user: UInt64) -> Tenant? {
      let position = hashPosition(of: user, salt: salt)
      return tenants.first { position >= $0.lower && position < $0.upper }
    }
  }

  private struct Tenant {
    let index: Int
    let lower: Double
    let upper: Double
    let arms: ExperimentAssignment?
  }

  /// `plan` with each experiment at its stage; an experiment without a stage is off.
  /// - Parameter explores: false stops all exploration at once.
  /// - Throws: `ExperimentError` for a stage of an unknown experiment or an unknown step.
  package init(
    plan: ExperimentPlan, stages: [String: RampStage], explores: Bool = true
  ) throws(ExperimentError) {
    let names = Set(plan.layers.flatMap { $0.experiments.map(\.name) })
    for name in stages.keys.sorted() where !names.contains(name) {
      throw .invalidPlan(
        field: "stages", expected: "one of \(names.sorted())", found: "\"\(name)\"")
    }
    var layers: [Layer] = []
    for layer in plan.layers {
      var tenants: [Tenant] = []
      for (index, experiment) in layer.experiments.enumerated() {
        guard case .step(let step) = stages[experiment.name] ?? .off else { continue }
        guard experiment.steps.indices.contains(step) else {
          throw .invalidPlan(
            field: "stage of experiment \"\(experiment.name)\"",
            expected: "a step in 0..<\(experiment.steps.count)", found: "\(step)")
        }
        tenants.append(
          Tenant(
            index: index, lower: experiment.slice.lower,
            upper: Self.end(of: experiment.slice, share: experiment.steps[step]),
            arms: try ExperimentAssignment(experiment: experiment.name, arms: experiment.arms)))
      }
      layers.append(Layer(salt: Self.salt(layer.name), tenants: tenants))
    }
    let groups = explores ? plan.exploration?.groups ?? [] : []
    self.plan = plan
    self.layers = layers
    self.exploration = Layer(
      salt: Self.salt(plan.exploration?.name ?? ""),
      tenants: groups.enumerated().map { index, group in
        Tenant(
          index: index, lower: group.slice.lower,
          upper: Self.end(of: group.slice, share: group.share), arms: nil)
      })
  }

  /// The place of `user` in a layer, nil when the user takes part in none of its experiments.
  package func enrollment(of user: UInt64, layer: Int) -> Enrollment? {
    guard let tenant = layers[layer].tenant(of: user), let arms = tenant.arms else { return nil }
    return Enrollment(layer: layer, experiment: tenant.index, arm: arms.arm(of: user))
  }

  /// The index of the exploration group of `user`, nil for those who do not explore.
  package func explorationGroup(of user: UInt64) -> Int? {
    exploration.tenant(of: user)?.index
  }

  /// Layers are salted apart from experiments, also where the two have the same name.
  private static func salt(_ layer: String) -> UInt64 {
    stableHash(layer, seed: stableHash("layer"))
  }

  private static func end(of slice: TrafficSlice, share: Double) -> Double {
    min(slice.lower + share, slice.upper)
  }
}
