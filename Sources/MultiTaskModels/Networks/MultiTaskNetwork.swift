package import DenseKernels
package import NeuralNetworks
package import SeededRandom

/// Vectors of categories and numbers side by side, then a body and a linear map: encoded rows to
/// logits.
///
///     x = numbers ⊕ vectors      logits = body(x) + x·W      [B, K]
///
/// The linear map (the wide part of Cheng et al., "Wide & deep learning for recommender
/// systems", 2016) starts at zero. It carries what a logistic regression would find, which for
/// behaviors with few positives is most of what can be found; the body learns the rest.
package struct MultiTaskNetwork: Sendable {
  /// One table for all categories; each has its range of rows.
  package var embeddings: EmbeddingTable
  /// PLE, MMoE or shared bottom.
  package var body: any TaskBody

  /// W, without biases that count: those of the body do.
  package var linear: MultilayerPerceptron

  /// The gradients of one batch.
  package struct Gradients {
    /// Of the body's flat parameters.
    package var body: [Float]
    /// Of the linear map's.
    package var linear: [Float]
    /// Of the vectors that the batch touched.
    package var embeddings: EmbeddingGradient

    /// Gradients of the right lengths, all zero.
    package init(of network: MultiTaskNetwork) {
      body = network.body.zeroGradient()
      linear = network.linear.zeroGradient()
      embeddings = EmbeddingGradient(for: network.embeddings)
    }

    mutating func clear() {
      VectorMath.scale(&body, by: 0)
      VectorMath.scale(&linear, by: 0)
      embeddings.removeAll()
    }
  }

  /// A network with fresh parameters.
  ///
  /// - Parameters:
  ///   - numbers: D.
  ///   - categories: F.
  package init(
    architecture: TaskArchitecture, numbers: Int, categories: Int, tableRows: Int,
    dimension: Int, tasks: Int, initializedBy stream: inout RandomStream
  ) {
    embeddings = EmbeddingTable(
      rows: tableRows, dimension: dimension, deviation: 0.05, initializedBy: &stream)
    let inputs = numbers + categories * dimension
    body = architecture.body(inputs: inputs, tasks: tasks, initializedBy: &stream)
    linear = MultilayerPerceptron(
      shape: .init(inputs: inputs, hidden: [], outputs: tasks),
      parameters: [Float](repeating: 0, count: (inputs + 1) * tasks))
  }

  /// x [B, D + F·dimension] of encoded rows.
  func inputs(_ rows: EncodedRows) -> Matrix {
    let (d, e) = (rows.numbers.columns, embeddings.dimension)
    var x = Matrix(rows: rows.count, columns: d + rows.indices.count * e)
    x.setColumns(at: 0, from: rows.numbers)
    for (f, indices) in rows.indices.enumerated() {
      embeddings.gather(indices, into: &x, firstColumn: d + f * e)
    }
    return x
  }

  /// The logits, and for tasks in log seconds their mean.  Shapes: B rows → [B, K].
  package func callAsFunction(_ rows: EncodedRows) -> Matrix {
    let x = inputs(rows)
    var logits = body.forward(x, dropout: nil).logits
    logits.accumulate(linear(x))
    return logits
  }

  /// The logits of a training batch and how their gradient goes back.
  ///
  /// The pullback adds to the flat gradients of the body and of the linear map, and to that of
  /// the touched vectors.
  package func forward(
    _ rows: EncodedRows, dropout: (rate: Float, stream: RandomStream)?
  ) -> (logits: Matrix, pullback: (Matrix, inout Gradients) -> Void) {
    let x = inputs(rows)
    var (logits, bodyPullback) = body.forward(x, dropout: dropout)
    let (wide, tape) = linear.forward(x)
    logits.accumulate(wide)
    let (d, e) = (rows.numbers.columns, embeddings.dimension)
    return (
      logits,
      { logitsGradient, gradients in
        var inputGradient = bodyPullback(logitsGradient, &gradients.body)
        let ofLinear = linear.backward(
          outputGradient: logitsGradient, tape: tape, parameterGradient: &gradients.linear)
        if let ofLinear { inputGradient.accumulate(ofLinear) }
        for (f, indices) in rows.indices.enumerated() {
          gradients.embeddings.add(inputGradient, at: indices, firstColumn: d + f * e)
        }
      }
    )
  }
}
