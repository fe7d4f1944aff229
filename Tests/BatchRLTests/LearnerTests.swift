import BatchRL
import DenseKernels
import DurableFiles
import Foundation
import FusionMDP
import SeededRandom
import Testing

/// What holds of every learner.
@Suite struct LearnerTests {
  let source: TrajectoryArrays
  let batch: TransitionBatch
  let root = RandomStream(seed: 3, name: "LearnerTests")

  init() throws {
    KernelThreads.set(1)
    source = try smallSource()
    let count = source.transitionCount
    batch = source.batch(at: (0..<41).map { $0 * 3 % count })
  }

  private func learner(
    _ kind: EveryLearner, steps: Int = 5, _ settings: EveryLearner.Settings = .init()
  ) throws -> any BatchLearner {
    var learner = kind.make(stateSize: 5, actionSize: 3, settings, from: root)
    for number in 0..<steps {
      _ = try learner.step(batch, number: number + 1, drawingFrom: root.child("step", number))
    }
    return learner
  }

  /// A copy with the tensors of these names changed.
  private func changing(
    _ learner: any BatchLearner, _ matches: (String) -> Bool
  ) throws -> any BatchLearner {
    let tensors = Dictionary(uniqueKeysWithValues: learner.tensors())
    var copy = learner
    try copy.load { name in
      let tensor = try #require(tensors[name])
      guard matches(name) else { return tensor }
      return Tensor(try tensor.floats().map { $0 * 1.05 + 0.05 }, shape: tensor.shape)
    }
    return copy
  }

  private func stepped(
    _ learner: any BatchLearner
  ) throws -> (losses: [String: Double], learner: any BatchLearner) {
    var learner = learner
    let metrics = try learner.step(batch, number: 6, drawingFrom: root.child("step", 6))
    let pairs = metrics.losses.map { ($0.name, $0.value) }
    return (Dictionary(uniqueKeysWithValues: pairs), learner)
  }

  /// A network and the losses that read it. An actor's loss is taken after the critics' step in TD3
  /// and CQL+SAC, so that it reads what that step read.
  private static let readers: [(EveryLearner, String, [String])] =
    [EveryLearner.td3, .td3BC, .uwacTD3].flatMap {
      [
        ($0, "actor", ["actor"]), ($0, "actor.target", ["critic_1", "critic_2", "actor"]),
        ($0, "critic1", ["critic_1", "actor"]), ($0, "critic2", ["critic_2"]),
        ($0, "critic1.target", ["critic_1", "critic_2", "actor"]),
        ($0, "critic2.target", ["critic_1", "critic_2", "actor"]),
      ]
    } + [
      (.cqlSAC, "actor", ["actor", "entropy", "penalty", "critic_1", "critic_2"]),
      (.cqlSAC, "critic1", ["critic_1", "penalty", "actor"]),
      (.cqlSAC, "critic2", ["critic_2", "penalty", "actor"]),
      (.cqlSAC, "critic1.target", ["critic_1", "critic_2", "actor"]),
      (.cqlSAC, "critic2.target", ["critic_1", "critic_2", "actor"]),
      (.iql, "actor", ["actor"]),
      (.iql, "state_value", ["state_value", "actor", "critic_1", "critic_2"]),
      (.iql, "critic1", ["critic_1"]), (.iql, "critic2", ["critic_2"]),
      (.iql, "critic1.target", ["state_value", "actor", "critic_1", "critic_2"]),
      (.iql, "critic2.target", ["state_value", "actor", "critic_1", "critic_2"]),
      (.behaviorCloning, "policy", ["cloning"]),
    ]

  @Test("no network is dead: changing it changes exactly the losses that read it")
  func deadNetworks() throws {
    for (kind, network, readers) in Self.readers {
      let trained = try learner(kind)
      let before = try stepped(trained).losses
      let after = try stepped(changing(trained) { $0.hasPrefix(network + ".layer") }).losses
      let moved = Set(before.keys.filter { before[$0] != after[$0] })
      #expect(moved == Set(readers), "\(kind) \(network)")
    }
    for (kind, name, reader) in [
      (EveryLearner.cqlSAC, "log_temperature", "actor"), (.iql, "log_deviations", "actor"),
    ] {
      let trained = try learner(kind)
      let (before, after) = (
        try stepped(trained).losses, try stepped(changing(trained) { $0 == name }).losses
      )
      #expect(before[reader] != after[reader], "\(kind) \(name)")
    }
  }

  @Test(
    "every moment of an optimizer matters to the step after it", arguments: EveryLearner.allCases)
  func optimizers(kind: EveryLearner) throws {
    var settings = EveryLearner.Settings()
    settings.conservatism = 1
    let trained = try learner(kind, settings)
    let after = Dictionary(uniqueKeysWithValues: try stepped(trained).learner.tensors())
    let moments = trained.tensors().map(\.0).filter {
      $0.hasSuffix("_moment") && !$0.hasPrefix("log_conservatism")  // not learnt by default
    }
    #expect(!moments.isEmpty)
    for name in moments {
      let owner = String(name.prefix { $0 != "." })
      let changed = try stepped(try changing(trained) { $0 == name }).learner.tensors()
      let different = changed.filter { after[$0.0] != $0.1 && !$0.0.hasSuffix("_moment") }
      #expect(different.contains { $0.0.hasPrefix(owner) }, "\(kind) \(name)")
    }
  }

