package import DenseKernels
package import NeuralNetworks
package import SeededRandom

/// The values of some next states: n generated candidates each, perturbed by the target network,
/// the best by the target critics (the max of eq. 7).
///
/// A state's columns go through the first layer of each network once and not once a candidate.
package struct CandidateEvaluation: Sendable {
  /// What the evaluation reads; nothing here gets a gradient.
  package struct Networks: Sendable {
    let generative: ConditionalVAE
    /// P_ω′.
    package let perturbation: MultilayerPerceptron
    /// Q_φ′1 and Q_φ′2.
    package let critics: [MultilayerPerceptron]
    let perturbationBound: Float
    let candidates: Int
    let minimumWeight: Float

    /// G_θ, P_ω′ and both Q_φ′; ρ, n and λ.
    package init(
      generative: ConditionalVAE, perturbation: MultilayerPerceptron,
      critics: [MultilayerPerceptron], perturbationBound: Float, candidates: Int,
      minimumWeight: Float
    ) {
      precondition(critics.count == 2, "\(critics.count) target critics, expected 2")
      self.generative = generative
      self.perturbation = perturbation
      self.critics = critics
      self.perturbationBound = perturbationBound
      self.candidates = candidates
      self.minimumWeight = minimumWeight
    }
  }

  /// States a job, so that the activations of their candidates stay in a core's cache.
  static let rowsPerJob = 32

  /// Which rows of the batch.
  package private(set) var rows: Range<Int>
  /// The number of the job, which names its random stream.
  package private(set) var number: Int
  /// The values of the latest evaluation [rows].
  package private(set) var stateValues: [Float] = []

  /// The sum, over rows and dimensions, of the variance between a state's generated actions.
  private(set) var candidateVariance = 0.0

  private var generated = Matrix(rows: 0, columns: 0)
  private var actions = Matrix(rows: 0, columns: 0)
  private var values: [Matrix] = []
  private var pass = SharedInputPass()

  init(rows: Range<Int>, number: Int) {
    self.rows = rows
    self.number = number
  }

  /// Divides a batch into jobs, in order; jobs that fit keep their memory.
  package static func divide(_ count: Int, into jobs: inout [CandidateEvaluation]) {
    let needed = (count + rowsPerJob - 1) / rowsPerJob
    if jobs.count > needed { jobs.removeLast(jobs.count - needed) }
    for number in 0..<needed {
      let rows = number * rowsPerJob..<min((number + 1) * rowsPerJob, count)
      if number == jobs.count {
        jobs.append(CandidateEvaluation(rows: rows, number: number))
      } else {
        jobs[number].rows = rows
      }
    }
  }

  /// Evaluates the states of this job's rows.
  ///
  /// Shapes: nextStates [B, S]; N = rows · n candidates, those of a state side by side.
  package mutating func evaluate(
    _ nextStates: Matrix, _ networks: Networks, drawingFrom stream: RandomStream
  ) {
    let states = nextStates.rows(rows)
    let n = networks.candidates
    var stream = stream.child("target latents", number)
    let latents = networks.generative.sampledLatents(count: states.rows * n, using: &stream)
    networks.generative.decoder.evaluate(
      shared: states, own: latents, each: n, into: &generated, using: &pass)  // â [N, A]
    networks.perturbation.evaluate(
      shared: states, own: generated, each: n, into: &actions, using: &pass)  // p [N, A]
    PerturbedActions.perturb(
      generated, replacing: &actions, bound: networks.perturbationBound)  // a′ [N, A]
    if values.count != networks.critics.count {
      values = networks.critics.map { _ in Matrix(rows: 0, columns: 0) }
    }
    for (index, critic) in networks.critics.enumerated() {
      critic.evaluate(
        shared: states, own: actions, each: n, into: &values[index], using: &pass)  // [N, 1]
    }
    candidateVariance = Self.variance(generated, each: n)
    stateValues = BootstrapTarget.stateValues(
      firstValues: values[0].values, secondValues: values[1].values, candidates: n,
      minimumWeight: networks.minimumWeight)
  }

  /// The root of the mean variance between the generated actions of a state.
  package static func deviation(_ jobs: [CandidateEvaluation]) -> Double {
    let variance = jobs.reduce(0) { $0 + $1.candidateVariance }
    let count = jobs.reduce(0) { $0 + $1.rows.count * $1.generated.columns }
    return (variance / Double(max(count, 1))).squareRoot()
  }

  /// Σ over groups of n rows and columns of the variance within the group (divisor n).
  package static func variance(_ matrix: Matrix, each n: Int) -> Double {
    var total: Float = 0
    var sums = [Float](repeating: 0, count: matrix.columns)
    var squares = sums
    for group in 0..<matrix.rows / n {
      for column in sums.indices { (sums[column], squares[column]) = (0, 0) }
      for row in group * n..<(group + 1) * n {
        for column in sums.indices {
          let value = matrix.values[row * matrix.columns + column]
          sums[column] += value
          squares[column] += value * value
        }
      }
      for column in sums.indices {
        let mean = sums[column] / Float(n)
        total += max(0, squares[column] / Float(n) - mean * mean)
      }
    }
    return Double(total)
  }
}
