/// The plain form of each kernel, for tests and for the speed ratio: what the fast one must equal
/// up to rounding. Sums are kept in `Double`.
package enum NaiveKernels {
  /// op(a) · op(b) on row-major arrays.
  ///
  /// Shapes: op(a) [m, k], op(b) [k, n] → [m, n].
  package static func product(
    _ a: [Float], _ b: [Float], m: Int, n: Int, k: Int, transposingLeft: Bool = false,
    transposingRight: Bool = false
  ) -> [Float] {
    var c = [Float](repeating: 0, count: m * n)
    for i in 0..<m {
      for j in 0..<n {
        var sum = 0.0
        for l in 0..<k {
          let left = transposingLeft ? a[l * m + i] : a[i * k + l]
          let right = transposingRight ? b[j * k + l] : b[l * n + j]
          sum += Double(left) * Double(right)
        }
        c[i * n + j] = Float(sum)
      }
    }
    return c
  }

  /// activation(x · w + b).
  ///
  /// Shapes: x [rows, inputs], w [inputs, outputs], b [outputs] → [rows, outputs].
  package static func affine(
    _ x: [Float], _ w: [Float], _ b: [Float], rows: Int, activation: Activation
  ) -> [Float] {
    let outputs = b.count
    let inputs = outputs == 0 ? 0 : w.count / outputs
    var y = product(x, w, m: rows, n: outputs, k: inputs)
    for i in y.indices { y[i] = self.activation(activation, y[i] + b[i % outputs]) }
    return y
  }

  /// The gradients of x · w + b for ∂z [rows, outputs].
  package static func affineBackward(
    _ x: [Float], _ w: [Float], outputGradient dz: [Float], rows: Int, inputs: Int, outputs: Int
  ) -> (input: [Float], weight: [Float], bias: [Float]) {
    (
      product(dz, w, m: rows, n: inputs, k: outputs, transposingRight: true),
      product(x, dz, m: inputs, n: outputs, k: rows, transposingLeft: true),
      columnSums(dz, rows: rows, columns: outputs)
    )
  }

  /// One output of a layer.
  package static func activation(_ activation: Activation, _ z: Float) -> Float {
    switch activation {
    case .identity: z
    case .relu: z < 0 ? 0 : z
    case .tanh: function(.tanh, z)
    case .sigmoid: function(.sigmoid, z)
    }
  }

  /// The derivative of an activation, from its output.
  package static func derivative(_ activation: Activation, at output: Float) -> Float {
    switch activation {
    case .identity: 1
    case .relu: output <= 0 ? 0 : 1
    case .tanh: 1 - output * output
    case .sigmoid: output * (1 - output)
    }
  }

  /// One value of a vector function, computed in `Double`.
  package static func function(_ f: VectorMath.Function, _ x: Float) -> Float {
    let x = Double(x)
    return switch f {
    case .exp: Float(libraryExp(x))
    case .log: Float(libraryLog(x))
    case .tanh: Float(libraryTanh(x))
    case .sigmoid: Float(1 / (1 + libraryExp(-x)))
    case .softplus: Float((x < 0 ? 0 : x) + libraryLog1p(libraryExp(-abs(x))))
    }
  }

  /// The sum of each column.
  package static func columnSums(_ x: [Float], rows: Int, columns: Int) -> [Float] {
    (0..<columns).map { c in
      Float((0..<rows).reduce(0.0) { sum, r in sum + Double(x[r * columns + c]) })
    }
  }

  /// The sum of each row.
  package static func rowSums(_ x: [Float], rows: Int, columns: Int) -> [Float] {
    (0..<rows).map { r in
      Float((0..<columns).reduce(0.0) { sum, c in sum + Double(x[r * columns + c]) })
    }
  }

  /// The sum of products.
  package static func dot(_ x: [Float], _ y: [Float]) -> Float {
    Float(zip(x, y).reduce(0.0) { $0 + Double($1.0) * Double($1.1) })
  }

  /// One step of Adam on one parameter, in `Double`.
  package static func adamUpdate(
    parameter: Double, firstMoment: Double, secondMoment: Double, gradient: Double,
    coefficients c: AdamCoefficients, step: Int
  ) -> (parameter: Double, firstMoment: Double, secondMoment: Double) {
    let (beta1, beta2) = (c.firstDecay, c.secondDecay)
    let m = beta1 * firstMoment + (1 - beta1) * gradient
    let v = beta2 * secondMoment + (1 - beta2) * gradient * gradient
    let (mHat, vHat) = (m / (1 - power(beta1, step)), v / (1 - power(beta2, step)))
    let change = c.learningRate * mHat / (vHat.squareRoot() + c.epsilon)
    return (parameter - change, m, v)
  }
}