  @Test(
    "a learnt conservatism grows while the penalty is above its threshold, and falls below it",
    arguments: [(Float(0), true), (50, false)])
  func learntConservatism(threshold: Float, grows: Bool) throws {
    var configuration = CQLSACConfiguration()
    configuration.hidden = [16]
    configuration.sampledActions = 3
    configuration.conservatism = 1
    configuration.learnsConservatism = true
    configuration.penaltyThreshold = threshold
    var learner = CQLSAC(
      stateSize: 5, actionSize: 3, configuration: configuration, initializedFrom: root)
    for number in 1...30 {
      let metrics = try learner.step(
        batch, number: number, drawingFrom: root.child("step", number))
      let penalty = try #require(metrics.loss("penalty"))
      #expect((penalty > Double(threshold)) == grows)
    }
    let logarithm = try #require(learner.tensors().first { $0.0 == "log_conservatism" })
    #expect(try (logarithm.1.floats()[0] > 0) == grows)
  }

  @Test("the number of threads changes no bit", arguments: EveryLearner.allCases)
  func threads(kind: EveryLearner) throws {
    var one = try learner(kind, steps: 0)
    var three = one
    three.threads = 3
    for number in 1...6 {
      let first = try one.step(batch, number: number, drawingFrom: root.child("step", number))
      let second = try three.step(batch, number: number, drawingFrom: root.child("step", number))
      #expect(first == second)
    }
    #expect(one.tensors().map(\.1) == three.tensors().map(\.1))
  }

  @Test("interrupted and resumed, a run ends with the same bits", arguments: EveryLearner.allCases)
  func resume(kind: EveryLearner) throws {
    let path = FileManager.default.temporaryDirectory
      .appendingPathComponent("amalgam-learner-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    func check<Learner: BatchLearner>(_ learner: Learner) throws {
      func run() throws -> TrainingRun<Learner> {
        try TrainingRun(
          learner: learner, source: source, normalizer: StateNormalizer.fit(on: source),
          configuration: smallTraining(), seed: 5)
      }
      var whole = try run()
      #expect(try whole.run())
      var first = try run()
      for _ in 0..<9 { try first.advance() }
      try TrainingCheckpoint.write(first, to: path)
      var second = try run()
      try TrainingCheckpoint.resume(&second, from: path)
      #expect(try second.run())
      #expect(second.learner.tensors().map(\.1) == whole.learner.tensors().map(\.1))
      #expect(second.reports == whole.reports)
    }
    try check(try learner(kind, steps: 0))
  }

  @Test("a NaN in the data stops training by name", arguments: EveryLearner.allCases)
  func notANumber(kind: EveryLearner) throws {
    var broken = batch
    broken.states[7] = .nan
    var trained = try learner(kind)
    let error = #expect(throws: TrainingDivergence.self) {
      try trained.step(broken, number: 6, drawingFrom: root)
    }
    #expect(error?.step == 6 && error?.quantity.isEmpty == false)
    guard kind != .behaviorCloning else { return }
    broken = batch
    broken.rewards[3] = .infinity
    trained = try learner(kind)
    #expect(throws: TrainingDivergence.self) {
      try trained.step(broken, number: 6, drawingFrom: root)
    }
  }

  @Test(
    "values beyond what returns can be stop training",
    arguments: EveryLearner.allCases.filter { $0 != .behaviorCloning })
  func explosion(kind: EveryLearner) throws {
    var settings = EveryLearner.Settings()
    settings.learningRate = 30
    settings.explosionFactor = 2
    let error = #expect(throws: TrainingDivergence.self) {
      _ = try learner(kind, steps: 300, settings)
    }
    if error?.quantity == "|Q|" { #expect((error?.value ?? 0) > (error?.bound ?? .infinity)) }
  }

  @Test("settings out of their range are named")
  func settings() {
    var td3 = TD3Configuration()
    #expect(td3.problem == nil)
    td3.policyDelay = 0
    #expect(td3.problem == "policyDelay is 0, expected a number in 1...10000")
    var cloning = TD3BCConfiguration()
    #expect(cloning.problem == nil)
    cloning.td3.discount = 1
    #expect(cloning.problem == "td3.discount is 1.0, expected a number in [0, 1)")
    cloning.td3.discount = 0
    cloning.valueWeight = -1
    #expect(cloning.problem == "valueWeight is -1.0, expected a number of at least 0")
    var uncertain = UWACTD3Configuration()
    #expect(uncertain.problem == nil)
    uncertain.dropoutRate = 1
    #expect(uncertain.problem == "dropoutRate is 1.0, expected a number in [0, 1)")
    uncertain.dropoutRate = 0.1
    uncertain.dropoutSamples = 1
    #expect(uncertain.problem == "dropoutSamples is 1, expected a number in 2...10000")
    uncertain.dropoutSamples = 2
    uncertain.td3.hidden = []
    #expect(uncertain.problem == "td3.hidden is [], expected at least 1 layer")
    var conservative = CQLSACConfiguration()
    #expect(conservative.problem == nil)
    conservative.conservatism = 0
    #expect(conservative.problem == nil)
    conservative.learnsConservatism = true
    #expect(conservative.problem == "conservatism is 0.0, expected a number above 0")
    var implicit = IQLConfiguration()
    #expect(implicit.problem == nil)
    implicit.expectile = 1.5
    #expect(implicit.problem == "expectile is 1.5, expected a number in [0, 1]")
    implicit = IQLConfiguration()
    implicit.largestWeight = 0
    #expect(implicit.problem == "largestWeight is 0.0, expected a number above 0")
  }
}
