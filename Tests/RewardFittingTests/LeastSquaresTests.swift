import RewardFitting
import Testing

@Suite("least squares")
struct LeastSquaresTests {
  private func close(_ a: Double?, _ b: Double, _ tolerance: Double = 1e-9) -> Bool {
    a.map { abs($0 - b) <= tolerance * max(1, abs(b)) } ?? false
  }

  @Test("a line through four points of two users, by hand")
  func byHand() throws {
    // x̃ = −1.5, −0.5, 0.5, 1.5; ỹ = −2, 0, −1, 3 (mean 3): b = 7/5 = 1.4.
    // e = 0.1, 0.7, −1.7, 0.9; scores: user 0: −0.15 − 0.35 = −0.5; user 1: −0.85 + 1.35 = 0.5.
    // V = c · 0.5/25, c = 2/1 · 3/2 = 3: 0.06.
    let fit = try LeastSquares(
      columns: [.init("x", [1, 2, 3, 4])], clusters: [0, 0, 1, 1], clusterCount: 2
    ).fit([1, 3, 2, 6], confidence: 0.95)
    let x = try #require(fit["x"])
    #expect(close(x.estimate, 1.4))
    #expect(close(x.standardError, 0.06.squareRoot()))
    #expect(close(x.t, 1.4 / 0.06.squareRoot()))
    // One degree of freedom: the quantile is 12.7062…; p = 1 − (2/π)·arctan t.
    #expect(close(x.high, 1.4 + 12.706204736 * 0.06.squareRoot(), 1e-7))
    #expect(close(x.pValue, 0.1102691032, 1e-9))
    #expect(close(fit.rSquared, 1 - 4.2 / 14))
    #expect(x.varianceInflation == 1 && close(fit.conditionNumber, 1))
    #expect(fit.rows == 4 && fit.clusters == 2)
  }

  @Test("within users only their own differences count")
  func within() throws {
    // Between users y falls with x; within each it rises by 2 a unit.
    let fit = try LeastSquares(
      columns: [.init("x", [0, 1, 2, 10, 11, 12]), .init("user", [1, 1, 1, 7, 7, 7])],
      clusters: [0, 0, 0, 1, 1, 1], clusterCount: 2, centering: .withinClusters
    ).fit([50, 52, 54, 0, 2, 4], confidence: 0.95)
    #expect(close(fit["x"]?.estimate, 2))
    #expect(fit["user"] == nil)
    #expect(fit.leftOut.map(\.name) == ["user"])
    #expect(fit.leftOut.map(\.reason) == ["it does not vary within users"])
  }

  @Test("a constant column and a combination are left out by name, the fit stands")
  func collinear() throws {
    let a: [Double] = [1, 0, 2, 5, 1, 3]
    let b: [Double] = [2, 1, 0, 1, 4, 2]
    let y: [Double] = [1, 2, 0, 3, 2, 5]
    let clusters = [0, 0, 1, 1, 2, 2]
    let whole = try LeastSquares(
      columns: [
        .init("a", a), .init("one", [1, 1, 1, 1, 1, 1]), .init("b", b),
        .init("sum", zip(a, b).map { 2 * $0 - $1 + 3 }),
      ], clusters: clusters, clusterCount: 3
    ).fit(y, confidence: 0.9)
    let part = try LeastSquares(
      columns: [.init("a", a), .init("b", b)], clusters: clusters, clusterCount: 3
    ).fit(y, confidence: 0.9)
    #expect(whole.terms == part.terms)
    #expect(whole.leftOut.map(\.name) == ["one", "sum"])
    #expect(
      whole.leftOut.map(\.reason) == ["it is constant", "it is a combination of a, b"])
  }

  @Test("one user, too few rows and columns that do not vary are errors that say so")
  func refusals() {
    let one = LeastSquares(columns: [.init("x", [1, 2])], clusters: [0, 0], clusterCount: 1)
    #expect(throws: RewardFitError.oneUser(sessions: 2)) {
      try one.fit([1, 2], confidence: 0.95)
    }
    let few = LeastSquares(columns: [.init("x", [1, 2])], clusters: [0, 1], clusterCount: 2)
    #expect(throws: RewardFitError.tooFewSessions(2, columns: 1)) {
      try few.fit([1, 2], confidence: 0.95)
    }
    let constant = LeastSquares(
      columns: [.init("x", [3, 3, 3])], clusters: [0, 1, 1], clusterCount: 2)
    #expect(throws: RewardFitError.nothingVaries(["x"])) {
      try constant.fit([1, 2, 4], confidence: 0.95)
    }
  }

  @Test("eigenvalues of a matrix whose own are 1, 3 and 5")
  func eigenvalues() {
    let values = SymmetricMatrix.eigenvalues([[2, 1, 0], [1, 2, 0], [0, 0, 5]]).sorted()
    #expect(zip(values, [1, 3, 5]).allSatisfy { abs($0 - $1) < 1e-12 })
    #expect(close(SymmetricMatrix.conditionNumber([[2, 1], [1, 2]]), 3))
    let inverse = SymmetricMatrix.inverse([[4, 2], [2, 2]])
    #expect(close(inverse[0][0], 0.5) && close(inverse[0][1], -0.5) && close(inverse[1][1], 1))
  }
}
