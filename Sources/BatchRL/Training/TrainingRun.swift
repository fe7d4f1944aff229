import DenseKernels
package import FusionMDP
import SeededRandom

/// A learner, the data that pass through its replay buffer, and how far it has come.
///
/// A step draws a batch, hands it to the learner, then feeds the buffer (see `TransitionFeed`).
/// All that a step draws comes from streams named after the seed and the step's number, so a run
/// that goes on from a checkpoint gives the same bits as one that was never interrupted.
package struct TrainingRun<Learner: BatchLearner>: Sendable {
  /// The learner after `step` steps.
  package private(set) var learner: Learner
  /// The steps done.
  package private(set) var step = 0
  /// The reports so far.
  package private(set) var reports: [TrainingReport] = []
  /// How it is trained.
  package let configuration: TrainingConfiguration
  /// The seed of everything that is drawn.
  package let seed: UInt64
  /// The data.
  package let source: any TransitionSource
  /// What the learner's states went through.
  package let normalizer: StateNormalizer
  /// The buffer that batches are drawn from.
  package private(set) var replay: ReplayBuffer

  private(set) var feed: TransitionFeed
  private(set) var average = MetricsAverage()

  /// A run before its first step.
  ///
  /// - Throws: `TrainingRunError.noTransitions` on a source without any, at once.
  package init(
    learner: Learner, source: any TransitionSource, normalizer: StateNormalizer,
    configuration: TrainingConfiguration, seed: UInt64
  ) throws(TrainingRunError) {
    guard source.transitionCount > 0 else { throw TrainingRunError.noTransitions }
    if let problem = configuration.problem { throw TrainingRunError.configuration(problem) }
    precondition(
      source.stateSize == learner.stateSize && source.actionSize == learner.actionSize
        && normalizer.stateSize == learner.stateSize,
      """
      a learner of sizes \(learner.stateSize), \(learner.actionSize) on data of sizes \
      \(source.stateSize), \(source.actionSize), states normalized over \(normalizer.stateSize)
      """)
    self.learner = learner
    self.learner.threads = configuration.threads
    self.source = source
    self.normalizer = normalizer
    self.configuration = configuration
    self.seed = seed
    feed = TransitionFeed(
      count: source.transitionCount, capacity: configuration.replayCapacity,
      perStep: configuration.transitionsFedPerStep)
    replay = ReplayBuffer(
      capacity: min(configuration.replayCapacity, source.transitionCount),
      stateSize: source.stateSize, actionSize: source.actionSize)
    put(Array(feed.initialIndices()))
  }

  /// Whether all steps are done.
  package var isFinished: Bool { step >= configuration.stepCount }

  /// Steps until all are done or `shouldStop` says so, which is asked after every step.
  ///
  /// - Parameters:
  ///   - onReport: called after every `reportInterval` steps and the last.
  ///   - onCheckpoint: called after every `checkpointInterval` steps, and at the end or stop.
  /// - Returns: whether all steps are done.
  /// - Throws: `TrainingDivergence`, and what the closures throw.
  package mutating func run(
    onReport: (TrainingReport) throws -> Void = { _ in },
    onCheckpoint: (TrainingRun<Learner>) throws -> Void = { _ in },
    shouldStop: () -> Bool = { false }
  ) throws -> Bool {
    // The threads work on different jobs; more of them inside a product would be in their way.
    let kernelThreads = KernelThreads.count
    KernelThreads.set(1)
    defer { KernelThreads.set(kernelThreads) }
    while !isFinished {
      try advance()
      if let report = reports.last, report.step == step { try onReport(report) }
      let stops = shouldStop()
      if stops || isFinished || step.isMultiple(of: configuration.checkpointInterval) {
        try onCheckpoint(self)
      }
      if stops { break }
    }
    return isFinished
  }

  /// One step.
  ///
  /// - Throws: `TrainingDivergence` with the transitions of the batch; the run is then over.
  @discardableResult
  package mutating func advance() throws(TrainingDivergence) -> StepMetrics {
    step += 1
    let stream = RandomStream(seed: seed, name: "training").child("step", step)
    var batchStream = stream.child("batch")
    let numbers = replay.sample(configuration.batchSize, using: &batchStream)
    let batch = replay.batch(at: numbers)
    let metrics: StepMetrics
    do {
      metrics = try learner.step(batch, number: step, drawingFrom: stream.child("learner"))
    } catch {
      var divergence = error
      divergence.transitions = replay.sourceIndices(of: numbers)
      throw divergence
    }
    average.add(metrics)
    if step.isMultiple(of: configuration.reportInterval) || isFinished {
      report(on: batch, drawingFrom: stream.child("report"))
    }
    put(feed.nextIndices())
    return metrics
  }

  /// The policy learnt so far.
  package func policy() -> any FusionPolicy { learner.policy(normalizer: normalizer) }

  private mutating func put(_ indices: [Int]) {
    let chunk = 4096  // bounds the memory of one reading
    for start in stride(from: 0, to: indices.count, by: chunk) {
      let part = Array(indices[start..<min(start + chunk, indices.count)])
      var batch = source.batch(at: part)
      batch.states = normalizer.normalized(batch.states)
      batch.nextStates = normalizer.normalized(batch.nextStates)
      replay.append(batch, from: part)
    }
  }

  private mutating func report(on batch: TransitionBatch, drawingFrom stream: RandomStream) {
    guard let metrics = average.take() else { return }
    // The batch is normalized: the identity leaves it as it is.
    let policy = learner.policy(normalizer: .identity(stateSize: batch.stateSize))
    var stream = stream
    let decided = policy.decide(
      PolicyRequests(
        states: batch.states, stateSize: batch.stateSize,
        userHashes: [UInt64](repeating: 0, count: batch.count)), using: &stream)
    let values = learner.values(states: batch.states, actions: decided.actions)
    reports.append(
      TrainingReport(
        step: step, metrics: metrics, decisionValues: values.map { ValueStatistics($0) },
        decisions: ActionStatistics(actions: decided.actions, logged: batch.actions)))
  }

  /// Takes over what a checkpoint stored, and refills the replay buffer from the source.
  mutating func resume(at progress: TrainingCheckpoint.Progress, learner: Learner) {
    self.learner = learner
    self.learner.threads = configuration.threads
    step = progress.step
    reports = progress.reports
    average = progress.average
    let contents = feed.contents(fedCount: progress.fedCount)
    feed.resume(fedCount: progress.fedCount)
    replay = ReplayBuffer(
      capacity: replay.capacity, stateSize: replay.stateSize, actionSize: replay.actionSize)
    put(contents)
  }
}

/// Why a run cannot begin or go on.
package enum TrainingRunError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The data hold no transition.
  case noTransitions
  /// A setting is out of its range.
  case configuration(String)
  /// A checkpoint was made with something else than the run that is to go on from it.
  case otherRun(path: String, field: String, expected: String, found: String)

  /// The error in one sentence for people.
  package var description: String {
    switch self {
    case .noTransitions: "the training data hold no transition"
    case .configuration(let problem): "training configuration: \(problem)"
    case .otherRun(let path, let field, let expected, let found):
      "\(path): the checkpoint is of another run: \(field) is \(found), expected \(expected)"
    }
  }
}
