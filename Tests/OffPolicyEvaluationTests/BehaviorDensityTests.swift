import Foundation
import FusionMDP
import OffPolicyEvaluation
import SeededRandom
import Testing

@Suite("fitted behavior density")
struct BehaviorDensityTests {
  private func fit(
    _ log: DensityLog, seed: UInt64 = 1, threads: Int = 2,
    _ change: (inout BehaviorDensityConfiguration) -> Void = { _ in }
  ) throws -> FittedBehaviorDensity {
    var configuration = BehaviorDensityConfiguration.quick
    change(&configuration)
    return try BehaviorDensityModel.fit(
      on: log.source, normalizer: log.normalizer, configuration: configuration, seed: seed,
      threads: threads)
  }

  @Test(
    "a Gaussian around a mean that depends on the state is found to 0.03 nats of divergence",
    arguments: [1, 2, 3] as [UInt64])
  func recoversGaussian(seed: UInt64) throws {
    let log = try DensityLog.leaning(seed: seed)
    let fitted = try fit(log, seed: seed)
    let error = log.error(of: fitted.logDensities)
    #expect(error.divergence < 0.03 && error.absolute < 0.2, "\(error)")
    let calibration = fitted.calibration
    #expect(calibration.isUsable, "\(calibration.reasons)")
    #expect(calibration.meanLogDensity > calibration.gaussianLogDensity + 0.5)
    #expect(calibration.uniformLogDensity == -2 * Foundation.log(2.0))
    let agreement = try #require(calibration.agreement)
    #expect(agreement.correlation > 0.95 && agreement.transitions == 6000)
    #expect(abs(agreement.meanDifference - error.divergence) < 1e-4)
    #expect(abs(agreement.meanRatio - 1) < 4 * agreement.meanRatioError + 0.05)
  }

  @Test(
    "mixed exploration is found to 0.06 nats of the mean of its two densities",
    arguments: [1, 2] as [UInt64])
  func recoversMixture(seed: UInt64) throws {
    let log = try DensityLog.mixed(seed: seed)
    let fitted = try fit(log, seed: seed)
    let error = log.error(of: fitted.logDensities)
    #expect(error.divergence < 0.06 && error.absolute < 0.25, "\(error)")
    #expect(fitted.calibration.isUsable, "\(fitted.calibration.reasons)")
    #expect(fitted.calibration.components.allSatisfy { $0 == 3 })
    // The logged density knows the user's group, which the state does not.
    let agreement = try #require(fitted.calibration.agreement)
    #expect(agreement.meanDifference > 0.1 && agreement.meanDifference < 0.7)
  }

  @Test("same seed, same bits, on any number of threads; another seed, other bits")
  func determinism() throws {
    let log = try DensityLog.leaning(users: 60, seed: 4)
    let change: (inout BehaviorDensityConfiguration) -> Void = { $0.steps = 60 }
    let first = try fit(log, threads: 1, change)
    let second = try fit(log, threads: 2, change)
    #expect(first.logDensities == second.logDensities)
    #expect(first.calibration == second.calibration)
    #expect(try fit(log, seed: 2, change).logDensities != first.logDensities)
  }

  @Test("no density comes from a fit that saw its user")
  func crossFitting() throws {
    let log = try DensityLog.leaning(users: 40, seed: 5)
    let change: (inout BehaviorDensityConfiguration) -> Void = { $0.steps = 60 }
    let plain = try fit(log, change)
    // Other actions for one user change the densities of those whose fits saw that user, never
    // another answer for the same action of the user by their own fit.
    let changedUser = stableHash(UInt64(7), seed: 5)
    let sessions = (0..<log.source.sessionCount).map { m -> Trajectory in
      let batch = log.source.batch(at: Array(log.source.session(m)))
      let isChanged = log.source.userHash(of: m) == changedUser
      var actions = batch.actions
      // The last action of the changed user alone stays.
      if isChanged { for i in actions.indices.dropLast(2) { actions[i] *= -1 } }
      return Trajectory(
        states: batch.states, actions: actions, rewards: batch.rewards, end: .terminal,
        userHash: log.source.userHash(of: m))
    }
    let changed = try TrajectoryArrays(sessions, stateSize: 3, actionSize: 2)
    var configuration = BehaviorDensityConfiguration.quick
    configuration.steps = 60
    let other = try BehaviorDensityModel.fit(
      on: changed, normalizer: log.normalizer, configuration: configuration, seed: 1)
    #expect(other.logDensities[79] == plain.logDensities[79])
    let moved = zip(other.logDensities, plain.logDensities).count { $0 != $1 }
    #expect(moved > 100)
  }

  @Test("one component for actions with two peaks is told by the distance from uniform")
  func tooFewComponents() throws {
    let log = try DensityLog(
      policy: TwoPeaks(), users: 500, seed: 3, truth: { _, actions in actions.map { _ in 0 } })
    let poor = try fit(log) { $0.componentCounts = [1] }.calibration
    #expect(!poor.isUsable)
    #expect(poor.dimensions[0].uniformDistance > 0.08 + poor.uniformDistanceNoise)
    #expect(poor.reasons.contains { $0.contains("off by up to") }, "\(poor.reasons)")
    let good = try fit(log).calibration
    #expect(good.isUsable && good.components == [3, 3], "\(good.reasons)")
    #expect(good.dimensions[0].uniformDistance < 0.05)
  }

