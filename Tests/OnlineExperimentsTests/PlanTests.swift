import OnlineExperiments
import SeededRandom
import Testing

@Suite("Experiments on layers")
struct PlanTests {
  static let arms = [
    ExperimentArm(name: "reference", share: 1), ExperimentArm(name: "treated", share: 1),
  ]
  static let steps = [0.01, 0.05, 0.2, 0.5]

  static func experiment(
    _ name: String, _ lower: Double, _ upper: Double, steps: [Double] = steps,
    arms: [ExperimentArm] = arms
  ) -> RampedExperiment {
    RampedExperiment(name: name, slice: TrafficSlice(lower, upper), arms: arms, steps: steps)
  }

  static func plan(_ first: String = "ranking", _ second: String = "page") throws -> ExperimentPlan
  {
    try ExperimentPlan(
      layers: [
        ExperimentLayer(
          name: first,
          experiments: [
            experiment("\(first)-a", 0, 0.5), experiment("\(first)-b", 0.5, 1),
          ]),
        ExperimentLayer(
          name: second, experiments: [experiment("\(second)-a", 0.2, 0.7)]),
      ],
      exploration: ExplorationLayer(
        name: "exploration of \(first)", cap: 0.1,
        groups: [
          ExplorationGroup(name: "random", slice: TrafficSlice(0, 0.05), share: 0.02),
          ExplorationGroup(name: "mixed", slice: TrafficSlice(0.05, 0.2), share: 0.08),
        ]))
  }

  static func assignment(_ plan: ExperimentPlan, step: Int) throws -> LayeredAssignment {
    let names = plan.layers.flatMap { $0.experiments.map(\.name) }
    return try LayeredAssignment(
      plan: plan, stages: Dictionary(uniqueKeysWithValues: names.map { ($0, .step(step)) }))
  }

  @Test("as steps rise, users come and nobody leaves or changes the arm")
  func monotone() throws {
    let plan = try Self.plan()
    let assignments = try Self.steps.indices.map { try Self.assignment(plan, step: $0) }
    var counts = [Int](repeating: 0, count: Self.steps.count)
    for user in UInt64(0)..<100_000 {
      for layer in 0..<2 {
        let places = assignments.map { $0.enrollment(of: user, layer: layer) }
        for (before, after) in zip(places, places.dropFirst()) where before != nil {
          #expect(before == after)
        }
        guard layer == 1 else { continue }
        for (step, place) in places.enumerated() where place != nil { counts[step] += 1 }
      }
    }
    for (count, share) in zip(counts, Self.steps) {
      let check = SampleRatioCheck(counts: [count, 100_000 - count], shares: [share, 1 - share])
      #expect(!check.isMismatch, "\(count) of 100,000 for \(share)")
    }
  }

  @Test("exploration stays within its shares and stops at once")
  func exploration() throws {
    let plan = try Self.plan()
    let on = try LayeredAssignment(plan: plan, stages: [:])
    let off = try LayeredAssignment(plan: plan, stages: [:], explores: false)
    var counts = [0, 0, 0]
    for user in UInt64(0)..<100_000 {
      counts[on.explorationGroup(of: user) ?? 2] += 1
      #expect(off.explorationGroup(of: user) == nil)
      #expect(on.enrollment(of: user, layer: 0) == nil)  // no stage: off
    }
    #expect(!SampleRatioCheck(counts: counts, shares: [0.02, 0.08, 0.9]).isMismatch)
  }

  /// p-value of independence of two classifications, by Pearson's χ².
  static func independence(_ table: [[Int]]) -> Double {
    let rows = table.map { Double($0.reduce(0, +)) }
    let columns = table[0].indices.map { column in
      Double(table.reduce(0) { $0 + $1[column] })
    }
    let total = rows.reduce(0, +)
    var statistic = 0.0
    for (row, cells) in table.enumerated() {
      for (column, count) in cells.enumerated() {
        let mean = rows[row] * columns[column] / total
        statistic += (Double(count) - mean) * (Double(count) - mean) / mean
      }
    }
    return ChiSquareDistribution.upperTail(
      statistic, degrees: (rows.count - 1) * (columns.count - 1))
  }

  @Test("places in two layers and in exploration are independent: p-values are uniform")
  func independent() throws {
    var between: [Double] = []
    var explorers: [Double] = []
    var arms: [Double] = []
    for pair in 0..<200 {
      let plan = try Self.plan("first \(pair)", "second \(pair)")
      let assignment = try Self.assignment(plan, step: 3)
      // First layer: two experiments of two arms; second: one of two arms, or none.
      var places = [[Int]](repeating: [0, 0, 0], count: 4)
      var exploring = [[Int]](repeating: [0, 0, 0], count: 4)
      for user in UInt64(0)..<5000 {
        let first = try #require(assignment.enrollment(of: user, layer: 0))
        let row = 2 * first.experiment + first.arm
        places[row][assignment.enrollment(of: user, layer: 1)?.arm ?? 2] += 1
        exploring[row][assignment.explorationGroup(of: user) ?? 2] += 1
      }
      between.append(Self.independence(places))
      explorers.append(Self.independence(exploring))
      arms.append(
        SampleRatioCheck(counts: places.map { $0.reduce(0, +) }, shares: [1, 1, 1, 1]).pValue)
    }
    // The .1 % point of Kolmogorov's distribution.
    #expect(CoverageTests.kolmogorov(between) < 1.95)
    #expect(CoverageTests.kolmogorov(explorers) < 1.95)
    #expect(CoverageTests.kolmogorov(arms) < 1.95)
  }

