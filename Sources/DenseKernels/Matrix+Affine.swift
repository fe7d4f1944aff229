private import CVectorMath

/// Where a row-major weight matrix lies in a flat parameter vector.
package struct WeightSlice: Sendable, Equatable {
  /// Index of element (0, 0).
  package var offset: Int
  /// Count of rows: the inputs of a layer.
  package var rows: Int
  /// Count of columns: the outputs of a layer.
  package var columns: Int

  /// A slice of rows × columns elements from `offset` on.
  package init(offset: Int, rows: Int, columns: Int) {
    precondition(
      offset >= 0 && rows >= 0 && columns >= 0,
      "no \(rows)×\(columns) weights can lie at \(offset)")
    self.offset = offset
    self.rows = rows
    self.columns = columns
  }

  /// The indices of its elements in the flat vector.
  package var range: Range<Int> { offset..<offset + rows * columns }
}

extension Matrix {
  /// One layer, y = activation(x · W + b).
  ///
  /// Shapes: self x [B, inputs], W [inputs, outputs] at `weight`, b [outputs] from `biasOffset` on,
  /// y [B, outputs].
  package func affine(
    parameters: [Float], weight: WeightSlice, biasOffset: Int, activation: Activation
  ) -> Matrix {
    var output = Matrix(rows: 0, columns: 0)
    affine(
      parameters: parameters, weight: weight, biasOffset: biasOffset, activation: activation,
      into: &output)
    return output
  }

  /// The same, written over `output`; without an allocation when its size fits.
  package func affine(
    parameters: [Float], weight: WeightSlice, biasOffset: Int, activation: Activation,
    into output: inout Matrix
  ) {
    checkShape()
    checkLayer(parameters.count, weight, biasOffset)
    precondition(
      columns == weight.rows, "a layer of \(weight.rows) inputs was given \(columns) columns")
    output.takeShape(rows: rows, columns: weight.columns)
    addProductOfSlices(
      shape: (rows, weight.columns, weight.rows), scale: 1,
      left: values, leftOffset: 0, transposingLeft: false,
      right: parameters, rightOffset: weight.offset, transposingRight: false,
      keeping: 0, to: &output.values, at: 0)
    guard !output.values.isEmpty else { return }
    unsafe parameters.withUnsafeBufferPointer { parameters in
      unsafe output.values.withUnsafeMutableBufferPointer { y in
        guard let parameters = parameters.baseAddress, let y = y.baseAddress else {
          return
        }
        unsafe cvm_bias_activation(
          y, parameters + biasOffset, rows, weight.columns, activation.kernel)
      }
    }
  }

  /// The gradients of one layer z = x · W + b, given ∂L/∂z (see
  /// ``multiplyByDerivative(of:at:)`` for the step from ∂L/∂y to ∂L/∂z).
  ///
  ///     ∂W += xᵀ · ∂z      ∂b += column sums of ∂z      ∂x = ∂z · Wᵀ
  ///
  /// Shapes: `input` x [B, inputs], `outputGradient` ∂z [B, outputs], `parameterGradient` as long as
  /// `parameters`.
  /// - Returns: ∂x [B, inputs], or nil unless `wantsInputGradient`.
  package static func affineBackward(
    input: Matrix, outputGradient: Matrix, parameters: [Float], weight: WeightSlice,
    biasOffset: Int, parameterGradient: inout [Float], wantsInputGradient: Bool
  ) -> Matrix? {
    input.checkShape()
    outputGradient.checkShape()
    checkLayer(parameters.count, weight, biasOffset)
    precondition(
      parameterGradient.count == parameters.count,
      "\(parameterGradient.count) gradients for \(parameters.count) parameters")
    precondition(
      input.columns == weight.rows && outputGradient.columns == weight.columns
        && input.rows == outputGradient.rows,
      """
      a layer of \(weight.rows)×\(weight.columns) was given an input of \
      \(input.rows)×\(input.columns) and a gradient of \
      \(outputGradient.rows)×\(outputGradient.columns)
      """)
    addProductOfSlices(
      shape: (weight.rows, weight.columns, input.rows), scale: 1,
      left: input.values, leftOffset: 0, transposingLeft: true,
      right: outputGradient.values, rightOffset: 0, transposingRight: false,
      keeping: 1, to: &parameterGradient, at: weight.offset)
    addColumnSums(of: outputGradient, to: &parameterGradient, at: biasOffset)
    guard wantsInputGradient else { return nil }
    var inputGradient = Matrix(rows: 0, columns: 0)
    inputGradient.takeShape(rows: input.rows, columns: weight.rows)
    addProductOfSlices(
      shape: (input.rows, weight.rows, weight.columns), scale: 1,
      left: outputGradient.values, leftOffset: 0, transposingLeft: false,
      right: parameters, rightOffset: weight.offset, transposingRight: true,
      keeping: 0, to: &inputGradient.values, at: 0)
    return inputGradient
  }

  /// self ← self ⊙ activation′(z), the derivative computed from `output` = activation(z).
  ///
  /// The derivative of `relu` at 0 is 0. Shapes: both [B, outputs].
  package mutating func multiplyByDerivative(of activation: Activation, at output: Matrix) {
    precondition(
      rows == output.rows && columns == output.columns,
      "a gradient of \(rows)×\(columns) for an output of \(output.rows)×\(output.columns)")
    checkShape()
    output.checkShape()
    guard !values.isEmpty else { return }
    unsafe output.values.withUnsafeBufferPointer { y in
      unsafe values.withUnsafeMutableBufferPointer { dy in
        guard let y = y.baseAddress, let address = dy.baseAddress else { return }
        unsafe cvm_multiply_by_derivative(address, y, dy.count, activation.kernel)
      }
    }
  }
}

private func checkLayer(_ parameterCount: Int, _ weight: WeightSlice, _ biasOffset: Int) {
  precondition(
    weight.range.upperBound <= parameterCount && biasOffset >= 0
      && biasOffset + weight.columns <= parameterCount,
    """
    \(weight.rows)×\(weight.columns) weights at \(weight.offset) with biases at \(biasOffset) \
    do not lie in \(parameterCount) parameters
    """)
}
