import SeededRandom

/// One arm of an experiment: its name and its share of the users.
package struct ExperimentArm: Sendable, Equatable {
  /// What reports call the arm.
  package let name: String
  /// Weight of the arm among all arms; shares need not add up to one.
  package let share: Double

  /// An arm of the given name and share.
  package init(name: String, share: Double) {
    self.name = name
    self.share = share
  }
}

/// Who sees what: a user belongs to one arm for as long as the experiment runs.
///
/// The arm is a pure function of the experiment's name (the salt) and the user, so that any
/// server, on any machine, at any time gives the same answer without a lookup, and that two
/// experiments split the users independently of each other.
package struct ExperimentAssignment: Sendable, Equatable {
  /// Name of the experiment; it salts the hash.
  package let experiment: String
  /// The arms in the order of their indices.
  package let arms: [ExperimentArm]
  private let salt: UInt64
  private let upperBounds: [Double]

  /// An experiment over `arms`.
  /// - Throws: `ExperimentError` for fewer than two arms, a repeated name or a share that is
  ///   not a finite number above zero.
  package init(experiment: String, arms: [ExperimentArm]) throws(ExperimentError) {
    guard arms.count >= 2 else {
      throw .tooFewArms(experiment: experiment, found: arms.count)
    }
    var names = Set<String>()
    for (index, arm) in arms.enumerated() {
      guard names.insert(arm.name).inserted, arm.share > 0, arm.share.isFinite else {
        throw .invalidArm(
          experiment: experiment, index: index, name: arm.name, share: arm.share)
      }
    }
    let total = arms.reduce(0) { $0 + $1.share }
    var bounds: [Double] = []
    var running = 0.0
    for arm in arms {
      running += arm.share
      bounds.append(running / total)
    }
    self.experiment = experiment
    self.arms = arms
    self.salt = stableHash(experiment)
    self.upperBounds = bounds
  }

  /// The index of the arm that `user` belongs to.
  /// - Complexity: O(arms).
  package func arm(of user: UInt64) -> Int {
    let position = hashPosition(of: user, salt: salt)
    return upperBounds.firstIndex { position < $0 } ?? arms.count - 1
  }
}

/// Where a user stands in [0, 1) under a salt; positions under different salts are independent.
func hashPosition(of user: UInt64, salt: UInt64) -> Double {
  Double(stableHash(user, seed: salt) >> 11) * 0x1p-53
}
