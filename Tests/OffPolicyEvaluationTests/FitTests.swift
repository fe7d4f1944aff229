import DenseKernels
import FusionMDP
import NeuralNetworks
import OffPolicyEvaluation
import SeededRandom
import Testing

@Suite("One round, and the fit as a whole")
struct FitTests {
  @Test("targets, T and R worked by hand")
  func terms() {
    let targets = ConservativeLoss.targets(
      rewards: [1, 2], bootstraps: [1, 0], nextValues: [4, 100], discount: 0.5)
    #expect(targets == [3, 2])
    // ½·mean (4, 16) = 5; (Q − y)/2.
    let (loss, gradient) = ConservativeLoss.temporalDifference(values: [5, -2], targets: targets)
    #expect(loss == 5)
    #expect(gradient == [1, -2])
    #expect(ConservativeLoss.regularizer(policyValues: [3, 5], values: [5, -2]) == 2.5)
  }

  static func batch(_ stream: inout RandomStream, count: Int = 7) -> EvaluationBatch {
    func matrix(_ columns: Int) -> Matrix {
      Matrix(rows: count, columns: columns, values: stream.gaussians(count * columns))
    }
    return EvaluationBatch(
      states: matrix(3), actions: matrix(2), policyActions: matrix(2),
      rewards: stream.gaussians(count), nextStates: matrix(3), nextPolicyActions: matrix(2),
      bootstraps: (0..<count).map { $0 % 3 == 0 ? 0 : 1 })
  }

  @Test("the gradient of alpha·R + T equals central differences with the target held fixed")
  func gradient() {
    var stream = RandomStream(seed: 5, name: "gradient")
    let batch = Self.batch(&stream)
    let shape = MultilayerPerceptron.Shape(
      inputs: 5, hidden: [6], outputs: 1, hiddenActivation: .tanh)
    let q = MultilayerPerceptron(shape: shape, initializedBy: &stream)
    var step = FitStep(
      conservativeWeight: 0.7, discount: 0.9, parameterCount: q.layout.count)
    step.compute(q: q, target: q, batch: batch)
    let gradient = step.gradient
    for index in gradient.indices {
      var losses: [Double] = []
      for sign in [Float(1), -1] {
        var moved = q
        moved.parameters[index] += sign * 0.01
        step.compute(q: moved, target: q, batch: batch)
        losses.append(step.loss)
      }
      let difference = (losses[0] - losses[1]) / 0.02
      #expect(abs(difference - Double(gradient[index])) < 2e-4, "parameter \(index)")
    }
  }

  @Test("the loss reads the target network")
  func targetIsRead() {
    var stream = RandomStream(seed: 6, name: "target")
    let batch = Self.batch(&stream)
    let shape = MultilayerPerceptron.Shape(inputs: 5, hidden: [6], outputs: 1)
    let q = MultilayerPerceptron(shape: shape, initializedBy: &stream)
    let other = MultilayerPerceptron(shape: shape, initializedBy: &stream)
    var step = FitStep(conservativeWeight: 0, discount: 0.9, parameterCount: q.layout.count)
    step.compute(q: q, target: q, batch: batch)
    let loss = step.loss
    step.compute(q: q, target: other, batch: batch)
    #expect(step.loss != loss)
  }

  /// Two steps, the reward at the second only.
  static func late() throws -> TrajectoryArrays {
    try TrajectoryArrays(
      (0..<40).map {
        Trajectory(
          states: [0, 1], actions: [0, 0], rewards: [0, 4], end: .terminal, userHash: UInt64($0))
      }, stateSize: 1, actionSize: 1)
  }

  static func late(
    _ target: FittedQConfiguration.TargetRule, seed: UInt64 = 1, scale: Float = 1
  ) throws -> PolicyValueEstimate {
    var configuration = ConservatismTests.quick
    configuration.discount = 0.5
    configuration.rounds = 600
    configuration.target = target
    let data = try TrajectoryArrays(
      (0..<40).map {
        Trajectory(
          states: [0, 1], actions: [0, 0], rewards: [0, 4 * scale], end: .terminal,
          userHash: UInt64($0))
      }, stateSize: 1, actionSize: 1)
    return try ConservativeEstimator(
      configuration: configuration, conservativeWeight: 0.5e-3 * Double(scale)
    ).estimate(
      policy: FixedWeightsPolicy(action: [0]), data: data, normalizer: .identity(stateSize: 1),
      seed: seed)
  }

  @Test("the target is a constant, and reads the previous iterate")
  func previousIterate() throws {
    // ½·4; a target that never moves stays with ½·Q_0, the logged mean of 2.
    #expect(abs(try Self.late(.previousIterate).value - 2) < 0.02)
    #expect(abs(try Self.late(.slowCopy(rate: 0.05)).value - 2) < 0.02)
    #expect(abs(try Self.late(.slowCopy(rate: 0)).value - 1) < 0.4)
  }

