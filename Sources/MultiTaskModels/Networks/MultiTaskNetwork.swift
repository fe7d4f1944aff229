package import DenseKernels
package import NeuralNetworks
package import SeededRandom

/// Vectors of categories and numbers side by side, then a body: encoded rows to logits.
package struct MultiTaskNetwork: Sendable {
  /// One table for all categories; each has its range of rows.
  package var embeddings: EmbeddingTable
  /// PLE, MMoE or shared bottom.
  package var body: any TaskBody

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
    body = architecture.body(
      inputs: numbers + categories * dimension, tasks: tasks, initializedBy: &stream)
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
    body.forward(inputs(rows), dropout: nil).logits
  }

  /// The logits of a training batch and how their gradient goes back.
  ///
  /// The pullback adds to the body's flat gradient and to that of the touched vectors.
  func forward(
    _ rows: EncodedRows, dropout: (rate: Float, stream: RandomStream)?
  ) -> (logits: Matrix, pullback: (Matrix, inout [Float], inout EmbeddingGradient) -> Void) {
    let (logits, bodyPullback) = body.forward(inputs(rows), dropout: dropout)
    let (d, e) = (rows.numbers.columns, embeddings.dimension)
    return (
      logits,
      { logitsGradient, bodyGradient, embeddingGradient in
        let inputGradient = bodyPullback(logitsGradient, &bodyGradient)
        for (f, indices) in rows.indices.enumerated() {
          embeddingGradient.add(inputGradient, at: indices, firstColumn: d + f * e)
        }
      }
    )
  }
}
