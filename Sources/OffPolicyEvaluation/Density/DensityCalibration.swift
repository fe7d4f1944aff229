import Foundation
import SeededRandom

/// How far a fitted density of the logged actions can be trusted, from users its fits never saw.
package struct DensityCalibration: Sendable, Equatable, Codable {
  /// One coordinate of the action.
  package struct Dimension: Sendable, Equatable, Codable {
    /// Largest distance of P̂(A_d ≤ a_d | s) from a uniform distribution; 0 is perfect.
    package let uniformDistance: Double
    /// Adjusted R² by which the state still explains P̂(A_d ≤ a_d | s), 0 in the mean where it explains
    /// nothing; nil with too few transitions.
    package let stateDependence: Double?
    /// Share of actions exactly at −1 or 1.
    package let boundShare: Double
    /// Whether all logged actions are the same here.
    package let isConstant: Bool
  }

  /// Fitted beside logged densities, on the transitions that have both.
  package struct Agreement: Sendable, Equatable, Codable {
    /// Transitions with a logged density.
    package let transitions: Int
    /// Correlation of the two, in nats.
    package let correlation: Double
    /// Mean of logged − fitted, in nats: the divergence KL(logged ‖ fitted), never below 0 but by
    /// noise if the logged densities are right.
    package let meanDifference: Double
    /// Standard error of `meanDifference`, users as clusters.
    package let meanDifferenceError: Double
    /// Root mean square of logged − fitted, in nats.
    package let deviation: Double
    /// Mean of exp(fitted − logged), each at most e^300. E_{a∼μ}[p̂/μ] = ∫ p̂ = 1 for *any* normalized p̂ where μ covers
    /// the box: off 1, it is the logged densities that are wrong, or they do not cover the box.
    package let meanRatio: Double
    /// Standard error of `meanRatio`, users as clusters.
    package let meanRatioError: Double
    /// Largest fitted − logged, in nats.
    package let largestLogRatio: Double
    /// (Σ ratio)² / (N·Σ ratio²): where it is small, most of ∫ p̂ lies where μ hardly ever goes, and a
    /// mean ratio below 1 says nothing.
    package let ratioCoverage: Double
  }

  /// When a fit is not to be used.
  package enum Threshold {
    /// Share of transitions with a coordinate at a bound: what is clipped there has a
    /// probability and no density.
    package static let boundShare = 0.01
    /// Nats a dimension that the fit may be worse than the better baseline.
    package static let lossToBaseline = 0.02
    /// Distance from uniform beyond its noise.
    package static let uniformDistance = 0.05
    /// Adjusted R² of the probability by the state, beyond its noise.
    package static let stateDependence = 0.05
    /// Mean logged − fitted, in nats: beyond it an importance weight is off by a factor of e.
    package static let meanDifference = 1.0
    /// |mean ratio − 1|, if it is also beyond three standard errors.
    package static let meanRatio = 0.1
    /// `ratioCoverage` from which on a mean ratio below 1 counts.
    package static let ratioCoverage = 0.5
    /// With right densities the largest of all ratios is refused in at most this share of logs.
    package static let rarestRatio = 1e-4
    /// Logged densities that are compared at least.
    package static let comparedTransitions = 200
  }

  /// Transitions, all of them held out from the fit that judges them.
  package let transitions: Int
  /// Users.
  package let users: Int
  /// Components chosen in each fold.
  package let components: [Int]
  /// Mean of log p̂(a | s), in nats.
  package let meanLogDensity: Double
  /// The same of the uniform density on the box: −A·log 2.
  package let uniformLogDensity: Double
  /// The same of one Gaussian for all states, cut to the box.
  package let gaussianLogDensity: Double
  /// What `uniformDistance` of a right density stays below in 95 of 100 logs: 1.358/√N.
  package let uniformDistanceNoise: Double
  /// Three deviations of `stateDependence` where the state explains nothing: 3·√(2p)/(N − p − 1), p
  /// the features of the state that are not made of others; nil as it is.
  package let stateDependenceNoise: Double?
  /// Share of transitions with at least one coordinate exactly at −1 or 1.
  package let boundShare: Double
  /// Each coordinate.
  package let dimensions: [Dimension]
  /// Nil where too few densities were logged.
  package let agreement: Agreement?
  /// Why the densities are not to be used; empty if they are.
  package let reasons: [String]

  /// Whether estimates may rest on these densities; they stay marked as fitted.
  package var isUsable: Bool { reasons.isEmpty }

  /// Judges what a density says of a log.
  ///
  /// - Parameter components: the count chosen in each fold.
  package init(of scores: DensityScores, log: LoggedActions, components: [Int]) {
    let size = log.actionSize
    let count = Double(log.count)
    transitions = log.count
    users = Set(log.users).count
    self.components = components
    meanLogDensity = scores.logDensities.reduce(0, +) / count
    uniformLogDensity = -Double(size) * log2
    gaussianLogDensity = Self.gaussianLogDensity(log)
    uniformDistanceNoise = 1.358 / count.squareRoot()
    let moments = ActionMoments(log.actions, actionSize: size)
    let dependence = scores.stateDependence(log)
    stateDependenceNoise = dependence?.noise
    dimensions = (0..<size).map { d in
      let values = stride(from: d, to: log.actions.count, by: size).map { log.actions[$0] }
      return Dimension(
        uniformDistance: scores.distanceFromUniform(dimension: d),
        stateDependence: dependence?.explained[d],
        boundShare: Double(values.count { abs($0) == 1 }) / count,
        isConstant: moments.deviation[d] < 1e-6)
    }
    let atBound = (0..<log.count).count { row in
      log.actions[row * size..<(row + 1) * size].contains { abs($0) == 1 }
    }
    boundShare = Double(atBound) / count
    agreement = Agreement(scores, log)
    var reasons: [String] = []
    reasons += Self.reasonsOfActions(dimensions, boundShare: boundShare)
    let baseline = max(uniformLogDensity, gaussianLogDensity)
    if meanLogDensity < baseline - Threshold.lossToBaseline * Double(size) {
      reasons.append(
        "the mean log density of held-out actions is \(nats(meanLogDensity)), below the "
          + "\(nats(baseline)) of a density that knows no state")
    }
    reasons += Self.reasonsOfFit(
      dimensions, noise: uniformDistanceNoise, dependenceNoise: dependence?.noise ?? 0)
    reasons += agreement?.reasons ?? []
    self.reasons = reasons
  }

  /// The mean log density of all actions under one cut Gaussian of their mean and deviation.
  private static func gaussianLogDensity(_ log: LoggedActions) -> Double {
    let size = log.actionSize
    let moments = ActionMoments(log.actions, actionSize: size)
    var sum = 0.0
    for (i, action) in log.actions.enumerated() {
      let (mean, deviation) = (moments.mean[i % size], max(moments.deviation[i % size], 0.01))
      let mass =
        NormalDistribution.cumulative((1 - mean) / deviation)
        - NormalDistribution.cumulative((-1 - mean) / deviation)
      sum +=
        NormalDistribution.logDensity(Double(action), mean: mean, deviation: deviation)
        - Foundation.log(mass)
    }
    return sum / Double(log.count)
  }

  private static func reasonsOfActions(
    _ dimensions: [Dimension], boundShare: Double
  ) -> [String] {
    var reasons: [String] = []
    let constant = dimensions.indices.filter { dimensions[$0].isConstant }
    if !constant.isEmpty {
      reasons.append(
        "weights \(constant.map(String.init).joined(separator: ", ")) never vary: there is no "
          + "density in them")
    }
    if boundShare > Threshold.boundShare {
      reasons.append(
        "\(percent(boundShare)) of the actions lie exactly at −1 or 1 (at most "
          + "\(percent(Threshold.boundShare))): they were clipped, and what is clipped has a "
          + "probability and no density")
    }
    return reasons
  }

  private static func reasonsOfFit(
    _ dimensions: [Dimension], noise: Double, dependenceNoise: Double
  ) -> [String] {
    let varying = dimensions.indices.filter { !dimensions[$0].isConstant }
    let off = worst(
      varying.map { ($0, dimensions[$0].uniformDistance) },
      above: noise + Threshold.uniformDistance)
    let explained = worst(
      varying.compactMap { d in dimensions[d].stateDependence.map { (d, $0) } },
      above: dependenceNoise + Threshold.stateDependence)
    return [
      off.map {
        "\($0.weights): the fitted distribution is off by up to \(percent($0.value)) of probability "
          + "(at most \(percent(Threshold.uniformDistance)) beyond the noise of \(percent(noise)))"
      },
      explained.map {
        "\($0.weights): the state still explains up to \(percent($0.value)) of where an action lies "
          + "in the fitted distribution (at most \(percent(Threshold.stateDependence)) beyond the noise "
          + "of \(percent(dependenceNoise)))"
      },
    ].compactMap { $0 }
  }

  /// The largest value beyond a limit with its weight, and how many others there are; nil where none is.
  private static func worst(
    _ values: [(weight: Int, value: Double)], above limit: Double
  ) -> (weights: String, value: Double)? {
    let beyond = values.filter { $0.value > limit }
    guard let worst = beyond.max(by: { $0.value < $1.value }) else { return nil }
    let others = beyond.count > 1 ? " and \(beyond.count - 1) more" : ""
    return ("weight \(worst.weight)" + others, worst.value)
  }
}

