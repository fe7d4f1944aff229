extension Matrix {
  /// self ← ∂x = ∂z · Wᵀ of a layer z = x · W + b, without an allocation when the size fits.
  ///
  /// The half of ``affineBackward(input:outputGradient:parameters:weight:biasOffset:parameterGradient:wantsInputGradient:)``
  /// that a network held fixed needs.
  ///
  /// Shapes: `outputGradient` ∂z [B, outputs] → self [B, inputs].
  package mutating func setAffineInputGradient(
    outputGradient: Matrix, parameters: [Float], weight: WeightSlice
  ) {
    outputGradient.checkShape()
    precondition(
      outputGradient.columns == weight.columns && weight.range.upperBound <= parameters.count,
      """
      a gradient of \(outputGradient.columns) columns for \(weight.rows)×\(weight.columns) \
      weights at \(weight.offset) of \(parameters.count) parameters
      """)
    takeShape(rows: outputGradient.rows, columns: weight.rows)
    addProductOfSlices(
      shape: (outputGradient.rows, weight.rows, weight.columns), scale: 1,
      left: outputGradient.values, leftOffset: 0, transposingLeft: false,
      right: parameters, rightOffset: weight.offset, transposingRight: true,
      keeping: 0, to: &values, at: 0)
  }
}