  @Test("before it has learnt anything, a fit says what the log says")
  func start() throws {
    var configuration = ConservatismTests.quick
    configuration.discount = 0.5
    configuration.rounds = 1
    let estimate = try FittedQEvaluation(configuration: configuration).estimate(
      policy: FixedWeightsPolicy(action: [0]), data: Self.late(),
      normalizer: .identity(stateSize: 1), seed: 1)
    #expect(abs(estimate.value - 2) < 0.5, "\(estimate.value)")
  }

  @Test("an estimate scales with the rewards")
  func scale() throws {
    let one = try Self.late(.previousIterate)
    let eight = try Self.late(.previousIterate, scale: 8)
    #expect(eight.value == 8 * one.value)
    #expect(
      try #require(eight.fit).temporalDifferenceError == 8
        * #require(one.fit).temporalDifferenceError)
  }

  @Test("the same seed gives the same bits, another one others")
  func deterministic() throws {
    #expect(try Self.late(.previousIterate) == Self.late(.previousIterate))
    #expect(
      try Self.late(.previousIterate) != Self.late(.previousIterate, seed: 2))
  }

  @Test("the number of threads changes no bit")
  func threads() throws {
    var configuration = ConservatismTests.quick
    configuration.rounds = 50
    configuration.intervalFits = 4
    func estimate(_ threads: Int) throws -> PolicyValueEstimate {
      configuration.threads = threads
      return try ConservativeEstimator(configuration: configuration).estimate(
        policy: FixedWeightsPolicy(action: [0]), data: Self.late(),
        normalizer: .identity(stateSize: 1), seed: 1)
    }
    let one = try estimate(1)
    #expect(try estimate(3) == one)
    #expect(try estimate(8) == one)
  }

  @Test("a fit that explodes stops with round, loss and bound")
  func divergence() throws {
    var configuration = ConservatismTests.quick
    configuration.threads = 2
    configuration.learningRate = 1e8
    do {
      _ = try FittedQEvaluation(configuration: configuration).estimate(
        policy: FixedWeightsPolicy(action: [0]), data: Self.late(),
        normalizer: .identity(stateSize: 1), seed: 1)
      Issue.record("the fit went on")
    } catch let error as EvaluationError {
      guard case .diverged("fitted Q", let round, _, _, _) = error else {
        Issue.record("\(error)")
        return
      }
      #expect(round < 50)
      #expect(error.description.contains("round \(round)"))
    }
  }

  @Test("a stop asked for in the middle is heard")
  func stops() throws {
    struct Stop: Error {}
    var heard = 0
    #expect(throws: Stop.self) {
      try FittedQEvaluation(configuration: ConservatismTests.quick).estimate(
        policy: FixedWeightsPolicy(action: [0]), data: Self.late(),
        normalizer: .identity(stateSize: 1), seed: 1,
        progress: EvaluationProgress { round, rounds, fit in
          heard += 1
          #expect(round == heard && rounds == 800 && fit == 0)
          if round == 3 { throw Stop() }
        })
    }
    #expect(heard == 3)
  }

  @Test("policies and normalizers that do not fit the data are refused by name")
  func refused() throws {
    let data = try Self.late()
    func sessions(_ policy: any FusionPolicy, stateSize: Int = 1) throws -> EvaluationSessions {
      try EvaluationSessions(
        policy: policy, data: data, normalizer: .identity(stateSize: stateSize), seed: 1)
    }
    #expect(
      throws: EvaluationError.actionSize(policy: "fixed weights", expected: 1, found: 2)
    ) { _ = try sessions(FixedWeightsPolicy(action: [0, 0])) }
    #expect(throws: EvaluationError.stateSize(expected: 1, found: 3)) {
      _ = try sessions(FixedWeightsPolicy(action: [0]), stateSize: 3)
    }
    #expect(
      throws: EvaluationError.invalidAction(
        policy: "proportional", row: 1, dimension: 0, found: 1.5)
    ) { _ = try sessions(ProportionalPolicy(gain: 1.5)) }
    let nothing = try TrajectoryArrays([], stateSize: 1, actionSize: 1)
    #expect(throws: EvaluationError.noSessions) {
      _ = try EvaluationSessions(
        policy: FixedWeightsPolicy(action: [0]), data: nothing,
        normalizer: .identity(stateSize: 1), seed: 1)
    }
  }

  @Test("features that the data cannot tell apart are refused without a ridge")
  func singular() throws {
    #expect(throws: EvaluationError.self) {
      _ = try LinearFittedQ(ridge: 0).estimate(
        policy: FixedWeightsPolicy(action: [0]), data: Self.late(),
        normalizer: .identity(stateSize: 1), seed: 1)
    }
  }
}
