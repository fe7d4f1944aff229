import DenseKernels
package import NeuralNetworks

/// One round's loss α·R + T and its gradient by the parameters of Q (paper, eq. 10).
package struct FitStep {
  let conservativeWeight: Float
  let discount: Double
  /// ∂(α·R + T)/∂θ, as long as the parameters.
  package private(set) var gradient: [Float]
  /// α·R + T of the last batch.
  package private(set) var loss = 0.0
  /// Mean Q(s, a) of the last batch.
  private(set) var qMean = 0.0
  private var temporalDifference = 0.0
  private var regularizer = 0.0
  private var sums = (squaredError: 0.0, regularizer: 0.0, qMean: 0.0, count: 0.0)
  private var tape = MultilayerPerceptron.Tape()

  /// A step for a network of `parameterCount` parameters; the weight is in scaled rewards.
  package init(conservativeWeight: Double, discount: Double, parameterCount: Int) {
    self.conservativeWeight = Float(conservativeWeight)
    self.discount = discount
    gradient = [Float](repeating: 0, count: parameterCount)
  }

  /// The loss of `q` on `batch`; `target` is Q_k and receives no gradient.
  package mutating func compute(
    q: MultilayerPerceptron, target: MultilayerPerceptron, batch: EvaluationBatch
  ) {
    let count = batch.rewards.count
    // y = r + γ·b·Q_k(s', π_e(s')), [B]
    let nextValues = target(
      Matrix.joiningColumns([batch.nextStates, batch.nextPolicyActions])
    ).values
    let targets = ConservativeLoss.targets(
      rewards: batch.rewards, bootstraps: batch.bootstraps, nextValues: nextValues,
      discount: discount)

    // Q(s, a) in rows 0 ..< B and, for the regulariser, Q(s, π_e(s)) in rows B ..< 2B.
    let logged = Matrix.joiningColumns([batch.states, batch.actions])
    var inputs = logged
    if conservativeWeight > 0 {
      let ours = Matrix.joiningColumns([batch.states, batch.policyActions])
      inputs = Matrix(
        rows: 2 * count, columns: logged.columns, values: logged.values + ours.values)
    }
    q.forward(inputs, tape: &tape)
    let values = Array(tape.output.values[..<count])
    let (squared, slope) = ConservativeLoss.temporalDifference(values: values, targets: targets)
    temporalDifference = squared
    loss = squared
    var outputGradient = slope
    if conservativeWeight > 0 {
      regularizer = ConservativeLoss.regularizer(
        policyValues: Array(tape.output.values[count...]), values: values)
      loss += Double(conservativeWeight) * regularizer  // α·R + T, eq. 10
      let pull = conservativeWeight / Float(count)
      for row in outputGradient.indices { outputGradient[row] -= pull }
      outputGradient += [Float](repeating: pull, count: count)
    }
    qMean = values.reduce(0) { $0 + Double($1) } / Double(count)
    for index in gradient.indices { gradient[index] = 0 }
    _ = q.backward(
      outputGradient: Matrix(rows: inputs.rows, columns: 1, values: outputGradient), tape: tape,
      parameterGradient: &gradient, wantsInputGradient: false)
  }

  /// Takes the last batch into the diagnostics.
  mutating func recordDiagnostics() {
    sums.squaredError += 2 * temporalDifference
    sums.regularizer += regularizer
    sums.qMean += qMean
    sums.count += 1
  }

  /// Means over the recorded batches, in scaled rewards.
  var summary: FitSummary {
    let count = max(1, sums.count)
    return FitSummary(
      temporalDifferenceError: (sums.squaredError / count).squareRoot(),
      regularizer: sums.regularizer / count, qMean: sums.qMean / count)
  }
}

/// How a fit ended, in scaled rewards.
struct FitSummary: Sendable {
  let temporalDifferenceError: Double
  let regularizer: Double
  let qMean: Double
}

/// A fitted Q̂.
struct FittedQ: Sendable {
  /// Q of states [B, S] and actions [B, A], in scaled rewards; [B].
  typealias Values = @Sendable (_ states: Matrix, _ actions: Matrix) -> [Double]

  /// Q of the mean iterates of two stretches of rounds.
  struct Course: Sendable {
    /// The tenth of the rounds before the last.
    let before: Values
    /// The last tenth.
    let last: Values
  }

  let summary: FitSummary
  /// Q̂.
  let values: Values
  /// Where the rounds were going; nil for a fit without rounds.
  var course: Course?
}