  @Test("a layer and an experiment of the same name have different salts")
  func sameName() throws {
    let plan = try ExperimentPlan(layers: [
      ExperimentLayer(name: "x", experiments: [Self.experiment("x", 0, 1)])
    ])
    let assignment = try LayeredAssignment(plan: plan, stages: ["x": .step(3)])
    var arms = [0, 0]
    for user in UInt64(0)..<20_000 {
      if let place = assignment.enrollment(of: user, layer: 0) { arms[place.arm] += 1 }
    }
    #expect(!SampleRatioCheck(counts: arms, shares: [1, 1]).isMismatch)
  }

  @Test("what cannot be carried out is refused, naming layer, experiment and field")
  func refused() {
    func refuses(_ expected: String, _ experiments: [RampedExperiment]) {
      let error = #expect(throws: ExperimentError.self) {
        try ExperimentPlan(layers: [ExperimentLayer(name: "l", experiments: experiments)])
      }
      #expect(error?.description == expected)
    }
    let place = "layer \"l\", experiment \"a\""
    refuses(
      "layer \"l\", slice of \"b\": expected a start at or after the end 0.5 of \"a\", found 0.4",
      [Self.experiment("b", 0.4, 1), Self.experiment("a", 0, 0.5)])
    refuses(
      "experiment of any layer 1: expected a name of its own, found \"a\"",
      [Self.experiment("a", 0, 0.5), Self.experiment("a", 0.5, 1)])
    refuses(
      "\(place), slice: expected 0 ≤ lower < upper ≤ 1, found 0.5 ..< 1.5",
      [Self.experiment("a", 0.5, 1.5)])
    refuses(
      "\(place), slice: expected 0 ≤ lower < upper ≤ 1, found nan ..< 1.0",
      [Self.experiment("a", .nan, 1)])
    refuses(
      "\(place), steps: expected at least one, found none",
      [
        Self.experiment("a", 0, 1, steps: [])
      ])
    refuses(
      "\(place), step 1: expected a share above 0.2 and at most the slice's 1.0, found 0.1",
      [Self.experiment("a", 0, 1, steps: [0.2, 0.1])])
    refuses(
      "\(place), step 0: expected a share above 0.0 and at most the slice's 0.25, found 0.3",
      [Self.experiment("a", 0.5, 0.75, steps: [0.3])])
    refuses(
      "experiment \"a\": expected at least 2 arms, found 1",
      [Self.experiment("a", 0, 1, arms: [ExperimentArm(name: "reference", share: 1)])])
    #expect(throws: Never.self) {  // 0.7 − 0.2 lies below 0.5 in binary
      try ExperimentPlan(layers: [
        ExperimentLayer(name: "l", experiments: [Self.experiment("a", 0.2, 0.7)])
      ])
    }
  }

  @Test("exploration above its cap, a layer's name twice and unknown stages are refused")
  func refusedElsewhere() throws {
    let layer = ExperimentLayer(name: "l", experiments: [Self.experiment("a", 0, 1)])
    func exploration(_ name: String, cap: Double, share: Double) -> ExplorationLayer {
      ExplorationLayer(
        name: name, cap: cap,
        groups: [
          ExplorationGroup(name: "random", slice: TrafficSlice(0, 0.1), share: share),
          ExplorationGroup(name: "mixed", slice: TrafficSlice(0.1, 0.2), share: 0.05),
        ])
    }
    func refuses(_ field: String, _ exploration: ExplorationLayer) {
      let error = #expect(throws: ExperimentError.self) {
        try ExperimentPlan(layers: [layer], exploration: exploration)
      }
      #expect(error?.description.hasPrefix(field) == true, "\(String(describing: error))")
    }
    refuses(
      "exploration layer \"e\", sum of the groups' shares: expected at most the cap 0.1",
      exploration("e", cap: 0.1, share: 0.06))
    refuses("exploration layer \"e\", cap: ", exploration("e", cap: 1.1, share: 0.05))
    refuses(
      "exploration layer \"e\", group \"random\", share: ", exploration("e", cap: 1, share: 0.11))
    refuses("layer 1: expected a name of its own", exploration("l", cap: 0.1, share: 0.05))
    let plan = try ExperimentPlan(layers: [layer])
    #expect(
      throws: ExperimentError.invalidPlan(
        field: "stages", expected: "one of [\"a\"]", found: "\"b\"")
    ) { try LayeredAssignment(plan: plan, stages: ["b": .off]) }
    #expect(
      throws: ExperimentError.invalidPlan(
        field: "stage of experiment \"a\"", expected: "a step in 0..<4", found: "4")
    ) { try LayeredAssignment(plan: plan, stages: ["a": .step(4)]) }
  }
}
