private import CVectorMath

extension Matrix {
  /// One layer over groups of n rows whose inputs differ in some columns only:
  ///
  ///     y[b·n + i] = activation(x[b·n + i] · W + shared[b])
  ///
  /// `shared` is the part of the sum that a group has in common, its bias included; computing it
  /// once a group saves (n − 1)/n of its work.
  ///
  /// Shapes: self x [B·n, own inputs], W [own inputs, outputs] at `weight`, shared [B, outputs],
  /// y [B·n, outputs], which keeps its storage when the size fits.
  package func affine(
    parameters: [Float], weight: WeightSlice, addingRowsOf shared: Matrix, each n: Int,
    activation: Activation, into output: inout Matrix
  ) {
    checkShape()
    shared.checkShape()
    precondition(
      n > 0 && rows == shared.rows * n && columns == weight.rows
        && shared.columns == weight.columns && weight.range.upperBound <= parameters.count,
      """
      a layer of \(weight.rows)×\(weight.columns) was given an input of \(rows)×\(columns) and \
      shared rows of \(shared.rows)×\(shared.columns), \(n) to each
      """)
    output.takeShape(rows: rows, columns: weight.columns)
    addProductOfSlices(
      shape: (rows, weight.columns, weight.rows), scale: 1,
      left: values, leftOffset: 0, transposingLeft: false,
      right: parameters, rightOffset: weight.offset, transposingRight: false,
      keeping: 0, to: &output.values, at: 0)
    guard !output.values.isEmpty else { return }
    unsafe shared.values.withUnsafeBufferPointer { shared in
      unsafe output.values.withUnsafeMutableBufferPointer { y in
        guard let shared = shared.baseAddress, let y = y.baseAddress else { return }
        for group in 0..<rows / n {
          unsafe cvm_bias_activation(
            y + group * n * weight.columns, shared + group * weight.columns, n, weight.columns,
            activation.kernel)
        }
      }
    }
  }
}
