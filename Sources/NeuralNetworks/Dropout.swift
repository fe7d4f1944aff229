package import DenseKernels
package import SeededRandom

/// Inverted dropout of hidden units: each is 0 with probability `rate`, else scaled by
/// 1/(1 − rate), so that the network without masks is the mean of those with.
///
/// Sources: Srivastava et al., "Dropout", JMLR 2014; Gal and Ghahramani, "Dropout as a Bayesian
/// approximation", ICML 2016, for what many masks say of a prediction's uncertainty.
package struct Dropout: Sendable, Equatable {
  /// The probability that a unit is left out, in 0..<1.
  package let rate: Float

  /// Dropout at a rate in 0..<1.
  package init(rate: Float) {
    precondition((0..<1).contains(rate), "a dropout rate of \(rate), expected one in [0, 1)")
    self.rate = rate
  }

  /// A mask of its own for each row: one [count, width] a hidden layer.
  package func masks(
    for shape: MultilayerPerceptron.Shape, count: Int, using stream: inout RandomStream
  ) -> [Matrix] {
    shape.hidden.map { width in
      Matrix(rows: count, columns: width, values: factors(count * width, using: &stream))
    }
  }

  /// The mean and the variance (divisor `samples` − 1) of a network's output over thinned networks,
  /// each of which is used for all rows.
  ///
  /// What the first layer gives is computed once: a mask on a layer's units is one on the rows of
  /// the next layer's weights.
  ///
  /// Shapes: x [B, inputs] → [B] each, for a network of one output.
  package func moments(
    of network: MultilayerPerceptron, at x: Matrix, samples: Int, using stream: inout RandomStream
  ) -> (mean: [Float], variance: [Float]) {
    precondition(
      samples >= 2 && network.shape.outputs == 1 && !network.shape.hidden.isEmpty,
      """
      \(samples) samples of a network with \(network.shape.hidden.count) hidden layers and \
      \(network.shape.outputs) outputs
      """)
    let first = network.shape.hidden[0]
    let tail = network.layout.entries[2].offset
    let hidden = x.affine(
      parameters: network.parameters,
      weight: WeightSlice(offset: 0, rows: x.columns, columns: first),
      biasOffset: network.layout.entries[1].offset, activation: network.shape.hiddenActivation)
    var rest = network.shape
    rest.inputs = first
    rest.hidden.removeFirst()
    var thinned = MultilayerPerceptron(
      shape: rest, parameters: Array(network.parameters[tail...]))
    let whole = thinned.parameters
    var tape = MultilayerPerceptron.Tape()
    var sums = [Double](repeating: 0, count: x.rows)
    var squares = sums
    let reference = thinned(hidden).values
    for _ in 0..<samples {
      thinned.parameters = thinning(whole, of: thinned, using: &stream)
      thinned.forward(hidden, tape: &tape)
      // About the whole network's output, so that large values lose no digits.
      for (row, value) in tape.output.values.enumerated() {
        let difference = Double(value) - Double(reference[row])
        sums[row] += difference
        squares[row] += difference * difference
      }
    }
    let count = Double(samples)
    return (
      sums.indices.map { Float(Double(reference[$0]) + sums[$0] / count) },
      sums.indices.map { Float(max(0, squares[$0] - sums[$0] * sums[$0] / count) / (count - 1)) }
    )
  }

  /// The parameters with the rows of every weight scaled by a mask of its own.
  private func thinning(
    _ parameters: [Float], of network: MultilayerPerceptron, using stream: inout RandomStream
  ) -> [Float] {
    var result = parameters
    for entry in network.layout.entries where entry.shape.count == 2 {
      let columns = entry.shape[1]
      for (row, factor) in factors(entry.shape[0], using: &stream).enumerated() {
        let start = entry.offset + row * columns
        for i in start..<start + columns { result[i] *= factor }
      }
    }
    return result
  }

  private func factors(_ count: Int, using stream: inout RandomStream) -> [Float] {
    let kept = 1 / (1 - rate)
    var result = [Float](repeating: kept, count: count)
    for i in result.indices where Float(stream.uniform()) < rate { result[i] = 0 }
    return result
  }
}