private let log2 = 0.693_147_180_559_945_3

private func percent(_ share: Double) -> String { String(format: "%.1f %%", 100 * share) }

private func nats(_ value: Double) -> String { String(format: "%.3f nats", value) }

extension DensityCalibration.Agreement {
  private typealias Threshold = DensityCalibration.Threshold

  /// Nil with fewer logged densities than are worth comparing, or of a single user, whose mean has no
  /// error that clusters could tell.
  init?(_ scores: DensityScores, _ log: LoggedActions) {
    let rows = (0..<log.count).filter { log.logPropensities[$0].isFinite }
    guard rows.count >= Threshold.comparedTransitions, Set(rows.map { log.users[$0] }).count > 1
    else { return nil }
    let count = Double(rows.count)
    let fitted = rows.map { scores.logDensities[$0] }
    let logged = rows.map { Double(log.logPropensities[$0]) }
    let differences = zip(logged, fitted).map { $0 - $1 }
    let ratios = differences.map { WeightTerms.weight(-$0) }
    largestLogRatio = -(differences.min() ?? 0)
    let users = rows.map { log.users[$0] }
    let sum = ratios.reduce(0, +)
    ratioCoverage = sum * sum / (count * ratios.reduce(0) { $0 + $1 * $1 })
    transitions = rows.count
    deviation = (differences.reduce(0) { $0 + $1 * $1 } / count).squareRoot()
    (meanDifference, meanDifferenceError) = Self.clusteredMean(differences, users)
    (meanRatio, meanRatioError) = Self.clusteredMean(ratios, users)
    let centers = (fitted.reduce(0, +) / count, logged.reduce(0, +) / count)
    var sums = (0.0, 0.0, 0.0)
    for (f, l) in zip(fitted, logged) {
      let (x, y) = (f - centers.0, l - centers.1)
      sums = (sums.0 + x * x, sums.1 + y * y, sums.2 + x * y)
    }
    correlation = sums.0 > 0 && sums.1 > 0 ? sums.2 / (sums.0 * sums.1).squareRoot() : 0
  }

