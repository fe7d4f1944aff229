import FusionMDP
import OnlineExperiments
import UserSimulator

/// An A/B test on a simulated platform: all arms run together on users split by a hash.
struct PlatformExperiment {
  /// One arm: a name and the policy that its users get.
  struct Arm {
    let name: String
    let policy: any FusionPolicy
  }

  /// What is set before the test.
  struct Settings: Codable, Equatable {
    /// Days under the reference arm before the test, from which the baselines come.
    var baselineDays = 2
    /// Days of the test.
    var days = 4
    /// Whether baselines take out what they already explain (CUPED).
    var adjustsForBaseline = true

    init() {}
  }

  /// The platform, where its users are, and the threads to use.
  let platform: SimulatedPlatform
  let state: PlatformState
  let threads: Int

  /// Runs the test; the first arm is the reference.
  ///
  /// Before it, all users live `baselineDays` under the reference arm, as they would in a service
  /// whose current policy it is. Arms draw from the same seed.
  ///
  /// - Throws: `ExperimentError` for arms that cannot be compared.
  func run(
    name: String, arms: [Arm], settings: Settings, seed: UInt64, progress: ProgressLine? = nil
  ) throws -> ExperimentReadout {
    let shares = arms.map { ExperimentArm(name: $0.name, share: 1 / Double(arms.count)) }
    let assignment = try ExperimentAssignment(experiment: "\(name)-\(seed)", arms: shares)
    let hashes = platform.data.users.hashes
    let baseline = platform.run(
      policy: arms[0].policy, from: state, days: settings.baselineDays, seed: seed,
      threads: threads)
    let baselines = UserBaseline.preceding(
      users: hashes, days: settings.baselineDays, activity: Self.days(of: baseline, hashes: hashes))
    progress?.update(1)
    var activity: [OnlineExperiments.UserDay] = []
    for (index, arm) in arms.enumerated() {
      let members = hashes.indices.filter { assignment.arm(of: hashes[$0]) == index }
      guard !members.isEmpty else { continue }
      let outcome = platform.run(
        policy: arm.policy, users: members, from: baseline.state, days: settings.days,
        seed: seed &+ 1, threads: threads)
      activity += Self.days(of: outcome, hashes: hashes)
      progress?.update(index + 2, note: arm.name)
    }
    let log = ExperimentLog(
      arms: shares,
      users: hashes.indices.map { user in
        AssignedUser(
          user: hashes[user], arm: assignment.arm(of: hashes[user]), baseline: baselines[user])
      },
      days: 0..<settings.days, activity: activity)
    return try ExperimentAnalysis(adjustsForBaseline: settings.adjustsForBaseline)
      .readout(of: log)
  }

  /// A run's days as an experiment's log has them.
  private static func days(
    of run: PlatformRun, hashes: [UInt64]
  ) -> [OnlineExperiments.UserDay] {
    run.userDays.map { day in
      OnlineExperiments.UserDay(
        user: hashes[day.user], day: day.day, appMinutes: day.appMinutes, plays: day.plays,
        positivePlays: day.positivePlays)
    }
  }
}
