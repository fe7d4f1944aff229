import BatchRL
import DenseKernels
import DurableFiles
import Foundation
import FusionMDP
import SeededRandom
import Testing

@Suite struct TrainingRunTests {
  let source: TrajectoryArrays
  let folder: String

  init() throws {
    KernelThreads.set(1)
    source = try smallSource()
    folder =
      FileManager.default.temporaryDirectory
      .appendingPathComponent("amalgam-training-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }

  private func run(
    _ configuration: TrainingConfiguration = smallTraining(), seed: UInt64 = 5,
    learner: BatchRLMTFConfiguration = smallConfiguration(),
    data: TrajectoryArrays? = nil
  ) throws -> TrainingRun<BatchRLMTF> {
    let data = data ?? source
    return try TrainingRun(
      learner: BatchRLMTF(
        stateSize: 5, actionSize: 3, configuration: learner,
        initializedFrom: RandomStream(seed: seed, name: "learner")),
      source: data, normalizer: StateNormalizer.fit(on: data), configuration: configuration,
      seed: seed)
  }

  /// All bits that a run holds, save for its reports.
  private func bits<Learner>(_ run: TrainingRun<Learner>) -> [Tensor] {
    let replay = run.replay.batch(at: Array(0..<run.replay.count))
    return run.learner.tensors().map(\.1)
      + [replay.states, replay.actions, replay.rewards, replay.nextStates, replay.bootstraps]
      .map { Tensor($0) }
      + [Tensor(run.replay.sourceIndices(of: Array(0..<run.replay.count)).map(Int64.init))]
  }

  @Test("interrupted at any step and resumed, a run ends with the bits of an uninterrupted one")
  func resume() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    #expect(source.transitionCount > 90)  // larger than the buffer, so that the queue moves
    var whole = try run()
    #expect(try whole.run())
    for stop in [1, 6, 13, 19] {
      var first = try run()
      var steps = 0
      let path = folder + "/checkpoint.safetensors"
      let finished = try first.run(
        onCheckpoint: { try TrainingCheckpoint.write($0, to: path) },
        shouldStop: {
          steps += 1
          return steps == stop
        })
      #expect(!finished && first.step == stop)
      var second = try run()
      try TrainingCheckpoint.resume(&second, from: path)
      #expect(second.step == stop && bits(second) == bits(first))
      #expect(try second.run())
      #expect(bits(second) == bits(whole))
      #expect(second.reports == whole.reports)
    }
    #expect(whole.reports.map(\.step) == [6, 12, 18, 20])
  }

  @Test("behavior cloning resumes bit by bit too")
  func resumeCloning() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    func cloning() throws -> TrainingRun<BehaviorCloning> {
      var configuration = BehaviorCloning.Configuration()
      configuration.hidden = [8]
      return try TrainingRun(
        learner: BehaviorCloning(
          stateSize: 5, actionSize: 3, configuration: configuration,
          initializedFrom: RandomStream(seed: 1, name: "learner")),
        source: source, normalizer: StateNormalizer.fit(on: source),
        configuration: smallTraining(), seed: 5)
    }
    var whole = try cloning()
    #expect(try whole.run())
    var first = try cloning()
    for _ in 0..<9 { try first.advance() }
    try TrainingCheckpoint.write(first, to: folder + "/c")
    var second = try cloning()
    try TrainingCheckpoint.resume(&second, from: folder + "/c")
    #expect(try second.run())
    #expect(bits(second) == bits(whole) && second.reports == whole.reports)
  }

  @Test("a checkpoint of another seed, configuration, data or algorithm is refused by name")
  func otherRuns() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let path = folder + "/c"
    try TrainingCheckpoint.write(try run(), to: path)
    func refusal(_ other: TrainingRun<BatchRLMTF>) -> String? {
      var other = other
      do {
        try TrainingCheckpoint.resume(&other, from: path)
        return nil
      } catch TrainingRunError.otherRun(_, let field, _, _) {
        return field
      } catch {
        return "\(error)"
      }
    }
    #expect(refusal(try run()) == nil)
    #expect(refusal(try run(smallTraining(stepCount: 99, threads: 2))) == nil)
    #expect(refusal(try run(seed: 6)) == "seed")
    var batchSize = smallTraining()
    batchSize.batchSize = 36
    #expect(refusal(try run(batchSize)) == "training_configuration")
    #expect(refusal(try run(learner: smallConfiguration(hidden: [16]))) == "learner_configuration")
    #expect(refusal(try run(data: try smallSource(seed: 8))) == "data")
    try DurableFiles.write([1, 2, 3], to: path)
    #expect(refusal(try run())?.contains("not a safetensors file") == true)
  }

  @Test("a full disk while a checkpoint is written leaves the former one")
  func fullDisk() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let path = folder + "/c"
    var training = try run()
    try TrainingCheckpoint.write(training, to: path)
    let before = try DurableFiles.read(path)
    try training.advance()
    let error = #expect(throws: DurableFileError.self) {
      try SimulatedFullDisk.after(bytes: 1000) { try TrainingCheckpoint.write(training, to: path) }
    }
    #expect(error?.isOutOfSpace == true)
    #expect(try DurableFiles.read(path) == before)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["c"])
  }

  @Test("divergence names the transitions of the batch, and empty data stop at once")
  func errors() throws {
    var explosive = smallConfiguration()
    explosive.criticLearningRate = 1e20
    var training = try run(smallTraining(stepCount: 500), learner: explosive)
    let error = #expect(throws: TrainingDivergence.self) { _ = try training.run() }
    let transitions = try #require(error).transitions
    #expect(transitions.count == 37)
    #expect(transitions.allSatisfy { (0..<source.transitionCount).contains($0) })
    #expect(error?.step == training.step)
    #expect(
      try #require(error).description.contains("training diverged at step \(training.step): "))

    let empty = try TrajectoryArrays([], stateSize: 5, actionSize: 3)
    #expect(throws: TrainingRunError.noTransitions) {
      try TrainingRun(
        learner: BatchRLMTF(
          stateSize: 5, actionSize: 3, initializedFrom: RandomStream(seed: 1, name: "learner")),
        source: empty, normalizer: .identity(stateSize: 5), configuration: smallTraining(),
        seed: 1)
    }
    var none = smallTraining()
    none.batchSize = 0
    #expect(throws: TrainingRunError.configuration("batchSize is 0, expected at least 1")) {
      try run(none)
    }
  }

  @Test("a report averages the steps since the last one")
  func averages() throws {
    var training = try run()
    var errors: [Double] = []
    for _ in 0..<6 {
      errors.append(try #require(training.advance().temporalDifferenceError))
    }
    let mean = errors.reduce(0, +) / 6
    let report = try #require(training.reports.first)
    #expect(abs(try #require(report.metrics.temporalDifferenceError) - mean) < 1e-12)
    #expect(report.decisionValues != nil && report.decisions.saturationShare <= 1)
  }
}
