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

  /// What a fit says beside these logged densities.
  private func calibration(
    _ log: DensityLog, _ fitted: FittedBehaviorDensity, logged change: (Int, Float) -> Float
  ) throws -> DensityCalibration {
    let source = log.source
    let sessions = (0..<source.sessionCount).map { m -> Trajectory in
      let range = source.session(m)
      let batch = source.batch(at: Array(range))
      return Trajectory(
        states: batch.states, actions: batch.actions, rewards: batch.rewards,
        logPropensities: zip(range, source.logPropensities(at: Array(range))).map(change),
        end: .terminal, userHash: source.userHash(of: m))
    }
    let changed = try TrajectoryArrays(sessions, stateSize: 3, actionSize: 2)
    return DensityCalibration(
      of: fitted.scores, log: try LoggedActions(changed, normalizer: log.normalizer),
      components: [])
  }

  @Test("logged densities that are absurdly small, one or all, are told in numbers JSON can hold")
  func absurdLoggedDensities() throws {
    let log = try DensityLog.leaning(users: 300, seed: 7)
    let fitted = try fit(log)
    #expect(fitted.calibration.isUsable, "\(fitted.calibration.reasons)")
    for center in [-800, -100] as [Float] {
      let one = try calibration(log, fitted) { $0 == 1234 ? center : $1 }
      #expect(!one.isUsable, "\(center)")
      #expect(
        one.reasons.contains { $0.contains("a logged density is") }, "\(center): \(one.reasons)")
      let all = try calibration(log, fitted) { center + $1 }
      #expect(all.reasons.contains { $0.contains("below the fitted") }, "\(all.reasons)")
      for found in [one, all] {
        let agreement = try #require(found.agreement)
        #expect(agreement.meanRatio.isFinite && agreement.meanRatioError.isFinite)
        #expect(agreement.ratioCoverage > 0 && agreement.ratioCoverage <= 1 + 1e-9)
        let back = try JSONDecoder().decode(
          DensityCalibration.self, from: JSONEncoder().encode(found))
        #expect(back == found)
      }
    }
  }

  @Test("logged densities of a single user are not compared: clusters give them no error")
  func oneUserLogged() throws {
    let log = try DensityLog(
      policy: ActionNoiseExploration(base: LeaningPolicy(actionSize: 2), deviation: 0.2),
      users: 40, seed: 7, truth: nil)
    let scores = try fit(log) { $0.steps = 60 }
    let few = try calibration(log, scores) { $0 < 250 ? $1 : .nan }
    #expect(few.agreement?.transitions == 250)
    let sessions = (0..<log.source.sessionCount).map { m -> Trajectory in
      let rows = Array(log.source.session(m))
      let batch = log.source.batch(at: rows)
      return Trajectory(
        states: batch.states, actions: batch.actions, rewards: batch.rewards,
        logPropensities: log.source.logPropensities(at: rows), end: .terminal, userHash: 7)
    }
    let one = DensityCalibration(
      of: scores.scores,
      log: try LoggedActions(
        TrajectoryArrays(sessions, stateSize: 3, actionSize: 2), normalizer: log.normalizer),
      components: [])
    #expect(one.agreement == nil)
    #expect(throws: Never.self) { try JSONEncoder().encode(one) }
  }

  @Test("in none of 100 small logs does a state that knows nothing speak against a density")
  func independentState() throws {
    let (stateSize, actionSize, count) = (48, 12, 500)
    for seed in 0..<100 as Range<UInt64> {
      var stream = RandomStream(seed: seed, name: "independent")
      let actions = stream.gaussians(count * actionSize).map { min(max(0.3 * $0, -0.99), 0.99) }
      var network = MixtureDensityNetwork(
        stateSize: stateSize, actionSize: actionSize, components: 1,
        configuration: BehaviorDensityConfiguration(), around: actions, initializedBy: &stream)
      network = network.with(
        parameters: [Float](repeating: 0, count: network.parameters.count))  // whatever the state
      let source = try TrajectoryArrays(
        (0..<count).map { m in
          Trajectory(
            states: stream.gaussians(stateSize),
            actions: Array(actions[m * actionSize..<(m + 1) * actionSize]), rewards: [0],
            end: .terminal, userHash: UInt64(m))
        }, stateSize: stateSize, actionSize: actionSize)
      let log = try LoggedActions(source, normalizer: .identity(stateSize: stateSize))
      let found = DensityCalibration(
        of: DensityScores(of: network, on: log), log: log, components: [])
      let noise = try #require(found.stateDependenceNoise)
      #expect(abs(noise - 3 * 96.0.squareRoot() / 451) < 1e-12)
      #expect(
        !found.reasons.contains { $0.contains("the state still explains") },
        "seed \(seed): \(found.dimensions.map(\.stateDependence))")
    }
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
