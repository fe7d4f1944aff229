import BatchRL
import DenseKernels
import DurableFiles
import FusionMDP
import NeuralNetworks
import SeededRandom
import Testing

@Suite struct BatchRLMTFTests {
  let batch: TransitionBatch
  let root = RandomStream(seed: 3, name: "BatchRLMTFTests")

  init() throws {
    KernelThreads.set(1)
    let source = try smallSource()
    batch = source.batch(at: (0..<41).map { $0 * 3 % source.transitionCount })
  }

  private func learner(
    steps: Int = 5, _ configuration: BatchRLMTFConfiguration = smallConfiguration()
  ) throws -> BatchRLMTF {
    var learner = BatchRLMTF(
      stateSize: 5, actionSize: 3, configuration: configuration, initializedFrom: root)
    for number in 0..<steps {
      _ = try learner.step(batch, number: number + 1, drawingFrom: root.child("step", number))
    }
    return learner
  }

  /// A copy with the tensors of these names changed.
  private func changing(
    _ learner: BatchRLMTF, _ matches: (String) -> Bool
  ) throws -> BatchRLMTF {
    let tensors = Dictionary(uniqueKeysWithValues: learner.tensors())
    var copy = learner
    try copy.load { name in
      guard let tensor = tensors[name] else {
        throw DurableFileError.missingTensor(path: "", name: name, found: [])
      }
      guard matches(name) else { return tensor }
      return Tensor(try tensor.floats().map { $0 * 1.05 + 0.05 }, shape: tensor.shape)
    }
    return copy
  }

  private func stepped(_ learner: BatchRLMTF) throws -> (losses: [String: Double], BatchRLMTF) {
    var learner = learner
    let metrics = try learner.step(batch, number: 6, drawingFrom: root.child("step", 6))
    let pairs = metrics.losses.map { ($0.name, $0.value) }
    return (Dictionary(uniqueKeysWithValues: pairs), learner)
  }

  @Test(
    "no network is dead: changing it changes exactly the losses that read it",
    arguments: [
      ("generative.encoder", ["reconstruction", "divergence"]),
      ("generative.decoder", ["reconstruction"]),
      ("perturbation", ["perturbation"]), ("perturbation.target", ["critic_1", "critic_2"]),
      ("critic1", ["critic_1", "perturbation"]), ("critic2", ["critic_2"]),
      ("critic1.target", ["critic_1", "critic_2"]), ("critic2.target", ["critic_1", "critic_2"]),
    ])
  func deadNetworks(network: String, readers: [String]) throws {
    // Generous candidates, so that each target critic is the smaller one somewhere.
    let trained = try learner()
    let before = try stepped(trained).losses
    let changed = try changing(trained) { $0.hasPrefix(network + ".layer") }
    let after = try stepped(changed).losses
    var moved = Set(before.keys.filter { before[$0] != after[$0] })
    // A step of G moves what is generated after it, hence every later loss.
    if network.hasPrefix("generative") {
      #expect(moved.isSuperset(of: ["perturbation", "critic_1", "critic_2"]))
      moved.subtract(["perturbation", "critic_1", "critic_2"])
    }
    #expect(moved == Set(readers))
  }

  @Test("every moment and step count of an optimizer matters to the step after it")
  func optimizers() throws {
    let trained = try learner()
    let after = Dictionary(uniqueKeysWithValues: try stepped(trained).1.tensors())
    let networks = [
      "generative.encoder", "generative.decoder", "perturbation", "critic1", "critic2",
    ]
    for network in networks {
      for moment in ["first_moment", "second_moment"] {
        let name = "\(network).optimizer.\(moment)"
        let changed = try stepped(try changing(trained) { $0 == name }).1
        let different = changed.tensors().filter { after[$0.0] != $0.1 }.map(\.0)
        #expect(different.contains("\(network).layer0.weight"), "\(name)")
        #expect(different.allSatisfy { $0.hasPrefix(network) || network.hasPrefix("gen") })
      }
    }
  }

  @Test("eq. 5 trains the perturbation alone: the decoder and the critics get no gradient from it")
  func gradientsStop() throws {
    let trained = try learner()
    let after = Dictionary(uniqueKeysWithValues: try stepped(trained).1.tensors())
    let changed = try stepped(try changing(trained) { $0.hasPrefix("critic1.layer") }).1
    let same = changed.tensors().filter { after[$0.0] == $0.1 }.map(\.0)
    #expect(same.contains("generative.decoder.layer0.weight"))
    #expect(same.contains("generative.encoder.layer0.weight"))
    #expect(same.contains("critic2.layer0.weight"))
    #expect(!same.contains("perturbation.layer0.weight"))
  }