  @Test("a density fitted with states permuted is told by what the state still explains")
  func permutedStates() throws {
    let log = try DensityLog.leaning(users: 400, seed: 6)
    var stream = RandomStream(seed: 1, name: "permutation")
    let order = stream.shuffled(log.source.transitionCount)
    let states = log.source.batch(at: order).states
    let sessions = (0..<log.source.sessionCount).map { m -> Trajectory in
      let range = log.source.session(m)
      let batch = log.source.batch(at: Array(range))
      return Trajectory(
        states: Array(states[range.lowerBound * 3..<range.upperBound * 3]),
        actions: batch.actions, rewards: batch.rewards, end: .terminal,
        userHash: log.source.userHash(of: m))
    }
    let permuted = try TrajectoryArrays(sessions, stateSize: 3, actionSize: 2)
    let configuration = BehaviorDensityConfiguration.quick
    let blind = try BehaviorDensityModel.fit(
      on: permuted, normalizer: log.normalizer, configuration: configuration, seed: 1)
    // Its densities, read as those of the true states: the mean likelihood says it is no better
    // than one Gaussian, and the states explain what it left.
    #expect(
      blind.calibration.meanLogDensity < blind.calibration.gaussianLogDensity + 0.2)
    let honest = try LoggedActions(log.source, normalizer: log.normalizer)
    let judged = DensityCalibration(of: blind.scores, log: honest, components: [])
    #expect(!judged.isUsable)
    let dependence = try #require(judged.dimensions[0].stateDependence)
    #expect(dependence > 0.5, "\(dependence)")
    #expect(judged.reasons.contains { $0.contains("the state still explains") })
  }

  @Test(
    "logged densities that are halved or doubled are contradicted", arguments: [-1, 1] as [Float])
  func wrongLoggedDensities(sign: Float) throws {
    let log = try DensityLog.leaning(users: 300, seed: 7, shift: sign * 0.693_147)
    let calibration = try fit(log).calibration
    let agreement = try #require(calibration.agreement)
    #expect(abs(agreement.meanRatio - (sign < 0 ? 2 : 0.5)) < 0.2, "\(agreement)")
    #expect(!calibration.isUsable)
    #expect(
      calibration.reasons.contains { $0.contains("fitted over logged") }, "\(calibration.reasons)")
  }

  @Test("clipped actions and a weight that never varies are no density: told, not used")
  func illDefined() throws {
    // Doubled and clipped: a good part of the actions lies at the bounds.
    let clipped = try fit(
      DensityLog.leaning(users: 60, seed: 8) { min(max(2 * $0, -1), 1) }
    ) { $0.steps = 100 }.calibration
    #expect(clipped.boundShare > 0.2 && !clipped.isUsable)
    #expect(clipped.reasons.contains { $0.contains("exactly at −1 or 1") })

    let constant = try fit(
      DensityLog(
        policy: TwoPeaks(constant: 0.25), users: 60, seed: 9,
        truth: { _, actions in actions.map { _ in 0 } })
    ) { $0.steps = 100 }.calibration
    #expect(constant.dimensions.map(\.isConstant) == [false, true])
    #expect(constant.reasons.contains { $0.hasPrefix("weights 1 never vary") })
  }

  @Test("no variation, too few users and wrong constants are errors that say so")
  func errors() throws {
    let flat = try DensityLog.leaning(users: 20, seed: 1) { _ in 0.5 }
    #expect(throws: BehaviorDensityError.noVariation(transitions: 200)) { try fit(flat) }
    let few = try DensityLog.leaning(users: 3, seed: 1)
    #expect(throws: BehaviorDensityError.tooFewUsers(found: 3, needed: 4)) { try fit(few) }
    let log = try DensityLog.leaning(users: 20, seed: 1)
    let error = #expect(throws: BehaviorDensityError.self) { try fit(log) { $0.folds = 1 } }
    #expect(error?.description == "behavior density: folds: expected 2 to 100, found 1")
    #expect(throws: BehaviorDensityError.stateSize(expected: 3, found: 2)) {
      try BehaviorDensityModel.fit(
        on: log.source, normalizer: .identity(stateSize: 2), seed: 1)
    }
  }
}

/// Actions around −0.6 and 0.6, half each; with a second weight that never varies, if given.
private struct TwoPeaks: FusionPolicy {
  var constant: Float?
  var name: String { "two peaks" }
  var actionSize: Int { constant == nil ? 1 : 2 }

  func decide(
    _ requests: PolicyRequests, using stream: inout RandomStream
  ) -> PolicyDecisions {
    var actions: [Float] = []
    for _ in 0..<requests.count {
      let peak = TruncatedGaussian(mean: stream.uniform() < 0.5 ? -0.6 : 0.6, deviation: 0.1)
      actions.append(Float(peak.sample(using: &stream)))
      if let constant { actions.append(constant) }
    }
    return PolicyDecisions(actions: actions)
  }
}
