import DenseKernels
import FusionMDP

extension PolicyRequests {
  /// The states of some of the requests as a network was trained on them.
  ///
  /// Shapes: `rows` within 0..<B → [rows, S], S the normalizer's.
  func normalizedStates(_ rows: Range<Int>, by normalizer: StateNormalizer) -> Matrix {
    let size = normalizer.stateSize
    precondition(stateSize == size, "states of \(stateSize) for a policy of \(size)")
    let raw = Array(states[rows.lowerBound * size..<rows.upperBound * size])
    return Matrix(rows: rows.count, columns: size, values: normalizer.normalized(raw))
  }
}
