/// A search under a budget of user sessions, asked and told: the shape that all methods share.
///
///     while let suggestion = try search.suggest() {
///       let outcome = …                                     // sessions under this point
///       try search.observe(suggestion.index, value: outcome.mean, sessions: outcome.count)
///     }
///     search.best()
///
/// A point is asked about as long as sessions are left, so the last one may spend a few more than the
/// budget; `spentSessions` counts every one.
package protocol PointSearch: Sendable {
  /// User sessions spent so far.
  var spentSessions: Int { get }
  /// Outcomes told so far.
  var observationCount: Int { get }
  /// The next point to try, or nil when the budget is spent.
  /// - Throws: `SearchError`, as each method says.
  mutating func suggest() throws(SearchError) -> SearchSuggestion?
  /// Tells the mean outcome of a suggestion over `sessions` user sessions; higher is better.
  /// - Throws: `SearchError` when the suggestion is not open, the value is not finite or no session
  ///   stands behind it.
  mutating func observe(_ index: Int, value: Double, sessions: Int) throws(SearchError)
  /// The answer, and what is known about its value; nil before the first outcome.
  /// - Throws: `SearchError`, as each method says.
  func best() throws(SearchError) -> SearchResult?
}

/// What is asked, told and spent, counted alike by every search.
struct SearchLedger: Sendable {
  /// User sessions that may be spent.
  let sessionBudget: Int
  /// Suggestions whose outcome is still to come.
  private(set) var open: [SearchSuggestion] = []
  /// Suggestions made so far.
  private(set) var suggestionCount = 0
  /// Outcomes told so far.
  private(set) var observationCount = 0
  /// User sessions spent so far.
  private(set) var spentSessions = 0

  init(sessionBudget: Int) { self.sessionBudget = sessionBudget }

  /// Whether no further point may be asked about.
  var isSpent: Bool { spentSessions >= sessionBudget }

  /// Opens a suggestion.
  mutating func suggest(_ point: [Double]) -> SearchSuggestion {
    let suggestion = SearchSuggestion(index: suggestionCount, point: point)
    suggestionCount += 1
    open.append(suggestion)
    return suggestion
  }

  /// Closes a suggestion.
  mutating func observe(
    _ index: Int, value: Double, sessions: Int
  ) throws(SearchError) -> SearchObservation {
    let observation = try Self.close(index, value: value, sessions: sessions, in: &open)
    observationCount += 1
    spentSessions += sessions
    return observation
  }

  /// Takes a suggestion from the open ones, with its outcome.
  static func close(
    _ index: Int, value: Double, sessions: Int, in open: inout [SearchSuggestion]
  ) throws(SearchError) -> SearchObservation {
    guard let position = open.firstIndex(where: { $0.index == index }) else {
      throw .unknownSuggestion(index: index)
    }
    guard value.isFinite else { throw .invalidOutcome(index: index, value: value) }
    guard sessions > 0 else { throw .noSessions(index: index, sessions: sessions) }
    let suggestion = open.remove(at: position)
    return SearchObservation(point: suggestion.point, value: value, sessions: sessions)
  }
}

/// The ledger of a search that moves once a generation, after all of its points were told.
struct GenerationLedger: Sendable {
  /// Points a generation.
  let size: Int
  private(set) var ledger: SearchLedger
  /// The outcomes of the generation under way, by index.
  private var told: [Int: SearchObservation] = [:]
  /// The latest whole generation, in the order of asking; before the first, nothing.
  private(set) var latest: [SearchObservation] = []

  init(size: Int, sessionBudget: Int) {
    self.size = size
    ledger = SearchLedger(sessionBudget: sessionBudget)
  }

  /// Opens the point that `draw` makes of the generation and the member's number in it.
  mutating func suggest(
    _ draw: (_ generation: Int, _ member: Int) -> [Double]
  ) throws(SearchError) -> SearchSuggestion? {
    guard !ledger.isSpent else { return nil }
    let (generation, member) = ledger.suggestionCount.quotientAndRemainder(dividingBy: size)
    guard member > 0 || ledger.open.isEmpty else {
      throw .openGeneration(suggestions: ledger.open.count)
    }
    return ledger.suggest(draw(generation, member))
  }

  /// Closes a suggestion; once a generation is whole, its outcomes in the order of asking, so that
  /// the order of telling changes nothing.
  mutating func observe(
    _ index: Int, value: Double, sessions: Int
  ) throws(SearchError) -> [SearchObservation]? {
    told[index] = try ledger.observe(index, value: value, sessions: sessions)
    guard told.count == size else { return nil }
    latest = told.sorted { $0.key < $1.key }.map(\.value)
    told = [:]
    return latest
  }

  /// Mean outcome of the latest whole generation, or of what was told of the first, with its
  /// standard error; nil before the first outcome.
  var latestValue: (mean: Double, deviation: Double)? {
    let outcomes = latest.isEmpty ? told.sorted { $0.key < $1.key }.map(\.value) : latest
    guard !outcomes.isEmpty else { return nil }
    return SearchObservation.mean(of: outcomes)
  }
}

extension SearchObservation {
  /// The mean of outcomes, weighted by their sessions, and its standard error, to which weights add
  /// as to any ratio; 0 for one outcome.
  static func mean(of outcomes: [SearchObservation]) -> (mean: Double, deviation: Double) {
    let sessions = Double(outcomes.reduce(0) { $0 + $1.sessions })
    let mean = outcomes.reduce(0) { $0 + Double($1.sessions) * $1.value } / sessions
    let squares = outcomes.reduce(0) { sum, outcome in
      let residual = Double(outcome.sessions) * (outcome.value - mean)
      return sum + residual * residual
    }
    let n = Double(outcomes.count)
    return (mean, n > 1 ? (n / (n - 1) * squares).squareRoot() / sessions : 0)
  }
}
