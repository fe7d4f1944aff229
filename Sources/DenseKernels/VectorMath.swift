private import CVectorMath

/// Functions over arrays, computed in `Float` at the vector width of the processor.
///
/// An element's result does not depend on its position. Errors are within 4 units in the last
/// place, for `sigmoid` and `softplus` within 8. Special values follow C: log 0 = −∞,
/// log of a negative number is NaN, NaN passes.
package enum VectorMath {
  /// The width of the vector functions.
  package enum Level: Int, CaseIterable, Sendable {
    case scalar, avx2, avx512

    /// The widest that this processor and C library have.
    package static var best: Level {
      switch cvm_best_level() {
      case cvm_avx512: .avx512
      case cvm_avx2: .avx2
      default: .scalar
      }
    }

    fileprivate var kernel: cvm_level {
      switch self {
      case .scalar: cvm_scalar
      case .avx2: cvm_avx2
      case .avx512: cvm_avx512
      }
    }
  }

  /// A function of one number.
  package enum Function: CaseIterable, Sendable {
    /// eˣ
    case exp
    /// ln x
    case log
    /// tanh x
    case tanh
    /// 1 / (1 + e⁻ˣ)
    case sigmoid
    /// ln(1 + eˣ)
    case softplus

    fileprivate var kernel: cvm_function {
      switch self {
      case .exp: cvm_exp
      case .log: cvm_log
      case .tanh: cvm_tanh
      case .sigmoid: cvm_sigmoid
      case .softplus: cvm_softplus
      }
    }
  }

  /// x ← f(x), element by element, at a width that the processor has.
  package static func apply(_ f: Function, to x: inout [Float], level: Level = .best) {
    precondition(level.rawValue <= Level.best.rawValue, "this processor has no \(level)")
    unsafe x.withUnsafeMutableBufferPointer { x in
      guard let address = x.baseAddress else { return }
      unsafe cvm_map(f.kernel, level.kernel, address, address, x.count)
    }
  }

  private static func applied(_ f: Function, to x: [Float]) -> [Float] {
    var result = x
    apply(f, to: &result)
    return result
  }

  /// eˣ
  package static func exp(_ x: [Float]) -> [Float] { applied(.exp, to: x) }
  /// ln x
  package static func log(_ x: [Float]) -> [Float] { applied(.log, to: x) }
  /// tanh x
  package static func tanh(_ x: [Float]) -> [Float] { applied(.tanh, to: x) }
  /// 1 / (1 + e⁻ˣ)
  package static func sigmoid(_ x: [Float]) -> [Float] { applied(.sigmoid, to: x) }
  /// ln(1 + eˣ), without overflow for large x
  package static func softplus(_ x: [Float]) -> [Float] { applied(.softplus, to: x) }

  /// x ← eˣ
  package static func exp(inPlace x: inout [Float]) { apply(.exp, to: &x) }
  /// x ← ln x
  package static func log(inPlace x: inout [Float]) { apply(.log, to: &x) }
  /// x ← tanh x
  package static func tanh(inPlace x: inout [Float]) { apply(.tanh, to: &x) }
  /// x ← 1 / (1 + e⁻ˣ)
  package static func sigmoid(inPlace x: inout [Float]) { apply(.sigmoid, to: &x) }
  /// x ← ln(1 + eˣ)
  package static func softplus(inPlace x: inout [Float]) { apply(.softplus, to: &x) }

  /// The sum, accumulated in `Double`; 0 when empty.
  package static func sum(_ x: [Float]) -> Float { Float(preciseSum(x)) }

  /// The sum in `Double`; 0 when empty.
  package static func preciseSum(_ x: [Float]) -> Double {
    unsafe x.withUnsafeBufferPointer { x in
      guard let address = x.baseAddress else { return 0 }
      return unsafe cvm_sum(address, x.count)
    }
  }

  /// The sum of products, accumulated in `Double`; both have the same count.
  package static func dot(_ x: [Float], _ y: [Float]) -> Float {
    checkCounts(x.count, y.count)
    return unsafe x.withUnsafeBufferPointer { x in
      unsafe y.withUnsafeBufferPointer { y in
        guard let a = x.baseAddress, let b = y.baseAddress else { return 0 }
        return unsafe Float(cvm_dot(a, b, x.count))
      }
    }
  }

  /// The largest element; −∞ when empty, NaN when one is NaN.
  package static func maximum(_ x: [Float]) -> Float {
    unsafe x.withUnsafeBufferPointer { x in
      guard let address = x.baseAddress else { return -.infinity }
      return unsafe cvm_maximum(address, x.count)
    }
  }

  /// y ← y + scale · x
  package static func axpy(_ scale: Float, _ x: [Float], to y: inout [Float]) {
    unsafe combine(x, &y) { unsafe cvm_add_scaled($0, $1, scale, $2) }
  }

  /// y ← y ⊙ x
  package static func multiply(_ y: inout [Float], by x: [Float]) {
    unsafe combine(x, &y) { unsafe cvm_multiply($0, $1, $2) }
  }

  /// y ← y + rate · (x − y), which is rate · x + (1 − rate) · y
  package static func blend(_ y: inout [Float], toward x: [Float], rate: Float) {
    unsafe combine(x, &y) { unsafe cvm_blend($0, $1, rate, $2) }
  }

  /// x ← factor · x
  package static func scale(_ x: inout [Float], by factor: Float) {
    unsafe x.withUnsafeMutableBufferPointer { x in
      guard let address = x.baseAddress else { return }
      unsafe cvm_scale(address, factor, x.count)
    }
  }

  private static func combine(
    _ x: [Float], _ y: inout [Float],
    _ kernel: (UnsafeMutablePointer<Float>, UnsafePointer<Float>, Int) -> Void
  ) {
    checkCounts(x.count, y.count)
    unsafe x.withUnsafeBufferPointer { x in
      unsafe y.withUnsafeMutableBufferPointer { y in
        guard let from = x.baseAddress, let to = y.baseAddress else { return }
        unsafe kernel(to, from, x.count)
      }
    }
  }

  private static func checkCounts(_ x: Int, _ y: Int) {
    precondition(x == y, "arrays of \(x) and \(y) elements do not match")
  }
}