  @Test("slow copies move by η every L steps and stand still between")
  func softUpdates() throws {
    var configuration = smallConfiguration()
    configuration.softUpdateInterval = 3
    configuration.softUpdateRate = 0.25
    var learner = try learner(steps: 0, configuration)
    func weights(_ name: String) throws -> [Float] {
      let tensor = try #require(learner.tensors().first { $0.0 == name })
      return try tensor.1.floats()
    }
    for network in ["perturbation", "critic1", "critic2"] {
      #expect(
        try weights("\(network).layer0.weight") == weights("\(network).target.layer0.weight"))
    }
    for number in 1...6 {
      let before = try weights("critic2.target.layer1.weight")
      _ = try learner.step(batch, number: number, drawingFrom: root.child("step", number))
      let after = try weights("critic2.target.layer1.weight")
      let online = try weights("critic2.layer1.weight")
      if number % 3 == 0 {
        for i in after.indices {
          #expect(abs(after[i] - (0.25 * online[i] + 0.75 * before[i])) < 1e-6)
        }
        #expect(after != before)
      } else {
        #expect(after == before)
      }
    }
  }

  @Test("the number of threads changes no bit")
  func threads() throws {
    var one = try learner(steps: 0)
    var three = one
    three.threads = 3
    for number in 1...6 {
      let first = try one.step(batch, number: number, drawingFrom: root.child("step", number))
      let second = try three.step(batch, number: number, drawingFrom: root.child("step", number))
      #expect(first == second)
    }
    #expect(one.tensors().map(\.1) == three.tensors().map(\.1))
  }

  @Test("sharing the first layer among candidates gives what plain networks give")
  func sharedCandidates() throws {
    var stream = root
    let model = ConditionalVAE(
      shape: .init(stateSize: 5, actionSize: 3, hidden: [9, 7]), initializedBy: &stream)
    func network(_ outputs: Int, _ activation: Activation) -> MultilayerPerceptron {
      MultilayerPerceptron(
        shape: .init(inputs: 8, hidden: [9, 7, 6], outputs: outputs, outputActivation: activation),
        initializedBy: &stream)
    }
    let networks = CandidateEvaluation.Networks(
      generative: model, perturbation: network(3, .tanh),
      critics: [network(1, .identity), network(1, .identity)], perturbationBound: 0.15,
      candidates: 4, minimumWeight: 0.75)
    let states = Matrix(rows: 77, columns: 5, values: stream.gaussians(77 * 5))
    var jobs: [CandidateEvaluation] = []
    CandidateEvaluation.divide(77, into: &jobs)
    #expect(jobs.map(\.rows) == [0..<32, 32..<64, 64..<77])
    var deviation: [Float] = []
    for index in jobs.indices {
      let number = jobs[index].number
      jobs[index].evaluate(states, networks, drawingFrom: root)
      // The reference: every row repeated, every network whole.
      let repeated = states.rows(jobs[index].rows).repeatingRows(4)
      var latents = root.child("target latents", number)
      let generated = model.sample(states: repeated, using: &latents)
      let moved = PerturbedActions.perturbed(
        generated, by: networks.perturbation(.joiningColumns([repeated, generated])), bound: 0.15)
      let inputs = Matrix.joiningColumns([repeated, moved])
      let expected = BootstrapTarget.stateValues(
        firstValues: networks.critics[0](inputs).values,
        secondValues: networks.critics[1](inputs).values, candidates: 4, minimumWeight: 0.75)
      deviation += zip(jobs[index].stateValues, expected).map { abs($0 - $1) }
    }
    #expect(deviation.count == 77 && deviation.allSatisfy { $0 < 1e-5 })
    CandidateEvaluation.divide(33, into: &jobs)
    #expect(jobs.map(\.rows) == [0..<32, 32..<33])
    let variance = CandidateEvaluation.variance(
      Matrix(rows: 4, columns: 1, values: [1, 3, 5, 5]), each: 2)
    #expect(variance == 1)
  }

  @Test("a NaN in the data stops with the loss, a huge reward scale does not")
  func divergence() throws {
    var broken = batch
    broken.states[7] = .nan
    var learner = try learner()
    let error = #expect(throws: TrainingDivergence.self) {
      try learner.step(broken, number: 6, drawingFrom: root)
    }
    #expect(error?.step == 6 && error?.quantity == "reconstruction loss")
    broken = batch
    broken.rewards[3] = .infinity
    learner = try self.learner()
    #expect(throws: TrainingDivergence.self) {
      try learner.step(broken, number: 6, drawingFrom: root)
    }
    broken = batch
    broken.rewards = broken.rewards.map { $0 * 1000 }
    learner = try self.learner()
    _ = try learner.step(broken, number: 6, drawingFrom: root)
  }

  @Test("values beyond what returns can be stop with their size and bound")
  func explosion() throws {
    var configuration = smallConfiguration()
    configuration.criticLearningRate = 30
    configuration.explosionFactor = 2
    let error = #expect(throws: TrainingDivergence.self) {
      try self.learner(steps: 200, configuration)
    }
    #expect(error?.quantity == "|Q|")
    let largest = try #require(batch.rewards.map { abs($0) }.max())
    let bound = try #require(error?.bound)
    #expect(abs(bound - 2 * Double(largest) / 0.05) < 1e-3 * bound)
    #expect((error?.value ?? 0) > bound)
  }

  @Test("settings out of their range are named")
  func settings() {
    #expect(BatchRLMTFConfiguration().problem == nil)
    var configuration = BatchRLMTFConfiguration()
    configuration.discount = 1
    #expect(configuration.problem == "discount is 1.0, expected a number in [0, 1)")
    configuration = BatchRLMTFConfiguration()
    configuration.criticLearningRate = .nan
    #expect(configuration.problem?.hasPrefix("criticLearningRate is nan") == true)
    configuration = BatchRLMTFConfiguration()
    configuration.hidden = [8, 0]
    #expect(configuration.problem?.hasPrefix("hidden is [8, 0]") == true)
  }
}
