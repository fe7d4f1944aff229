import DenseKernels
import SeededRandom
import Testing

/// Rows, columns and inner sizes away from multiples of the vector width, and the usual ones.
let oddShapes: [(m: Int, n: Int, k: Int)] = [
  (1, 1, 1), (1, 7, 1), (7, 1, 3), (3, 5, 2), (1, 1, 129), (17, 33, 65), (16, 16, 16),
  (257, 129, 31), (64, 1, 128), (256, 64, 12),
]

func randomMatrix(_ rows: Int, _ columns: Int, _ name: String) -> Matrix {
  var stream = RandomStream(seed: 11, name: name)
  return Matrix(rows: rows, columns: columns, values: stream.gaussians(rows * columns))
}

/// The largest |a − b|, infinite when the counts differ or one side alone is NaN.
func distance(_ a: [Float], _ b: [Float]) -> Float {
  guard a.count == b.count else { return .infinity }
  return zip(a, b).reduce(0) { worst, pair in
    if pair.0 == pair.1 || (pair.0.isNaN && pair.1.isNaN) { return worst }
    let gap = abs(pair.0 - pair.1)
    return gap.isNaN ? .infinity : max(worst, gap)
  }
}

@Suite("matrix products")
struct ProductTests {
  @Test("a product worked by hand, in all four transpose forms")
  func byHand() {
    let a = Matrix(rows: 2, columns: 3, values: [1, 2, 3, 4, 5, 6])
    let b = Matrix(rows: 3, columns: 2, values: [7, 8, 9, 10, 11, 12])
    let expected = Matrix(rows: 2, columns: 2, values: [58, 64, 139, 154])
    #expect(a.product(b) == expected)
    #expect(a.transposed().product(b, transposingLeft: true) == expected)
    #expect(a.product(b.transposed(), transposingRight: true) == expected)
    #expect(
      a.transposed().product(b.transposed(), transposingLeft: true, transposingRight: true)
        == expected)
    #expect(a.product(b, scale: 0.5).values == [29, 32, 69.5, 77])
    var sum = expected
    sum.addProduct(a, b, scale: -2, keeping: 3)
    #expect(sum == expected)
  }

  @Test("products equal the naive ones on odd shapes in all transpose forms")
  func againstNaive() {
    for (m, n, k) in oddShapes {
      for (left, right) in [(false, false), (false, true), (true, false), (true, true)] {
        let a = left ? randomMatrix(k, m, "a") : randomMatrix(m, k, "a")
        let b = right ? randomMatrix(n, k, "b") : randomMatrix(k, n, "b")
        let fast = a.product(b, transposingLeft: left, transposingRight: right)
        let naive = NaiveKernels.product(
          a.values, b.values, m: m, n: n, k: k, transposingLeft: left, transposingRight: right)
        #expect(fast.rows == m && fast.columns == n)
        #expect(distance(fast.values, naive) < 2e-6 * Float(k + 10), "\(m)×\(n)×\(k)")
      }
    }
  }

  @Test("an empty inner size gives zeros, or keeps what was there; empty results are empty")
  func emptySizes() {
    let noColumns = Matrix(rows: 2, columns: 0)
    let noRows = Matrix(rows: 0, columns: 3)
    #expect(noColumns.product(noRows) == Matrix(rows: 2, columns: 3))
    var kept = Matrix(rows: 2, columns: 3, repeating: 4)
    kept.addProduct(noColumns, noRows, keeping: 0.5)
    #expect(kept == Matrix(rows: 2, columns: 3, repeating: 2))
    kept.values[0] = .nan
    kept.setProduct(noColumns, noRows)
    #expect(kept == Matrix(rows: 2, columns: 3))
    #expect(noRows.product(Matrix(rows: 3, columns: 5)) == Matrix(rows: 0, columns: 5))
    #expect(
      Matrix(rows: 4, columns: 3).product(Matrix(rows: 3, columns: 0))
        == Matrix(rows: 4, columns: 0))
  }

  @Test("an infinity or a NaN reaches the elements it contributes to, and no other")
  func specialValues() {
    for size in [3, 40] {
      var a = randomMatrix(size, size, "a")
      let b = randomMatrix(size, size, "b")
      a[1, 2] = .nan
      a[2, 0] = .infinity
      let product = a.product(b)
      for c in 0..<size {
        #expect(product[0, c].isFinite)
        #expect(product[1, c].isNaN)
        #expect(product[2, c] == (b[0, c] > 0 ? .infinity : -.infinity))
      }
    }
  }

  @Test("what stood in a result before is not read")
  func staleResults() {
    let a = randomMatrix(5, 4, "a")
    let b = randomMatrix(4, 3, "b")
    var result = Matrix(rows: 5, columns: 3, repeating: .nan)
    result.setProduct(a, b)
    #expect(result == a.product(b))
  }

  @Test("the same product gives the same bits again")
  func repeatable() {
    let a = randomMatrix(257, 65, "a")
    let b = randomMatrix(65, 33, "b")
    #expect(a.product(b) == a.product(b))
  }
}

@Suite("speed of products")
struct ProductSpeedTests {
  @Test("a layer's product is at least ten times as fast as the naive one")
  func ratio() {
    let a = randomMatrix(256, 64, "a")
    let b = randomMatrix(64, 128, "b")
    var fast = a.product(b)
    let clock = ContinuousClock()
    // The best of several runs: other work on the machine only ever adds time.
    let fastTime = (0..<50).map { _ in clock.measure { fast.setProduct(a, b) } }.min()
    var naive: [Float] = []
    let naiveTime = (0..<5).map { _ in
      clock.measure { naive = NaiveKernels.product(a.values, b.values, m: 256, n: 128, k: 64) }
    }.min()
    #expect(distance(fast.values, naive) < 1e-3)
    if let fastTime, let naiveTime {
      #expect(naiveTime > fastTime * 10, "naive \(naiveTime), fast \(fastTime)")
    }
  }
}
