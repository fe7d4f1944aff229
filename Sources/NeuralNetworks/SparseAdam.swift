/// `Adam` over the rows of an embedding, of which a step moves only those with a gradient.
///
/// A row that a batch does not touch keeps its vector and its moments. The bias correction
/// counts the steps *of the row*, so a row's first step has the length of the learning rate
/// whenever it comes; PyTorch's `SparseAdam` counts all steps, which makes the first step of a
/// rare row up to 3 times as long. When every step touches every row, the result is Adam's.
package struct SparseAdam: Sendable, Equatable {
  /// The step size.
  package var learningRate: Float
  /// The length of a vector.
  package let dimension: Int
  /// m [rows, dimension].
  package private(set) var firstMoment: [Float]
  /// v [rows, dimension].
  package private(set) var secondMoment: [Float]
  /// t of each row.
  package private(set) var stepCounts: [Int32]

  /// An optimizer before its first step.
  package init(rows: Int, dimension: Int, learningRate: Float) {
    let zeros = [Float](repeating: 0, count: rows * dimension)
    self.init(
      learningRate: learningRate, dimension: dimension, firstMoment: zeros, secondMoment: zeros,
      stepCounts: [Int32](repeating: 0, count: rows))
  }

  /// An optimizer as a checkpoint stored it.
  package init(
    learningRate: Float, dimension: Int, firstMoment: [Float], secondMoment: [Float],
    stepCounts: [Int32]
  ) {
    precondition(
      firstMoment.count == stepCounts.count * dimension
        && secondMoment.count == firstMoment.count,
      """
      \(firstMoment.count) first and \(secondMoment.count) second moments for \
      [\(stepCounts.count), \(dimension)]
      """)
    self.learningRate = learningRate
    self.dimension = dimension
    self.firstMoment = firstMoment
    self.secondMoment = secondMoment
    self.stepCounts = stepCounts
  }

  /// One step of the rows that have a gradient.
  ///
  /// - Parameter parameters: the table's, row-major.
  package mutating func step(_ parameters: inout [Float], gradient: EmbeddingGradient) {
    precondition(
      parameters.count == firstMoment.count && gradient.dimension == dimension,
      """
      sparse Adam for \(firstMoment.count) parameters of dimension \(dimension) was given \
      \(parameters.count) of dimension \(gradient.dimension)
      """)
    let (decay1, share1) = (Float(Adam.firstDecay), Float(1 - Adam.firstDecay))
    let (decay2, share2) = (Float(Adam.secondDecay), Float(1 - Adam.secondDecay))
    let epsilon = Float(Adam.epsilon)
    for (slot, row) in gradient.touchedRows.enumerated() {
      stepCounts[row] += 1
      let corrections = Adam.biasCorrections(step: Int(stepCounts[row]))
      let rate = Float(Double(learningRate) / corrections.first)
      let correction = Float(corrections.second)
      for j in 0..<dimension {
        let (i, slope) = (row * dimension + j, gradient.values[slot * dimension + j])
        let first = decay1 * firstMoment[i] + share1 * slope
        let second = decay2 * secondMoment[i] + share2 * slope * slope
        firstMoment[i] = first
        secondMoment[i] = second
        parameters[i] -= rate * first / ((second / correction).squareRoot() + epsilon)
      }
    }
  }
}
