import FusionMDP
import Testing

@Suite("tasks, scores and bounds")
struct TaskTests {
  @Test("the standard schema has the twelve tasks in the order that weights and files follow")
  func standardSchema() {
    #expect(
      TaskSchema.standard.names == [
        "click", "long_view", "like", "follow", "comment", "forward", "hate", "profile_enter",
        "comment_stay", "finished", "skip", "watch_time",
      ])
    #expect(
      TaskSchema.standard.tasks.filter { $0.polarity == .negative }.map(\.name) == [
        "hate", "skip",
      ])
    #expect(
      TaskSchema.standard.tasks.filter { $0.domain == .seconds }.map(\.name) == ["watch_time"])
    #expect(TaskSchema.standard.index(of: "skip") == 10)
    #expect(TaskSchema.standard.index(of: "unknown") == nil)
  }

  @Test("a schema needs tasks, names, and each name once")
  func schemaErrors() {
    let click = BehaviorTask(name: "click", domain: .probability, polarity: .positive)
    let nameless = BehaviorTask(name: "", domain: .probability, polarity: .positive)
    #expect(throws: FusionError.invalidSchema("there is no task")) { try TaskSchema([]) }
    #expect(throws: FusionError.invalidSchema("task 1 has no name")) {
      try TaskSchema([click, nameless])
    }
    #expect(throws: FusionError.invalidSchema("the task name \"click\" stands twice")) {
      try TaskSchema([click, click])
    }
  }

  static let two: [BehaviorTask] = [
    BehaviorTask(name: "click", domain: .probability, polarity: .positive),
    BehaviorTask(name: "watch_time", domain: .seconds, polarity: .positive),
  ]

  @Test(
    "a score outside its domain is named by item, task, expected and found",
    arguments: [
      (0, Float.nan, "a probability in [0, 1]"), (2, -0.001, "a probability in [0, 1]"),
      (2, 1.001, "a probability in [0, 1]"), (3, -1, "seconds, finite and at least 0"),
      (5, .infinity, "seconds, finite and at least 0"),
      (1, .nan, "seconds, finite and at least 0"),
    ])
  func scoreOutsideDomain(position: Int, value: Float, expected: String) throws {
    let schema = try TaskSchema(Self.two)
    var values: [Float] = [0, 0, 1, 1e6, 0.5, 12]
    _ = try TaskScores(values, schema: schema)
    values[position] = value
    let error = #expect(throws: FusionError.self) { try TaskScores(values, schema: schema) }
    guard case .scoreOutsideDomain(let item, let task, let said, let found) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(item == position / 2)
    #expect(task == schema.names[position % 2])
    #expect(said == expected)
    #expect(found == value || (found.isNaN && value.isNaN))
  }

  @Test("scores that are no whole number of candidates are refused; rows are the candidates")
  func scoreCount() throws {
    let schema = try TaskSchema(Self.two)
    #expect(throws: FusionError.scoreCount(found: 3, tasks: 2)) {
      try TaskScores([0, 0, 0], schema: schema)
    }
    let scores = try TaskScores([0.1, 2, 0.3, 4], schema: schema)
    #expect(scores.candidateCount == 2)
    #expect(scores[1] == [0.3, 4])
    #expect(try TaskScores([], schema: schema).candidateCount == 0)
  }

  @Test("eleven weights for twelve tasks is said in these words")
  func elevenWeights() {
    let bounds = FusionWeightBounds.standard(for: .standard)
    let error = #expect(throws: FusionError.self) {
      try bounds.validate(weights: [Float](repeating: 0, count: 11), schema: .standard)
    }
    #expect(error?.description == "11 weights for 12 tasks")
  }

  @Test("standard bounds are [0, 2], and [−2, 0] for hate and skip")
  func standardBounds() {
    let bounds = FusionWeightBounds.standard(for: .standard)
    #expect(bounds.lower == [0, 0, 0, 0, 0, 0, -2, 0, 0, 0, -2, 0])
    #expect(bounds.upper == [2, 2, 2, 2, 2, 2, 0, 2, 2, 2, 0, 2])
  }

  @Test("normalization is exact at the bounds, affine between, and truncates outside")
  func normalization() throws {
    let schema = try TaskSchema(Self.two)
    let bounds = try FusionWeightBounds(lower: [0.1, -3], upper: [0.7, 1], schema: schema)
    #expect(bounds.normalized([0.1, -3]) == [-1, -1])
    #expect(bounds.normalized([0.7, 1]) == [1, 1])
    #expect(bounds.denormalized([-1, -1]) == [0.1, -3])
    #expect(bounds.denormalized([1, 1]) == [0.7, 1])
    #expect(bounds.denormalized([0, 0.5])[1] == 0)  // −3 + 0.75·4
    #expect(abs(bounds.denormalized([0, 0.5])[0] - 0.4) < 1e-7)
    #expect(bounds.normalized([5, -9]) == [1, -1])
    #expect(bounds.denormalized([5, -9]) == [0.7, -3])
    // Several rows at once.
    #expect(bounds.normalized([0.1, 1, 0.7, -3]) == [-1, 1, 1, -1])
  }

  @Test("there and back again keeps a weight within two units in the last place of its range")
  func roundTrip() throws {
    let bounds = FusionWeightBounds.standard(for: .standard)
    for step in 0...40 {
      let share = Float(step) / 40
      let weights = (0..<12).map {
        bounds.lower[$0] + share * (bounds.upper[$0] - bounds.lower[$0])
      }
      let back = bounds.denormalized(bounds.normalized(weights))
      for (a, b) in zip(weights, back) { #expect(abs(a - b) <= 2 * Float(2).ulp) }
    }
  }

  @Test("bounds must be finite, ordered, and as many as tasks")
  func boundErrors() throws {
    let schema = try TaskSchema(Self.two)
    #expect(throws: FusionError.boundCount(lower: 1, upper: 2, tasks: 2)) {
      try FusionWeightBounds(lower: [0], upper: [1, 1], schema: schema)
    }
    #expect(throws: FusionError.invalidBounds(task: "watch_time", lower: 1, upper: 1)) {
      try FusionWeightBounds(lower: [0, 1], upper: [1, 1], schema: schema)
    }
    #expect(throws: FusionError.invalidBounds(task: "click", lower: 0, upper: .infinity)) {
      try FusionWeightBounds(lower: [0, 0], upper: [.infinity, 1], schema: schema)
    }
    let bounds = try FusionWeightBounds(lower: [0, 0], upper: [1, 1], schema: schema)
    #expect(
      throws: FusionError.weightOutsideBounds(task: "click", lower: 0, upper: 1, found: 1.5)
    ) {
      try bounds.validate(weights: [1.5, 0], schema: schema)
    }
    #expect(throws: FusionError.self) {
      try bounds.validate(weights: [.nan, 0], schema: schema)
    }
    #expect(throws: FusionError.actionOutsideBox(task: "watch_time", found: -1.5)) {
      try bounds.validate(action: [0, -1.5], schema: schema)
    }
    #expect(throws: FusionError.weightCount(found: 3, tasks: 2)) {
      try bounds.validate(action: [0, 0, 0], schema: schema)
    }
  }
}
