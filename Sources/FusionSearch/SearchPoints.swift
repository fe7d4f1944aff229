/// A point to try.
package struct SearchSuggestion: Sendable, Equatable, Codable {
  /// Names the suggestion when its outcome is told.
  package let index: Int
  /// Normalized fusion weights, [A] in [−1, 1]; of an evolution strategy, parameters [P].
  package let point: [Double]
}

/// A point that was tried.
package struct SearchObservation: Sendable, Equatable, Codable {
  /// Normalized fusion weights, [A] in [−1, 1]; of an evolution strategy, parameters [P].
  package let point: [Double]
  /// Mean outcome; higher is better.
  package let value: Double
  /// User sessions that the mean is over.
  package let sessions: Int
}

/// The answer of a search.
package struct SearchResult: Sendable, Equatable {
  /// Normalized fusion weights, [A] in [−1, 1]; of an evolution strategy, parameters [P].
  package let point: [Double]
  /// The outcome expected there, as each method says: of Bayesian optimization the posterior mean.
  package let mean: Double
  /// Standard deviation of that mean. Of Bayesian optimization, the posterior's and the error of the
  /// outcomes' overall mean, around which the process is centred.
  package let deviation: Double

  /// An answer.
  package init(point: [Double], mean: Double, deviation: Double) {
    self.point = point
    self.mean = mean
    self.deviation = deviation
  }
}
