import DenseKernels
import DurableFiles
import NeuralNetworks
import SeededRandom

/// Two critics Q_φ1 and Q_φ2 of the same shape, each with its slow copy and its optimizer (paper,
/// eqs 6 and 7).
struct TwinCritics: Sendable {
  /// Q_φ1 and Q_φ2.
  private(set) var trainers: [CriticTrainer]

  init(
    stateSize: Int, actionSize: Int, hidden: [Int], learningRate: Float,
    initializedFrom stream: RandomStream
  ) {
    trainers = (0..<2).map {
      CriticTrainer(
        stateSize: stateSize, actionSize: actionSize, hidden: hidden, learningRate: learningRate,
        initializedFrom: stream.child("critic", $0))
    }
  }

  /// Q_φ1, which policies are improved by and which reports show.
  var first: CriticTrainer { trainers[0] }
  /// Q_φ′1 and Q_φ′2.
  var targets: [MultilayerPerceptron] { trainers.map(\.target) }

  /// One step of min_φj Σ (y − Q_φj(s, a))² for both, and of what the objective adds to it.
  ///
  /// - Throws: `TrainingDivergence` when a loss is not finite.
  mutating func update(
    _ objective: CriticTrainer.Objective, step: Int, threads: Int
  ) throws(TrainingDivergence) {
    ParallelJobs.run(&trainers, threads: threads) { $0.update(objective) }
    for (index, trainer) in trainers.enumerated() {
      try TrainingDivergence.check(trainer.loss, "critic \(index + 1) loss", step: step)
    }
  }

  /// min_j Q_φ′j at each row.
  ///
  /// Shapes: stateActions [B, S + A] → [B].
  func targetValues(at stateActions: Matrix) -> [Float] {
    BootstrapTarget.stateValues(
      firstValues: targets[0](stateActions).values, secondValues: targets[1](stateActions).values,
      candidates: 1, minimumWeight: 1)
  }

  mutating func softUpdate(rate: Float) {
    for index in trainers.indices { trainers[index].softUpdate(rate: rate) }
  }

  /// The losses of the latest update.
  var losses: [StepMetrics.NamedLoss] {
    trainers.enumerated().map { .init("critic_\($0 + 1)", $1.loss) }
  }

  /// Q_φ1.
  ///
  /// Shapes: states [B·S], actions [B·A] → [B].
  func values(states: [Float], actions: [Float], stateSize: Int) -> [Float] {
    let count = states.count / stateSize
    return first.network(
      Matrix.joiningColumns([
        Matrix(rows: count, columns: stateSize, values: states),
        Matrix(rows: count, columns: actions.count / max(count, 1), values: actions),
      ])
    ).values
  }

  func tensors() -> [(String, Tensor)] {
    trainers.enumerated().flatMap { $1.tensors("critic\($0 + 1)") }
  }

  mutating func load(_ stored: (String) throws -> Tensor) throws {
    for index in trainers.indices { try trainers[index].load("critic\(index + 1)", stored) }
  }
}
