import DenseKernels
import SeededRandom
import Testing

@Suite("vector functions")
struct VectorMathTests {
  /// From the smallest to the largest magnitudes that occur, both signs, 1,003 of them.
  private let inputs: [Float] = (0..<1003).map { i in
    let t = Float(i - 501) / 501
    return 20 * t * t * t + 1e-6
  }

  @Test("every function is accurate at every width", arguments: VectorMath.Function.allCases)
  func accuracy(function: VectorMath.Function) {
    for level in VectorMath.Level.allCases where level.rawValue <= VectorMath.Level.best.rawValue {
      let x = function == .log ? inputs.map(abs) : inputs
      var y = x
      VectorMath.apply(function, to: &y, level: level)
      for (x, y) in zip(x, y) {
        let expected = NaiveKernels.function(function, x)
        #expect(abs(y - expected) <= 8 * expected.ulp, "\(function) of \(x) at \(level)")
      }
    }
  }

  @Test("special values follow the C library at every width")
  func specialValues() {
    let x: [Float] = [.nan, .infinity, -.infinity, 0, -0.0, -1, 89, -104, .leastNonzeroMagnitude]
    let expected: [VectorMath.Function: [Float]] = [
      .exp: [.nan, .infinity, 0, 1, 1, 0.367_879_44, .infinity, 0, 1],
      .log: [.nan, .infinity, .nan, -.infinity, -.infinity, .nan, 4.488_636_5, .nan, -103.278_93],
      .tanh: [.nan, 1, -1, 0, 0, -0.761_594_2, 1, -1, 0],
      .sigmoid: [.nan, 1, 0, 0.5, 0.5, 0.268_941_43, 1, 0, 0.5],
      .softplus: [
        .nan, .infinity, 0, 0.693_147_2, 0.693_147_2, 0.313_261_7, 89, 0, 0.693_147_2,
      ],
    ]
    for level in VectorMath.Level.allCases where level.rawValue <= VectorMath.Level.best.rawValue {
      for (function, values) in expected {
        var y = x
        VectorMath.apply(function, to: &y, level: level)
        #expect(distance(y, values) < 1e-5, "\(function) at \(level): \(y)")
      }
    }
  }

  @Test("an element's bits do not depend on its position or on the count")
  func positions() {
    for level in VectorMath.Level.allCases where level.rawValue <= VectorMath.Level.best.rawValue {
      for function in VectorMath.Function.allCases {
        var whole = inputs.map { abs($0) + 0.1 }
        let plain = whole
        VectorMath.apply(function, to: &whole, level: level)
        for start in [0, 1, 7, 500] {
          for count in [1, 2, 15, 16, 17, 33] {
            var part = Array(plain[start..<start + count])
            VectorMath.apply(function, to: &part, level: level)
            #expect(part == Array(whole[start..<start + count]))
          }
        }
      }
    }
  }

  @Test("the named forms call the function they are named after")
  func named() {
    let x: [Float] = [1, 2]
    #expect(distance(VectorMath.exp(x), [2.718_281_7, 7.389_056]) < 1e-6)
    #expect(distance(VectorMath.log(x), [0, 0.693_147_2]) < 1e-6)
    #expect(distance(VectorMath.tanh(x), [0.761_594_2, 0.964_027_6]) < 1e-6)
    #expect(distance(VectorMath.sigmoid(x), [0.731_058_6, 0.880_797_1]) < 1e-6)
    #expect(distance(VectorMath.softplus(x), [1.313_261_7, 2.126_928]) < 1e-6)
    var y = x
    VectorMath.exp(inPlace: &y)
    VectorMath.log(inPlace: &y)
    #expect(distance(y, x) < 1e-6)
    VectorMath.tanh(inPlace: &y)
    VectorMath.sigmoid(inPlace: &y)
    VectorMath.softplus(inPlace: &y)
    #expect(distance(y, [1.090995, 1.119237]) < 1e-5)
    #expect(VectorMath.exp([]).isEmpty)
  }

  @Test("sums, dot products and maxima equal the naive ones on any count")
  func reductions() {
    var stream = RandomStream(seed: 1, name: "reductions")
    for count in [0, 1, 2, 15, 16, 17, 31, 33, 1000] {
      let x = stream.gaussians(count)
      let y = stream.gaussians(count)
      #expect(abs(VectorMath.sum(x) - Float(x.reduce(0.0) { $0 + Double($1) })) < 1e-5)
      #expect(abs(VectorMath.dot(x, y) - NaiveKernels.dot(x, y)) < 1e-5)
      #expect(VectorMath.maximum(x) == x.max() ?? -.infinity)
      for place in x.indices {
        var poisoned = x
        poisoned[place] = .nan
        #expect(VectorMath.maximum(poisoned).isNaN, "NaN at \(place) of \(count)")
      }
    }
    #expect(VectorMath.preciseSum([16_777_216, 1, 1]) == 16_777_218)
  }

  @Test("combinations of two arrays, worked by hand")
  func combinations() {
    var y: [Float] = [1, 2, 3]
    VectorMath.axpy(2, [10, 20, 30], to: &y)
    #expect(y == [21, 42, 63])
    VectorMath.scale(&y, by: 0.5)
    #expect(y == [10.5, 21, 31.5])
    VectorMath.multiply(&y, by: [2, 0, -1])
    #expect(y == [21, 0, -31.5])
    VectorMath.blend(&y, toward: [1, 1, 1], rate: 0.5)
    #expect(y == [11, 0.5, -15.25])
  }

  @Test("the first Adam step moves each parameter by the rate against the gradient's sign")
  func adamByHand() {
    var parameters: [Float] = [1, 1, 1]
    var first = [Float](repeating: 0, count: 3)
    var second = first
    VectorMath.adamUpdate(
      parameters: &parameters, firstMoment: &first, secondMoment: &second,
      gradient: [4, -0.25, 0], coefficients: AdamCoefficients(learningRate: 0.1), step: 1)
    #expect(distance(parameters, [0.9, 1.1, 1]) < 1e-6)
    #expect(distance(first, [0.4, -0.025, 0]) < 1e-7)
    #expect(distance(second, [0.016, 0.0000625, 0]) < 1e-7)
  }

  @Test("twenty Adam steps follow the same recursion in double precision")
  func adamAgainstNaive() {
    let coefficients = AdamCoefficients(
      learningRate: 0.01, firstDecay: 0.8, secondDecay: 0.95, epsilon: 1e-6)
    var stream = RandomStream(seed: 2, name: "adam")
    var parameters = stream.gaussians(37)
    var first = [Float](repeating: 0, count: 37)
    var second = first
    var expected = parameters.map { (Double($0), 0.0, 0.0) }
    for step in 1...20 {
      let gradient = stream.gaussians(37)
      VectorMath.adamUpdate(
        parameters: &parameters, firstMoment: &first, secondMoment: &second, gradient: gradient,
        coefficients: coefficients, step: step)
      for i in expected.indices {
        expected[i] = NaiveKernels.adamUpdate(
          parameter: expected[i].0, firstMoment: expected[i].1, secondMoment: expected[i].2,
          gradient: Double(gradient[i]), coefficients: coefficients, step: step)
      }
    }
    #expect(distance(parameters, expected.map { Float($0.0) }) < 2e-6)
    #expect(distance(first, expected.map { Float($0.1) }) < 1e-6)
    #expect(distance(second, expected.map { Float($0.2) }) < 1e-6)
  }
}
