package import DenseKernels

/// The memory of `MultilayerPerceptron.evaluate`, kept from call to call.
package struct SharedInputPass: Sendable {
  fileprivate var shared = Matrix(rows: 0, columns: 0)
  fileprivate var even = Matrix(rows: 0, columns: 0)
  fileprivate var odd = Matrix(rows: 0, columns: 0)

  /// No memory yet.
  package init() {}
}

extension MultilayerPerceptron {
  /// The outputs for groups of n inputs that have their first columns in common: n candidate
  /// actions of one state.
  ///
  ///     [s; a]·W = s·W_s + a·W_a
  ///
  /// so that s·W_s is computed once a group. The same as passing
  /// `[shared.repeatingRows(n), own]`, up to rounding.
  ///
  /// Shapes: shared [B, S], own [B·n, inputs − S] → output [B·n, outputs], which keeps its storage
  /// when the size fits.
  package func evaluate(
    shared: Matrix, own: Matrix, each n: Int, into output: inout Matrix,
    using pass: inout SharedInputPass
  ) {
    precondition(
      shared.columns + own.columns == self.shape.inputs && own.rows == shared.rows * n,
      """
      \(shared.rows)×\(shared.columns) shared and \(own.rows)×\(own.columns) own inputs, \(n) to \
      each, for a perceptron of \(self.shape.inputs) inputs
      """)
    let last = shape.hidden.count
    if last == 0 {
      firstLayer(shared: shared, own: own, each: n, using: &pass.shared, into: &output)
      return
    }
    firstLayer(shared: shared, own: own, each: n, using: &pass.shared, into: &pass.even)
    for index in 1...last {
      switch (index == last, index % 2) {
      case (true, 1): apply(layer: index, to: pass.even, into: &output)
      case (true, _): apply(layer: index, to: pass.odd, into: &output)
      case (false, 1): apply(layer: index, to: pass.even, into: &pass.odd)
      case (false, _): apply(layer: index, to: pass.odd, into: &pass.even)
      }
    }
  }

  /// act(s·W_s + b + a·W_a)
  private func firstLayer(
    shared: Matrix, own: Matrix, each n: Int, using sharedPart: inout Matrix,
    into output: inout Matrix
  ) {
    let (weight, bias) = (layout.entries[0], layout.entries[1])
    let width = weight.shape[1]
    shared.affine(
      parameters: parameters,
      weight: WeightSlice(offset: weight.offset, rows: shared.columns, columns: width),
      biasOffset: bias.offset, activation: .identity, into: &sharedPart)
    own.affine(
      parameters: parameters,
      weight: WeightSlice(
        offset: weight.offset + shared.columns * width, rows: own.columns, columns: width),
      addingRowsOf: sharedPart, each: n, activation: activation(ofLayer: 0), into: &output)
  }

  private func apply(layer index: Int, to input: Matrix, into output: inout Matrix) {
    let (weight, bias) = (layout.entries[2 * index], layout.entries[2 * index + 1])
    input.affine(
      parameters: parameters,
      weight: WeightSlice(offset: weight.offset, rows: weight.shape[0], columns: weight.shape[1]),
      biasOffset: bias.offset, activation: activation(ofLayer: index), into: &output)
  }

  private func activation(ofLayer index: Int) -> Activation {
    index == shape.hidden.count ? shape.outputActivation : shape.hiddenActivation
  }
}
