import Foundation
import SeededRandom

/// Best static fusion weights by Bayesian optimization, asked and told.
///
/// Source: the paper's baseline **BO** ("Gaussian process, UCB; one weight vector for all"). The
/// caller asks for a point of the normalised box [−1, 1]^A, tries it on users, and tells the mean
/// outcome and the number of user sessions that it cost:
///
///     while let suggestion = try search.suggest() {
///       let outcome = …                                     // sessions under these weights
///       try search.observe(suggestion.index, value: outcome.mean, sessions: outcome.count)
///     }
///     search.best                                           // highest posterior mean
///
/// An observation over S sessions has the variance σ_n²·S̄/S, S̄ the mean number of sessions an
/// observation, σ_n² fitted. Several suggestions may be open at once: each open point counts as
/// observed at its posterior mean, so that the next one goes elsewhere.
///
/// | paper | name here | shape | default, source |
/// | --- | --- | --- | --- |
/// | α, the weights | `SearchSuggestion.point` | [A] | – |
/// | surrogate | `GaussianProcess`, Matérn 5/2 | | kernel not in the paper |
/// | κ of UCB | `explorationFactor` | scalar | 1, not in the paper |
/// | – | `initialPoints` | | 2·A, Latin hypercube |
///
/// κ = 1 rather than the customary 2: in a box of twelve dimensions most of the room is in the
/// corners, and a curious search spends its sessions there (on the tests' twelve-dimensional bowl
/// both end alike with little noise, and κ = 1 ahead with much).
///
/// ## Departures from the paper
///
/// None known: the paper names the method and gives no constants.
package struct BayesianOptimization: PointSearch {
  /// The choices of a search.
  package struct Configuration: Sendable, Equatable, Codable {
    /// A: fusion weights.
    package var dimension: Int
    /// User sessions that may be spent.
    package var sessionBudget: Int
    /// Points of the initial design.
    package var initialPoints: Int
    /// κ: deviations that an unexplored point is given credit for.
    package var explorationFactor: Double
    /// Root seed of the search.
    package var seed: UInt64

    /// A search over `dimension` weights.
    package init(
      dimension: Int, sessionBudget: Int, initialPoints: Int? = nil,
      explorationFactor: Double = 1, seed: UInt64
    ) {
      self.dimension = dimension
      self.sessionBudget = sessionBudget
      self.initialPoints = initialPoints ?? 2 * dimension
      self.explorationFactor = explorationFactor
      self.seed = seed
    }
  }

  /// Everything that a search knows: save it, and go on later with the same bits.
  package struct State: Sendable, Equatable, Codable {
    /// The choices of the search.
    package fileprivate(set) var configuration: Configuration
    /// Outcomes in the order in which they were told.
    package fileprivate(set) var observations: [SearchObservation]
    /// Suggestions whose outcome is still to come.
    package fileprivate(set) var open: [SearchSuggestion]
    /// Suggestions made so far.
    package fileprivate(set) var suggestionCount: Int
    /// The last fit, where the next begins.
    package fileprivate(set) var parameters: KernelParameters?
    /// Observations that the last fit saw.
    package fileprivate(set) var fittedCount: Int
  }

  /// What to save.
  package private(set) var state: State

  /// A search that knows nothing yet.
  /// - Precondition: dimension, budget and initial points above zero.
  package init(_ configuration: Configuration) {
    precondition(
      configuration.dimension > 0 && configuration.sessionBudget > 0
        && configuration.initialPoints > 0 && configuration.explorationFactor >= 0,
      "search: dimension, budget and initial points must lie above 0: \(configuration)")
    state = State(
      configuration: configuration, observations: [], open: [], suggestionCount: 0,
      parameters: nil, fittedCount: 0)
  }

  /// Goes on from a saved state.
  /// - Throws: `SearchError.invalidState` for a point of another dimension or outside the box.
  package init(resuming state: State) throws(SearchError) {
    let dimension = state.configuration.dimension
    guard dimension > 0, state.configuration.sessionBudget > 0,
      state.configuration.initialPoints > 0
    else {
      throw .invalidState(reason: "dimension, budget and initial points must lie above 0")
    }
    for point in state.observations.map(\.point) + state.open.map(\.point) {
      guard point.count == dimension, point.allSatisfy({ (-1...1).contains($0) }) else {
        throw .invalidState(
          reason: "expected \(dimension) coordinates in [−1, 1], found \(point)")
      }
    }
    self.state = state
  }

  /// User sessions spent so far.
  package var spentSessions: Int { state.observations.reduce(0) { $0 + $1.sessions } }

  /// Outcomes told so far.
  package var observationCount: Int { state.observations.count }

  /// Outcomes in the order in which they were told.
  package var observations: [SearchObservation] { state.observations }

  /// The next weights to try, or nil when the budget is spent.
  /// - Throws: `SearchError.notPositiveDefinite`.
  /// - Complexity: O(n³) for n observations.
  package mutating func suggest() throws(SearchError) -> SearchSuggestion? {
    guard spentSessions < state.configuration.sessionBudget else { return nil }
    let index = state.suggestionCount
    let root = RandomStream(seed: state.configuration.seed, name: "bayesian-optimization")
    let point: [Double]
    if index < state.configuration.initialPoints || state.observations.isEmpty {
      var stream = root.child("initial-design", index / state.configuration.initialPoints)
      let design = InitialDesign.latinHypercube(
        count: state.configuration.initialPoints, dimension: state.configuration.dimension,
        using: &stream)
      point = design[index % state.configuration.initialPoints]
    } else {
      var stream = root.child("acquisition", index)
      point = try promisingPoint(using: &stream)
    }
    let suggestion = SearchSuggestion(index: index, point: point)
    state.suggestionCount += 1
    state.open.append(suggestion)
    return suggestion
  }

  /// Tells the mean outcome of a suggestion over `sessions` user sessions; higher is better.
  /// - Throws: `SearchError` when the suggestion is not open, the value is not finite or no
  ///   session stands behind it.
  package mutating func observe(
    _ index: Int, value: Double, sessions: Int
  ) throws(SearchError) {
    state.observations.append(
      try SearchLedger.close(index, value: value, sessions: sessions, in: &state.open))
  }

  /// The tried point with the highest posterior mean, and what is known about it; nil before the
  /// first outcome. The mean of a noisy point leans on its neighbours, so that the luckiest draw
  /// does not win.
  /// - Throws: `SearchError.notPositiveDefinite`.
  package func best() throws(SearchError) -> SearchResult? {
    guard !state.observations.isEmpty else { return nil }
    var search = self
    search.state.fittedCount = 0  // a final answer deserves a fresh fit
    let scale = ValueScale(state.observations)
    let process = try search.conditionedProcess(scale: scale, openPoints: false)
    var best: SearchResult?
    for observation in state.observations {
      let posterior = process.posterior(at: observation.point)
      let mean = scale.original(posterior.mean)
      if best.map({ mean > $0.mean }) ?? true {
        best = SearchResult(
          point: observation.point, mean: mean,
          deviation: (posterior.variance + 1 / Double(state.observations.count)).squareRoot()
            * scale.deviation)
      }
    }
    return best
  }

  /// The maximum of the upper confidence bound.
  private mutating func promisingPoint(
    using stream: inout RandomStream
  ) throws(SearchError) -> [Double] {
    let scale = ValueScale(state.observations)
    let process = try conditionedProcess(scale: scale, openPoints: true)
    let ranked = state.observations.map { ($0.point, process.posterior(at: $0.point).mean) }
      .sorted { $0.1 > $1.1 }
    let bound = UpperConfidenceBound(
      process: process, explorationFactor: state.configuration.explorationFactor)
    return bound.maximize(around: ranked.prefix(3).map(\.0), using: &stream)
  }

  /// The surrogate given all outcomes (and open points at their posterior mean). Refits the kernel
  /// once a tenth more outcomes are known than at the last fit.
  private mutating func conditionedProcess(
    scale: ValueScale, openPoints: Bool
  ) throws(SearchError) -> GaussianProcess {
    var points = state.observations.flatMap(\.point)
    var values = state.observations.map { scale.standardized($0.value) }
    let sessions = Double(spentSessions) / Double(state.observations.count)
    var noiseScales = state.observations.map { sessions / Double($0.sessions) }
    let fit = KernelFit(dimension: state.configuration.dimension)
    if state.parameters == nil || 10 * values.count >= 11 * state.fittedCount {
      state.parameters = try fit.fit(
        points: points, values: values, noiseScales: noiseScales, warmStart: state.parameters)
      state.fittedCount = values.count
    }
    let parameters = state.parameters ?? fit.initial
    let process = try GaussianProcess(
      points: points, values: values, noiseScales: noiseScales, parameters: parameters)
    guard openPoints, !state.open.isEmpty else { return process }
    for suggestion in state.open {
      points += suggestion.point
      values.append(process.posterior(at: suggestion.point).mean)
      noiseScales.append(1)
    }
    return try GaussianProcess(
      points: points, values: values, noiseScales: noiseScales, parameters: parameters)
  }
}

/// The outcomes' own mean and spread, so that the prior is the same for any unit.
private struct ValueScale {
  let mean: Double
  let deviation: Double

  init(_ observations: [SearchObservation]) {
    let values = observations.map(\.value)
    let mean = values.reduce(0, +) / Double(values.count)
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
    self.mean = mean
    self.deviation = variance > 0 ? variance.squareRoot() : 1
  }

  func standardized(_ value: Double) -> Double { (value - mean) / deviation }
  func original(_ value: Double) -> Double { mean + deviation * value }
}
