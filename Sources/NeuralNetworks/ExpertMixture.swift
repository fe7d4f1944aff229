package import DenseKernels

/// The gated mixture of experts of MMoE (Ma et al. 2018) and PLE (Tang et al. 2020):
///
///     g = softmax(gate logits)                       [B, E]
///     y = Σ_e g_e · h_e                              [B, H]
///
/// One set of expert outputs may serve several gates, each over a subset of the experts; the
/// backward pass therefore adds to the experts' gradients.
package enum ExpertMixture {
  /// What the backward pass needs of a forward pass.
  package struct Tape: Sendable {
    /// g [B, E]: how much each member counts in each row.
    package let gates: Matrix
    /// Which experts the columns of the gate stand for.
    package let members: [Int]
  }

  /// The mixture of the experts that a gate chooses from.
  ///
  /// Shapes: gateLogits [B, E], experts each [B, H] → [B, H].
  /// - Parameter members: for each column of the gate the index of its expert; all if nil.
  package static func forward(
    gateLogits: Matrix, experts: [Matrix], members: [Int]? = nil
  ) -> (output: Matrix, tape: Tape) {
    let members = members ?? Array(experts.indices)
    precondition(
      gateLogits.columns == members.count,
      "a gate of \(gateLogits.columns) columns over \(members.count) experts")
    let gates = RowSoftmax.probabilities(gateLogits)
    let (rows, width) = (gateLogits.rows, experts[members[0]].columns)
    var output = Matrix(rows: rows, columns: width)
    for (column, member) in members.enumerated() {
      let expert = experts[member]
      precondition(
        expert.rows == rows && expert.columns == width,
        "expert \(member) is [\(expert.rows), \(expert.columns)], not [\(rows), \(width)]")
      addScaledRows(of: expert, by: gates, column: column, to: &output)
    }
    return (output, Tape(gates: gates, members: members))
  }

  /// Gives ∂L/∂gate logits and adds ∂L/∂h_e to the gradient of each member.
  ///
  /// Shapes: outputGradient [B, H], experts and expertGradients each [B, H] → [B, E].
  package static func backward(
    outputGradient: Matrix, tape: Tape, experts: [Matrix], expertGradients: inout [Matrix]
  ) -> Matrix {
    precondition(
      expertGradients.count == experts.count,
      "\(expertGradients.count) gradients for \(experts.count) experts")
    let (rows, width) = (outputGradient.rows, outputGradient.columns)
    precondition(
      rows == tape.gates.rows && width == experts[tape.members[0]].columns,
      "a gradient [\(rows), \(width)] for a mixture of another shape")
    var gateGradient = Matrix(rows: rows, columns: tape.members.count)  // ∂L/∂g_e = ∂L/∂y · h_e
    for (column, member) in tape.members.enumerated() {
      addScaledRows(
        of: outputGradient, by: tape.gates, column: column, to: &expertGradients[member])
      let dots = rowDots(outputGradient, experts[member])
      for row in 0..<rows { gateGradient[row, column] = dots[row] }
    }
    return RowSoftmax.backward(probabilities: tape.gates, gradient: gateGradient)
  }

  /// sum[b, :] += factors[b, column] · matrix[b, :]
  private static func addScaledRows(
    of matrix: Matrix, by factors: Matrix, column: Int, to sum: inout Matrix
  ) {
    precondition(sum.rows == matrix.rows && sum.columns == matrix.columns)
    let width = matrix.columns
    for row in 0..<matrix.rows {
      let factor = factors[row, column]
      for i in (row * width)..<((row + 1) * width) {
        sum.values[i] += factor * matrix.values[i]
      }
    }
  }

  /// Σ_h a[b, h] · b[b, h] of each row.
  private static func rowDots(_ a: Matrix, _ b: Matrix) -> [Float] {
    let width = a.columns
    var dots = [Float](repeating: 0, count: a.rows)
    for row in 0..<a.rows {
      var sum: Float = 0
      for i in (row * width)..<((row + 1) * width) { sum += a.values[i] * b.values[i] }
      dots[row] = sum
    }
    return dots
  }
}
