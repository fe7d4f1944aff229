/// A part of a layer's users: those whose position under the layer's salt lies in
/// [lower, upper).
package struct TrafficSlice: Sendable, Equatable {
  /// First position, 0 … 1.
  package let lower: Double
  /// End of the positions, above `lower`, at most 1.
  package let upper: Double
  /// Share of all users.
  package var width: Double { upper - lower }

  /// The positions [lower, upper).
  package init(_ lower: Double, _ upper: Double) {
    self.lower = lower
    self.upper = upper
  }
}

/// An experiment that takes its users step by step.
package struct RampedExperiment: Sendable, Equatable {
  /// Name; it salts the hash that picks the arm, so it is used for one experiment only.
  package let name: String
  /// The users of the layer that are reserved for it.
  package let slice: TrafficSlice
  /// Arms and their weights. The reference is an arm like the others: all arms grow together,
  /// so that at any time they have users who entered on the same days in the same proportions.
  package let arms: [ExperimentArm]
  /// Shares of **all** users that take part at each step, rising, at most the slice's width.
  package let steps: [Double]

  /// An experiment; it is checked as part of a plan.
  package init(name: String, slice: TrafficSlice, arms: [ExperimentArm], steps: [Double]) {
    self.name = name
    self.slice = slice
    self.arms = arms
    self.steps = steps
  }
}

/// Experiments that share no user.
package struct ExperimentLayer: Sendable, Equatable {
  /// Name; it salts the position of a user.
  package let name: String
  /// Experiments on slices that do not overlap.
  package let experiments: [RampedExperiment]

  /// A layer; it is checked as part of a plan.
  package init(name: String, experiments: [RampedExperiment]) {
    self.name = name
    self.experiments = experiments
  }
}

/// Users whose weights are drawn by one exploration policy.
package struct ExplorationGroup: Sendable, Equatable {
  /// What the group is called.
  package let name: String
  /// The users that are reserved for it.
  package let slice: TrafficSlice
  /// Share of all users that explore, at most the slice's width.
  package let share: Double

  /// A group; it is checked as part of a plan.
  package init(name: String, slice: TrafficSlice, share: Double) {
    self.name = name
    self.slice = slice
    self.share = share
  }
}

/// The layer of exploration: a salt of its own, so that explorers are spread evenly over the
/// arms of every experiment.
package struct ExplorationLayer: Sendable, Equatable {
  /// Name; it salts the position of a user.
  package let name: String
  /// Largest share of all users that may explore.
  package let cap: Double
  /// Groups on slices that do not overlap.
  package let groups: [ExplorationGroup]

  /// A layer; it is checked as part of a plan.
  package init(name: String, cap: Double, groups: [ExplorationGroup]) {
    self.name = name
    self.cap = cap
    self.groups = groups
  }
}

/// Several experiments at once, checked.
///
/// Within a layer a user is in one experiment at most. Between layers a user's places are
/// independent, so that each experiment sees the others' arms in equal parts in all its own.
/// (Overlapping experiments on layers: Tang, Agarwal, O'Brien and Meyer, KDD 2010.)
package struct ExperimentPlan: Sendable, Equatable {
  /// The layers of experiments.
  package let layers: [ExperimentLayer]
  /// The layer of exploration, if there is one.
  package let exploration: ExplorationLayer?

  /// A plan.
  /// - Throws: `ExperimentError` naming the layer, experiment and field that is wrong.
  package init(
    layers: [ExperimentLayer], exploration: ExplorationLayer? = nil
  ) throws(ExperimentError) {
    self.layers = layers
    self.exploration = exploration
    let names = layers.map(\.name) + (exploration.map { [$0.name] } ?? [])
    try Self.checkNames(names, of: "layer")
    try Self.checkNames(
      layers.flatMap { $0.experiments.map(\.name) }, of: "experiment of any layer")
    for layer in layers { try Self.check(layer) }
    if let exploration { try Self.check(exploration) }
  }

  /// Slack for shares such as 0.7 − 0.2, which is not 0.5 in binary.
  private static let rounding = 1e-9

  private static func checkNames(_ names: [String], of what: String) throws(ExperimentError) {
    var seen = Set<String>()
    for (index, name) in names.enumerated() where name.isEmpty || !seen.insert(name).inserted {
      throw .invalidPlan(
        field: "\(what) \(index)", expected: "a name of its own", found: "\"\(name)\"")
    }
  }

  private static func check(_ layer: ExperimentLayer) throws(ExperimentError) {
    let place = "layer \"\(layer.name)\""
    for experiment in layer.experiments {
      let field = "\(place), experiment \"\(experiment.name)\""
      try check(experiment.slice, field)
      _ = try ExperimentAssignment(experiment: experiment.name, arms: experiment.arms)
      guard !experiment.steps.isEmpty else {
        throw .invalidPlan(field: "\(field), steps", expected: "at least one", found: "none")
      }
      var last = 0.0
      for (index, step) in experiment.steps.enumerated() {
        guard step > last, step <= experiment.slice.width + rounding else {
          throw .invalidPlan(
            field: "\(field), step \(index)",
            expected: "a share above \(last) and at most the slice's \(experiment.slice.width)",
            found: "\(step)")
        }
        last = step
      }
    }
    try checkOverlaps(layer.experiments.map { ($0.name, $0.slice) }, in: place)
  }

  private static func check(_ layer: ExplorationLayer) throws(ExperimentError) {
    let place = "exploration layer \"\(layer.name)\""
    guard layer.cap >= 0, layer.cap <= 1 else {
      throw .invalidPlan(field: "\(place), cap", expected: "0 … 1", found: "\(layer.cap)")
    }
    try checkNames(layer.groups.map(\.name), of: "\(place), group")
    for group in layer.groups {
      let field = "\(place), group \"\(group.name)\""
      try check(group.slice, field)
      guard group.share >= 0, group.share <= group.slice.width + rounding else {
        throw .invalidPlan(
          field: "\(field), share", expected: "0 … the slice's \(group.slice.width)",
          found: "\(group.share)")
      }
    }
    let sum = layer.groups.reduce(0) { $0 + $1.share }
    guard sum <= layer.cap + rounding else {
      throw .invalidPlan(
        field: "\(place), sum of the groups' shares", expected: "at most the cap \(layer.cap)",
        found: "\(sum)")
    }
    try checkOverlaps(layer.groups.map { ($0.name, $0.slice) }, in: place)
  }

  private static func check(_ slice: TrafficSlice, _ field: String) throws(ExperimentError) {
    guard slice.lower >= 0, slice.upper <= 1, slice.lower < slice.upper else {
      throw .invalidPlan(
        field: "\(field), slice", expected: "0 ≤ lower < upper ≤ 1",
        found: "\(slice.lower) ..< \(slice.upper)")
    }
  }

  private static func checkOverlaps(
    _ slices: [(name: String, slice: TrafficSlice)], in place: String
  ) throws(ExperimentError) {
    let ordered = slices.sorted { $0.slice.lower < $1.slice.lower }
    for (left, right) in zip(ordered, ordered.dropFirst())
    where right.slice.lower < left.slice.upper {
      throw .invalidPlan(
        field: "\(place), slice of \"\(right.name)\"",
        expected: "a start at or after the end \(left.slice.upper) of \"\(left.name)\"",
        found: "\(right.slice.lower)")
    }
  }
}
