import DenseKernels
import Foundation
import SeededRandom

/// What a fitted density says of each logged action.
package struct DensityScores: Sendable {
  /// log p̂(a | s), in nats [N].
  package private(set) var logDensities: [Double]
  /// P̂(A_d ≤ a_d | s): uniform in [0, 1] if the density is right [N·A].
  package private(set) var probabilities: [Double]
  let actionSize: Int

  init(transitions: Int, actionSize: Int) {
    logDensities = [Double](repeating: .nan, count: transitions)
    probabilities = [Double](repeating: .nan, count: transitions * actionSize)
    self.actionSize = actionSize
  }

  /// What one network says of all transitions, whoever it was fitted on.
  package init(of network: MixtureDensityNetwork, on log: LoggedActions) {
    self.init(transitions: log.count, actionSize: log.actionSize)
    fill(rows: Array(0..<log.count), by: network, log: log)
  }

  mutating func fill(rows: [Int], by network: MixtureDensityNetwork, log: LoggedActions) {
    let width = actionSize
    for start in stride(from: 0, to: rows.count, by: 2048) {
      let chunk = Array(rows[start..<min(start + 2048, rows.count)])
      let states = log.states.gatherRows(chunk)
      let actions = chunk.flatMap { log.actions[$0 * width..<($0 + 1) * width] }
      let densities = network.logDensities(states: states, actions: actions)
      let reached = network.probabilities(states: states, actions: actions)
      for (position, row) in chunk.enumerated() {
        logDensities[row] = densities[position]
        for d in 0..<width {
          probabilities[row * width + d] = reached[position * width + d]
        }
      }
    }
  }

  /// The largest distance between the distribution of one coordinate's probabilities and the uniform
  /// one (Kolmogorov and Smirnov).
  func distanceFromUniform(dimension: Int) -> Double {
    let sorted = stride(from: dimension, to: probabilities.count, by: actionSize)
      .map { probabilities[$0] }.sorted()
    let count = Double(sorted.count)
    return sorted.enumerated().reduce(0) { worst, entry in
      let (position, value) = (Double(entry.offset), entry.element)
      return max(worst, value - position / count, (position + 1) / count - value)
    }
  }

  /// Transitions that `stateDependence` reads at most, evenly spaced.
  private static let regressedTransitions = 20_000

  /// How much of each coordinate's probability a linear regression on the state still explains:
  /// adjusted R² of u or of |u − ½|, whichever is more. 0 if the density is right, because then u is
  /// independent of the state; a density that forgot the state can have uniform u and still show here.
  ///
  /// Nil where there are too few transitions for the regression. With p features and f = N − p − 1
  /// degrees of freedom R² of noise is Beta(p/2, f/2), so that the adjusted one has a deviation of at
  /// most √(2p)/f; `noise` is three of it.
  package func stateDependence(_ log: LoggedActions) -> (explained: [Double], noise: Double)? {
    let stateSize = log.states.columns
    let count = min(log.count, Self.regressedTransitions)
    let size = stateSize + 2 * actionSize
    var table: [Double] = []
    table.reserveCapacity(count * size)
    for position in 0..<count {
      let row = position * log.count / count
      table += log.states.values[row * stateSize..<(row + 1) * stateSize].map(Double.init)
      let reached = probabilities[row * actionSize..<(row + 1) * actionSize]
      table += reached
      table += reached.map { abs($0 - 0.5) }
    }
    var correlations = SweptCorrelations(table, size: size)
    for feature in 0..<stateSize { correlations.sweep(feature) }
    let freedom = count - correlations.rank - 1
    guard freedom >= 100 else { return nil }
    func adjusted(_ column: Int) -> Double {
      let left = correlations.unexplained(column)
      return left > 0 ? 1 - left * Double(count - 1) / Double(freedom) : 0
    }
    let explained = (0..<actionSize).map {
      max(adjusted(stateSize + $0), adjusted(stateSize + actionSize + $0))
    }
    return (explained, 3 * Double(2 * correlations.rank).squareRoot() / Double(freedom))
  }
}
