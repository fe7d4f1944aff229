import FusionSearch
import Testing

@Suite("grid search")
struct GridSearchTests {
  private static let start = [0.25, -0.5, 0.75]

  private static func grid(_ trials: Int, levels: Int = 3, seed: UInt64 = 1) throws -> GridSearch {
    try GridSearch(
      start: start, axes: [2, 0], levels: levels, sessionBudget: 10 * trials, seed: seed)
  }

  @Test("levels stand evenly from −1 to 1, other weights stay")
  func points() throws {
    #expect(
      try Self.grid(1).points == [
        [-1, -0.5, -1], [0, -0.5, -1], [1, -0.5, -1], [-1, -0.5, 0], [0, -0.5, 0], [1, -0.5, 0],
        [-1, -0.5, 1], [0, -0.5, 1], [1, -0.5, 1],
      ])
  }

  @Test("each pass tries every point once, in an order of its own")
  func passes() throws {
    var search = try Self.grid(27)
    var asked: [[Double]] = []
    while let suggestion = search.suggest() {
      asked.append(suggestion.point)
      try search.observe(suggestion.index, value: 0, sessions: 10)
    }
    #expect(asked.count == 27 && search.spentSessions == 270)
    let passes = [asked[0..<9], asked[9..<18], asked[18..<27]].map(Array.init)
    for pass in passes { #expect(Set(pass) == Set(search.points)) }
    #expect(passes[0] != passes[1] && passes[1] != passes[2])
    var again = try Self.grid(27)
    let first = again.suggest()
    #expect(first?.point == asked[0])
  }

  @Test("the best grid point of a bowl is found through noise, better than by chance")
  func finds() throws {
    // 0.1 and −0.9 are nearest to the levels 0 and −1.
    func bowl(_ x: [Double]) -> Double {
      SearchTrials.bowl([x[0], x[2]], center: [0.1, -0.9])
    }
    var found = 0
    var differences: [Double] = []
    for seed in 0..<20 as Range<UInt64> {
      var search = try Self.grid(72, seed: seed)
      let point = try SearchTrials.answer(&search, noise: 0.5, seed: seed, bowl)
      if point == [0, -0.5, -1] { found += 1 }
      differences.append(
        bowl(point)
          - SearchTrials.chance(bowl, dimension: 3, trials: 72, noise: 0.5, seed: seed))
    }
    #expect(found >= 17, "\(found) of 20")
    // 2.861: two-sided p < 0.01 with 19 degrees of freedom.
    #expect(SearchTrials.pairedT(differences) > 2.861, "\(differences)")
  }

  @Test("the answer's deviation is the pooled spread of a point's outcomes, worked by hand")
  func deviation() throws {
    var search = try GridSearch(start: [0], axes: [0], levels: 2, sessionBudget: 40, seed: 1)
    #expect(search.best() == nil)
    // Point −1: 1 and 3, point 1: 6 and 8; pooled variance (2 + 2) / 2 = 2, of a mean of two 1.
    var told = [-1: [1.0, 3], 1: [6, 8]]
    for trial in 0..<4 {
      let asked = search.suggest()
      let suggestion = try #require(asked)
      let next = told[Int(suggestion.point[0])]?.removeFirst()
      let value = try #require(next)
      try search.observe(suggestion.index, value: value, sessions: 10)
      // After one pass: means 1 and 6 stand √12.5 apart from their mean.
      if trial == 1 { #expect(abs(try #require(search.best()).deviation - 3.535534) < 1e-6) }
    }
    #expect(search.best() == SearchResult(point: [1], mean: 7, deviation: 1))
    let none = search.suggest()
    #expect(none == nil)
  }

  @Test("a grid that none can be is refused")
  func refused() throws {
    for (axes, levels) in [([], 3), ([1, 1], 3), ([3], 3), ([0], 1), ([0, 1, 2], 101)] {
      #expect(throws: SearchError.self) {
        try GridSearch(
          start: Self.start, axes: axes, levels: levels, sessionBudget: 10, seed: 1)
      }
    }
    #expect(throws: SearchError.self) { try Self.grid(0) }
    var search = try Self.grid(9)
    let asked = search.suggest()
    let first = try #require(asked)
    try search.observe(first.index, value: 1, sessions: 4)
    #expect(throws: SearchError.unknownSuggestion(index: 0)) {
      try search.observe(first.index, value: 1, sessions: 4)
    }
    #expect(search.spentSessions == 4)
  }
}
