private import COneDNN
private import CVectorMath

extension Matrix {
  /// scale · op(self) · op(b), where op transposes when asked.
  ///
  /// A NaN or an infinity in a factor reaches every element of the result that it contributes to.
  /// With an inner size of zero the result is zeros.
  ///
  /// Shapes: op(self) [M, K], op(b) [K, N] → [M, N].
  package func product(
    _ b: Matrix, transposingLeft: Bool = false, transposingRight: Bool = false, scale: Float = 1
  ) -> Matrix {
    var result = Matrix(rows: 0, columns: 0)
    result.setProduct(
      self, b, transposingLeft: transposingLeft, transposingRight: transposingRight, scale: scale)
    return result
  }

  /// self ← scale · op(a) · op(b), without an allocation when the size fits.
  package mutating func setProduct(
    _ a: Matrix, _ b: Matrix, transposingLeft: Bool = false, transposingRight: Bool = false,
    scale: Float = 1
  ) {
    takeShape(
      rows: transposingLeft ? a.columns : a.rows, columns: transposingRight ? b.rows : b.columns)
    addProduct(
      a, b, transposingLeft: transposingLeft, transposingRight: transposingRight, scale: scale,
      keeping: 0)
  }

  /// self ← keeping · self + scale · op(a) · op(b).
  package mutating func addProduct(
    _ a: Matrix, _ b: Matrix, transposingLeft: Bool = false, transposingRight: Bool = false,
    scale: Float = 1, keeping: Float = 1
  ) {
    a.checkShape()
    b.checkShape()
    checkShape()
    let inner = transposingLeft ? a.rows : a.columns
    let innerRight = transposingRight ? b.columns : b.rows
    let outerLeft = transposingLeft ? a.columns : a.rows
    let outerRight = transposingRight ? b.rows : b.columns
    precondition(
      inner == innerRight && rows == outerLeft && columns == outerRight,
      """
      cannot add the product of \(a.rows)×\(a.columns)\(transposingLeft ? "ᵀ" : "") and \
      \(b.rows)×\(b.columns)\(transposingRight ? "ᵀ" : "") to \(rows)×\(columns)
      """)
    addProductOfSlices(
      shape: (rows, columns, inner), scale: scale,
      left: a.values, leftOffset: 0, transposingLeft: transposingLeft,
      right: b.values, rightOffset: 0, transposingRight: transposingRight,
      keeping: keeping, to: &values, at: 0)
  }
}

/// c ← keeping · c + scale · op(a) · op(b) on dense row-major slices of flat arrays.
///
/// Shapes: op(a) [M, K], op(b) [K, N], c [M, N].
func addProductOfSlices(
  shape: (m: Int, n: Int, k: Int), scale: Float,
  left: [Float], leftOffset: Int, transposingLeft: Bool,
  right: [Float], rightOffset: Int, transposingRight: Bool,
  keeping: Float, to result: inout [Float], at resultOffset: Int
) {
  let (m, n, k) = shape
  precondition(leftOffset >= 0 && leftOffset + m * k <= left.count)
  precondition(rightOffset >= 0 && rightOffset + k * n <= right.count)
  precondition(resultOffset >= 0 && resultOffset + m * n <= result.count)
  guard m > 0, n > 0 else { return }
  guard k > 0 else {
    for i in resultOffset..<resultOffset + m * n {
      result[i] = keeping == 0 ? 0 : keeping * result[i]
    }
    return
  }
  cvm_apply_threads()
  let status = unsafe left.withUnsafeBufferPointer { a in
    unsafe right.withUnsafeBufferPointer { b in
      unsafe result.withUnsafeMutableBufferPointer { c in
        guard let a = a.baseAddress, let b = b.baseAddress,
          let c = c.baseAddress
        else { return dnnl_invalid_arguments }
        return unsafe dnnl_sgemm(
          transposingLeft ? letterT : letterN, transposingRight ? letterT : letterN,
          dnnl_dim_t(m), dnnl_dim_t(n), dnnl_dim_t(k),
          scale, a + leftOffset, dnnl_dim_t(transposingLeft ? m : k),
          b + rightOffset, dnnl_dim_t(transposingRight ? k : n),
          keeping, c + resultOffset, dnnl_dim_t(n))
      }
    }
  }
  precondition(status == dnnl_success, "oneDNN refused a product \(m)×\(k)×\(n): \(status)")
}

private let letterN = CChar(UInt8(ascii: "N"))
private let letterT = CChar(UInt8(ascii: "T"))