  /// A mean and its standard error with users as clusters.
  private static func clusteredMean(
    _ values: [Double], _ users: [UInt64]
  ) -> (mean: Double, error: Double) {
    let mean = values.reduce(0, +) / Double(values.count)
    var sums: [UInt64: Double] = [:]
    for (value, user) in zip(values, users) { sums[user, default: 0] += value - mean }
    // In the order of the users, so that the same data gives the same bits.
    let squares = sums.keys.sorted().reduce(0.0) { total, user in
      total + sums[user, default: 0] * sums[user, default: 0]
    }
    let correction = Double(sums.count) / Double(sums.count - 1)
    return (mean, (squares * correction).squareRoot() / Double(values.count))
  }

  fileprivate var reasons: [String] {
    var reasons: [String] = []
    if meanDifference > Threshold.meanDifference {
      reasons.append(
        "logged densities are \(nats(meanDifference)) above the fitted ones on average (at most "
          + "\(nats(Threshold.meanDifference)))")
    }
    if meanDifference < -3 * meanDifferenceError - 0.02 {
      reasons.append(
        "logged densities are \(nats(-meanDifference)) below the fitted ones on average, which no "
          + "right ones can be: look at the logged ones")
    }
    let excess = abs(meanRatio - 1)
    let counts = meanRatio > 1 || ratioCoverage >= Threshold.ratioCoverage
    // What is no number speaks against them too.
    if counts && !(excess <= Threshold.meanRatio || excess <= 3 * meanRatioError) {
      reasons.append(
        String(
          format: "the mean of fitted over logged densities is %.2f ± %.2f and should be 1: the ",
          meanRatio, meanRatioError)
          + "logged ones are wrong or do not cover the box")
    }
    // P(p̂/μ > x) ≤ 1/x where E[p̂/μ] ≤ 1 (Markov): one of N beyond N/p with at most p.
    let limit = Foundation.log(Double(transitions) / Threshold.rarestRatio)
    if !(largestLogRatio <= limit) {
      reasons.append(
        "a logged density is \(nats(largestLogRatio)) below the fitted one (right ones exceed "
          + "\(nats(limit)) in one of \(Int(1 / Threshold.rarestRatio)) logs): look at the smallest "
          + "logged ones")
    }
    return reasons
  }
}
