import FusionMDP
import OffPolicyEvaluation
import UserSimulator

extension EstimatorValidation {
  /// What is known of one policy's true value.
  struct Truth {
    /// Over all users of the roll-out.
    let value: TrueValue
    /// Over every other of them, and over the rest: two independent roll-outs.
    let halves: (first: Double, second: Double)
    /// Less the value of the best policy, paired by user: they met the same chance.
    let difference: TrueValue
  }

  /// True values: every policy on the same users with the same random numbers.
  func rollOut(
    _ policies: [(name: String, policy: any FusionPolicy)], _ world: Reproduction.World
  ) throws -> [Truth] {
    let users = world.someUsers(settings.validation.truthUsers)
    let progress = ProgressLine("truth by roll-out", total: policies.count)
    let runs = try policies.enumerated().map { index, entry in
      try Interruption.shared.check("stopped in the roll-outs")
      let run = platform.platform.run(
        policy: entry.policy, users: users, from: world.state, days: settings.validation.truthDays,
        seed: seed("truth"), reward: settings.rewardWeights,
        discount: settings.evaluation.discount, threads: settings.threads)
      progress.update(index + 1, note: entry.name)
      return run
    }
    progress.finish()
    let values = runs.map { $0.trueValue(.sessionReturn) }
    let best = values.indices.max { values[$0].value < values[$1].value } ?? 0
    return zip(runs, values).map { run, value in
      Truth(
        value: value, halves: Self.halves(of: run, users: users),
        difference: run.difference(to: runs[best], .sessionReturn))
    }
  }

  /// The value over the first, third, fifth … user, and over the others.
  private static func halves(
    of run: PlatformRun, users: [Int]
  ) -> (first: Double, second: Double) {
    let (sums, counts) = run.totals(.sessionReturn, users: users)
    func value(from first: Int) -> Double {
      let rows = Array(stride(from: first, to: users.count, by: 2))
      return TrueValue(sums: rows.map { sums[$0] }, counts: rows.map { counts[$0] }).value
    }
    return (value(from: 0), value(from: 1))
  }
}
