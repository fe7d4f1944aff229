import ArgumentParser
import Foundation
import FusionMDP
import PolicyArtifacts
import UserSimulator

/// `amalgam simulate headroom`: what weights that fit each user could win.
struct SimulateHeadroom: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "headroom",
    abstract: "Measure what weights found with each user's hidden truth win over one policy.",
    discussion: """
      No policy can know what these weights know: they bound what personal weights may win on this \
      simulated platform, as far as fixed weights go. Every row serves the same users with the same random numbers.
      """)

  @Option(help: "A platform's folder, as `reproduce` and `simulate fit` write it.")
  var platform: String
  @Option(help: "What the others are compared with: reference, or the folder of a policy.")
  var policy = "reference"
  @Option(help: "Users served, the platform's first.") var users = 400
  @Option(help: "Days served.") var days = 2
  @Option(help: "Days under the reference weights before.") var warmupDays = 1
  @Option(help: "Decides what happens.") var seed: UInt64 = 1
  @Option(help: "Threads.") var threads = 2
  @Flag(help: "Print the comparisons as JSON for machines.") var json = false

  /// One policy: values, and relative differences to the first, paired by user.
  private struct Row: Encodable {
    struct Lift: Encodable {
      var value: Double
      var lift: Double?
      var low: Double?
      var high: Double?

      init(_ run: PlatformRun, _ reference: PlatformRun?, _ objective: PlatformObjective) {
        value = run.trueValue(objective).value
        guard let reference else { return }
        let base = reference.trueValue(objective).value
        let gain = run.difference(to: reference, objective)
        guard base != 0 else { return }
        (lift, low, high) = (gain.value / base, gain.low / base, gain.high / base)
      }

      var text: String {
        func percent(_ share: Double) -> String { String(format: "%+.2f", 100 * share) }
        guard let lift, let low, let high else { return "reference" }
        return "\(percent(lift))% [\(percent(low)), \(percent(high))]"
      }
    }
    var policy: String
    var sessionReturn: Lift
    var appMinutes: Lift
    var positiveRate: Lift
  }

  func validate() throws {
    try CountRange.days.check(flag: "--days", days)
    try CountRange.optionalDays.check(flag: "--warmup-days", warmupDays)
    try CountRange.threads.check(flag: "--threads", threads)
    try CountRange.things.check(flag: "--users", users)
  }

  func run() throws {
    let simulated = try PlatformFolder(path: platform).platform
    guard users <= simulated.allUsers.count else {
      throw CommandFailure.usage(
        "--users \(users): expected at most \(simulated.allUsers.count), the platform's users")
    }
    let base = try simulated.policy(named: policy)
    let members = Array(simulated.allUsers.prefix(users))
    let fixed = base as? FixedWeightsPolicy ?? simulated.configuration.referencePolicy
    let personal = PersonalWeights(
      on: simulated, users: members, start: fixed.action, seed: seed, threads: threads)
    let ranks = Array(members.indices)
    func own(_ name: String, _ actions: [[Float]]) -> any FusionPolicy {
      simulated.policy(name: name, actions: actions, users: members, group: ranks)
    }
    let next = ranks.map { personal.actions[($0 + 1) % ranks.count] }
    let state = simulated.warmedState(days: warmupDays, seed: seed &+ 1, threads: threads)
    var reference: PlatformRun?
    let rows = [
      (policy, base), ("best static", FixedWeightsPolicy(action: personal.staticAction)),
      ("each user's own", own("own", personal.actions)),
      ("another user's", own("another", next)),
    ].map { name, policy in
      let run = simulated.run(
        policy: policy, users: members, from: state, days: days, seed: seed, threads: threads)
      let row = Row(
        policy: name, sessionReturn: Row.Lift(run, reference, .sessionReturn),
        appMinutes: Row.Lift(run, reference, .appMinutes),
        positiveRate: Row.Lift(run, reference, .positiveRate))
      if reference == nil { reference = run }
      return row
    }
    if json { return try MachineOutput.print(rows) }
    try StandardOutput.print(
      ["SIMULATED PLATFORM: lifts over \(policy), paired by user [95 % interval]"]
        + rows.map { row in
          "\(row.policy): session return \(row.sessionReturn.text), app time "
            + "\(row.appMinutes.text), UPIRate \(row.positiveRate.text)"
        })
  }
}
