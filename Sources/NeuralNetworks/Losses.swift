package import DenseKernels

/// Losses with their gradients, proved together by central differences.
///
/// Every loss is Σ w·ℓ over the entries of [B, C] matrices, divided by what `Reduction` says.
/// Values are added up in Double, in the order of the entries; a NaN or an infinity in the
/// inputs comes out as a value that is not finite, which callers check.
package enum Losses {
  /// What the weighted sum over the entries is divided by.
  package enum Reduction: Sendable, Equatable {
    /// 1: the sum.
    case sum
    /// B: a row's loss is the sum over its columns (eqs 3 and 6 as means over a batch).
    case meanOverRows
    /// B·C: PyTorch's `mean`.
    case meanOverEntries
    /// The sum of the weights over all entries; zero loss and gradient when they are all 0.
    case weightedMean
  }

  /// How much each entry counts; 0 masks it, whatever its values are.
  package enum Weights: Sendable, Equatable {
    /// 1 each.
    case equal
    /// [B]: one for all entries of a row.
    case perRow([Float])
    /// [B·C], row-major.
    case perEntry([Float])
  }

  /// A loss and its gradient with respect to the predictions.
  package typealias Result = (value: Double, gradient: Matrix)

  /// Squared error: ℓ = (p − y)², ∂ℓ/∂p = 2(p − y).
  ///
  /// Shapes: predictions, targets [B, C].
  package static func squaredError(
    _ predictions: Matrix, targets: Matrix, weights: Weights = .equal,
    reduction: Reduction = .meanOverEntries
  ) -> Result {
    pointwise(predictions, targets, weights, reduction) { prediction, target in
      let error = prediction - target
      return (error * error, 2 * error)
    }
  }

  /// Huber's loss with threshold δ: ℓ = e²/2 where |e| ≤ δ, else δ·(|e| − δ/2), e = p − y
  /// (PyTorch's `huber_loss`; its `smooth_l1_loss` at δ = 1).
  ///
  /// Shapes: predictions, targets [B, C].
  package static func huber(
    _ predictions: Matrix, targets: Matrix, threshold: Float = 1, weights: Weights = .equal,
    reduction: Reduction = .meanOverEntries
  ) -> Result {
    precondition(threshold > 0, "Huber's threshold is \(threshold), it must be positive")
    return pointwise(predictions, targets, weights, reduction) { prediction, target in
      let error = prediction - target
      if abs(error) <= threshold { return (error * error / 2, error) }
      let slope = error < 0 ? -threshold : threshold
      // For a NaN both branches give NaN.
      return (threshold * (abs(error) - threshold / 2), error.isNaN ? error : slope)
    }
  }

  /// Binary cross-entropy of the probability σ(x) with a label y in 0…1, from the logit x:
  ///
  ///     ℓ = softplus(x) − y·x = max(x, 0) − y·x + log(1 + e^{−|x|}),   ∂ℓ/∂x = σ(x) − y
  ///
  /// which neither overflows nor loses small probabilities.
  ///
  /// Shapes: logits, labels [B, C].
  package static func binaryCrossEntropy(
    logits: Matrix, labels: Matrix, weights: Weights = .equal,
    reduction: Reduction = .meanOverEntries
  ) -> Result {
    let softplus = VectorMath.softplus(logits.values)
    let sigmoid = VectorMath.sigmoid(logits.values)
    return indexed(logits, labels, weights, reduction) { i, logit, label in
      (softplus[i] - label * logit, sigmoid[i] - label)
    }
  }

  private static func pointwise(
    _ predictions: Matrix, _ targets: Matrix, _ weights: Weights, _ reduction: Reduction,
    _ loss: (_ prediction: Float, _ target: Float) -> (value: Float, slope: Float)
  ) -> Result {
    indexed(predictions, targets, weights, reduction) { _, prediction, target in
      loss(prediction, target)
    }
  }

  /// Σ w·ℓ / divisor and its gradient, where `loss` gives ℓ and ∂ℓ/∂prediction of an entry.
  @inline(__always)
  private static func indexed(
    _ predictions: Matrix, _ targets: Matrix, _ weights: Weights, _ reduction: Reduction,
    _ loss: (_ index: Int, _ prediction: Float, _ target: Float) -> (value: Float, slope: Float)
  ) -> Result {
    let (rows, columns) = (predictions.rows, predictions.columns)
    precondition(
      targets.rows == rows && targets.columns == columns,
      "a loss of [\(rows), \(columns)] against [\(targets.rows), \(targets.columns)]")
    precondition(rows > 0 && columns > 0, "a loss over the empty shape [\(rows), \(columns)]")
    let factor = factor(weights, reduction, rows: rows, columns: columns)
    let scale = Float(factor)
    var gradient = Matrix(rows: rows, columns: columns)
    var sum = 0.0
    switch weights {
    case .equal:
      for i in 0..<(rows * columns) {
        let (value, slope) = loss(i, predictions.values[i], targets.values[i])
        sum += Double(value)
        gradient.values[i] = slope * scale
      }
    case .perRow(let rowWeights):
      for i in 0..<(rows * columns) {
        let weight = rowWeights[i / columns]
        guard weight != 0 else { continue }
        let (value, slope) = loss(i, predictions.values[i], targets.values[i])
        sum += Double(weight) * Double(value)
        gradient.values[i] = weight * slope * scale
      }
    case .perEntry(let entryWeights):
      for i in 0..<(rows * columns) where entryWeights[i] != 0 {
        let (value, slope) = loss(i, predictions.values[i], targets.values[i])
        sum += Double(entryWeights[i]) * Double(value)
        gradient.values[i] = entryWeights[i] * slope * scale
      }
    }
    return (sum * factor, gradient)
  }

  /// 1 / divisor of the reduction; 0 when all weights of a weighted mean are 0.
  private static func factor(
    _ weights: Weights, _ reduction: Reduction, rows: Int, columns: Int
  ) -> Double {
    let total: Double
    switch weights {
    case .equal:
      total = Double(rows * columns)
    case .perRow(let values):
      precondition(values.count == rows, "\(values.count) weights for \(rows) rows")
      total = values.reduce(0.0) { $0 + Double($1) } * Double(columns)
    case .perEntry(let values):
      precondition(
        values.count == rows * columns, "\(values.count) weights for \(rows)·\(columns) entries")
      total = values.reduce(0.0) { $0 + Double($1) }
    }
    switch reduction {
    case .sum: return 1
    case .meanOverRows: return 1 / Double(rows)
    case .meanOverEntries: return 1 / Double(rows * columns)
    case .weightedMean: return total == 0 ? 0 : 1 / total
    }
  }
}
