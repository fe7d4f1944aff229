import SeededRandom

/// Where a Gaussian process could be highest: maximises mean(x) + κ·deviation(x) over the box.
///
/// (GP-UCB; Srinivas, Krause, Kakade and Seeger, ICML 2010. The paper's BO uses it, without a
/// constant.) Random points all over the box and around the best
/// observations, then a local random search from the most promising ones.
struct UpperConfidenceBound {
  let process: GaussianProcess
  let explorationFactor: Double

  /// Uniform points, points around each centre, polished points and steps of polishing.
  static let uniformPoints = 512
  static let pointsAroundCentres = 256
  static let polishedPoints = 4
  static let polishingSteps = 120

  func callAsFunction(_ x: [Double]) -> Double {
    let posterior = process.posterior(at: x)
    return posterior.mean + explorationFactor * posterior.variance.squareRoot()
  }

  /// The best point found.
  func maximize(around centres: [[Double]], using stream: inout RandomStream) -> [Double] {
    var candidates: [(point: [Double], bound: Double)] = []
    for _ in 0..<Self.uniformPoints {
      let point = (0..<process.dimension).map { _ in stream.uniform(in: -1...1) }
      candidates.append((point, self(point)))
    }
    for index in 0..<(centres.isEmpty ? 0 : Self.pointsAroundCentres) {
      // A third each at deviations 0.3, 0.1 and 0.03.
      let deviation = [0.3, 0.1, 0.03][index % 3]
      let point = Self.moved(
        centres[(index / 3) % centres.count], by: deviation, using: &stream)
      candidates.append((point, self(point)))
    }
    candidates.sort { $0.bound > $1.bound }
    var best = candidates[0]
    for start in candidates.prefix(Self.polishedPoints) {
      let polished = polish(start.point, bound: start.bound, using: &stream)
      if polished.bound > best.bound { best = polished }
    }
    return best.point
  }

  /// Moves as long as moving helps; the step grows after a success and shrinks after a failure.
  private func polish(
    _ start: [Double], bound: Double, using stream: inout RandomStream
  ) -> (point: [Double], bound: Double) {
    var best = (point: start, bound: bound)
    var deviation = 0.1
    for _ in 0..<Self.polishingSteps {
      let point = Self.moved(best.point, by: deviation, using: &stream)
      let bound = self(point)
      if bound > best.bound {
        best = (point, bound)
        deviation = min(0.5, 1.5 * deviation)
      } else {
        deviation = max(1e-4, 0.9 * deviation)
      }
    }
    return best
  }

  /// A Gaussian step that stays inside the box.
  private static func moved(
    _ point: [Double], by deviation: Double, using stream: inout RandomStream
  ) -> [Double] {
    point.map { min(max($0 + deviation * stream.gaussian(), -1), 1) }
  }
}
