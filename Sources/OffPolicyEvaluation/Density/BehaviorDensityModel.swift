import DenseKernels
package import FusionMDP
import SeededRandom

/// Log densities of logged actions that were fitted to the log, because the log does not know them.
///
/// An estimate that uses them is conditional on this fit and has to be marked so.
package struct FittedBehaviorDensity: Sendable {
  /// What fits that never saw its user say of each transition.
  package let scores: DensityScores
  /// How far they can be trusted.
  package let calibration: DensityCalibration

  /// log p̂(a | s) of each transition, in nats [N].
  package var logDensities: [Double] { scores.logDensities }
}

/// Fits the density of the logged actions given the state, across folds of users.
///
/// Users are dealt to `folds` groups. For each group, networks with each of the `componentCounts` are
/// fitted on the users of all other groups, some of whom are held out to choose the count and the
/// step; the chosen one gives the densities of the group's transitions. So no density and no number
/// of the calibration is of a user that its fit has seen.
///
/// The density is that of the action given the *state*. Where the deployed policy depended on what
/// the state does not hold (the group of a user in mixed exploration), it is the mixture over that: right on
/// average for one request, but the product along a session of what is fixed for the user is not the
/// density of the session.
package enum BehaviorDensityModel {
  /// Fits and judges.
  ///
  /// - Parameters:
  ///   - normalizer: of the states.
  ///   - threads: fits side by side; their number changes no bit.
  ///   - progress: rounds are looks at the held-out users.
  /// - Throws: `BehaviorDensityError`; what `progress` throws.
  package static func fit(
    on source: any TransitionSource, normalizer: StateNormalizer,
    configuration: BehaviorDensityConfiguration = BehaviorDensityConfiguration(), seed: UInt64,
    threads: Int = 1, progress: EvaluationProgress = .silent
  ) throws -> FittedBehaviorDensity {
    if let problem = configuration.problem { throw BehaviorDensityError.configuration(problem) }
    guard normalizer.stateSize == source.stateSize else {
      throw BehaviorDensityError.stateSize(
        expected: source.stateSize, found: normalizer.stateSize)
    }
    let log = try LoggedActions(source, normalizer: normalizer)
    let root = RandomStream(seed: seed, name: "behavior-density")
    let folds = try UserFolds(
      log, count: configuration.folds, heldOutShare: configuration.heldOutShare, stream: root)
    let fit = DensityFit(
      data: DensityFit.Data(
        states: log.states, actions: log.actions, actionSize: log.actionSize),
      configuration: configuration)
    let counts = configuration.componentCounts
    let fitted = try ParallelFits(threads: threads).run(
      count: folds.count * counts.count, rounds: DensityFit.looks, progress: progress
    ) { index, onRound in
      let (fold, choice) = (index / counts.count, index % counts.count)
      return try fit.run(
        components: counts[choice], training: folds.training[fold],
        heldOut: folds.heldOut[fold],
        stream: root.child("fold", fold).child("components", counts[choice]), onLook: onRound)
    }
    var scores = DensityScores(transitions: log.count, actionSize: log.actionSize)
    var chosen: [Int] = []
    for fold in 0..<folds.count {
      var best = fold * counts.count
      for index in best..<best + counts.count
      where fitted[index].heldOutLogDensity > fitted[best].heldOutLogDensity {
        best = index
      }
      chosen.append(counts[best % counts.count])
      scores.fill(rows: folds.tested[fold], by: fitted[best].network, log: log)
    }
    let calibration = DensityCalibration(of: scores, log: log, components: chosen)
    return FittedBehaviorDensity(scores: scores, calibration: calibration)
  }
}

/// The logged actions with their normalized states, users and known densities.
package struct LoggedActions: Sendable {
  let states: Matrix
  let actions: [Float]
  let actionSize: Int
  /// [N]; NaN where unknown.
  let logPropensities: [Float]
  /// The hash of each transition's user [N].
  let users: [UInt64]

  /// The number of transitions.
  var count: Int { users.count }

  /// Reads the transitions of `source`.
  ///
  /// - Throws: `BehaviorDensityError.invalidAction`, `.noVariation`.
  package init(
    _ source: any TransitionSource, normalizer: StateNormalizer
  ) throws(BehaviorDensityError) {
    let count = source.transitionCount
    actionSize = source.actionSize
    var (states, actions, known): ([Float], [Float], [Float]) = ([], [], [])
    states.reserveCapacity(count * source.stateSize)
    actions.reserveCapacity(count * source.actionSize)
    for start in stride(from: 0, to: count, by: 4096) {
      let rows = Array(start..<min(start + 4096, count))
      let batch = source.batch(at: rows)
      states += normalizer.normalized(batch.states)
      actions += batch.actions
      known += source.logPropensities(at: rows)
    }
    for (i, value) in actions.enumerated() where !(abs(value) <= 1) {
      throw .invalidAction(
        transition: i / source.actionSize, dimension: i % source.actionSize, found: value)
    }
    guard actions.indices.contains(where: { actions[$0] != actions[$0 % source.actionSize] })
    else { throw .noVariation(transitions: count) }
    self.states = Matrix(rows: count, columns: source.stateSize, values: states)
    self.actions = actions
    logPropensities = known
    users = (0..<source.sessionCount).flatMap { m in
      [UInt64](repeating: source.userHash(of: m), count: source.session(m).count)
    }
  }
}

/// Who is trained on, held out and tested in each fold; rows of transitions.
private struct UserFolds: Sendable {
  var training: [[Int]] = []
  var heldOut: [[Int]] = []
  var tested: [[Int]] = []
  var count: Int { tested.count }

  init(
    _ log: LoggedActions, count: Int, heldOutShare: Double, stream: RandomStream
  ) throws(BehaviorDensityError) {
    let users = Array(Set(log.users)).sorted()
    // Each fold needs someone to train on and someone else to hold out.
    guard users.count >= max(count, 4) else {
      throw .tooFewUsers(found: users.count, needed: max(count, 4))
    }
    var dealing = stream.child("folds")
    let order = dealing.shuffled(users.count)
    var place: [UInt64: Int] = [:]
    for (position, user) in order.enumerated() { place[users[user]] = position }
    for fold in 0..<count {
      let others = (0..<users.count).filter { $0 % count != fold }
      let heldOutCount = min(
        max(1, Int((heldOutShare * Double(others.count)).rounded())), others.count - 1)
      let heldOutPlaces = Set(others.prefix(heldOutCount))
      var rows: (training: [Int], heldOut: [Int], tested: [Int]) = ([], [], [])
      for row in 0..<log.count {
        let position = place[log.users[row], default: 0]
        if position % count == fold {
          rows.tested.append(row)
        } else if heldOutPlaces.contains(position) {
          rows.heldOut.append(row)
        } else {
          rows.training.append(row)
        }
      }
      training.append(rows.training)
      heldOut.append(rows.heldOut)
      tested.append(rows.tested)
    }
  }
}
