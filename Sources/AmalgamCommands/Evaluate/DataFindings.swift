import Foundation
import FusionMDP
import PolicyArtifacts
import TrajectoryPreparation

/// What is wrong with test sessions, looked for before any value is printed.
struct DataFindings {
  let settings: EvaluateCommand.Settings
  let source: TrajectoryShards

  /// All that was found.
  ///
  /// - Parameter artifacts: the policies, whose training data had a mean reward.
  func found(expecting artifacts: [PolicyArtifact]) throws -> [EvaluateCommand.Found.Finding] {
    users() + actionVariation()
      + rewardUnit(artifacts.compactMap(\.manifest.dataWindow?.meanReward))
  }

  /// Intervals come from the spread between users; few of them have none that says anything.
  private func users() -> [EvaluateCommand.Found.Finding] {
    let found = Set((0..<source.sessionCount).map { source.userHash(of: $0) }).count
    let least = settings.floors.leastUsers
    guard found < least else { return [] }
    return [
      EvaluateCommand.Found.Finding(
        check: "users", forbids: true,
        text: "the sessions are of \(found) users, expected at least \(least): intervals rest on "
          + "the spread between users")
    ]
  }

  /// Where every session was served with the same weights, nothing says what others would do.
  private func actionVariation() -> [EvaluateCommand.Found.Finding] {
    let width = source.actionSize
    var lowest = [Float](repeating: .infinity, count: width)
    var highest = lowest.map { -$0 }
    for start in stride(from: 0, to: source.transitionCount, by: 4096) {
      let indices = Array(start..<min(start + 4096, source.transitionCount))
      for (index, value) in source.batch(at: indices).actions.enumerated() {
        lowest[index % width] = min(lowest[index % width], value)
        highest[index % width] = max(highest[index % width], value)
      }
    }
    let spread = zip(lowest, highest).map { $1 - $0 }.max() ?? 0
    guard spread <= Self.leastSpread else { return [] }
    return [
      EvaluateCommand.Found.Finding(
        check: "action_variation", forbids: true,
        text: "the logged weights do not vary: what other weights would do is nowhere in the log")
    ]
  }

  /// A range of a weight, of the 2 that it can take, that is rounding and no exploration.
  private static let leastSpread: Float = 1e-5

  /// Rewards of another unit (seconds for minutes, cents for euros) differ by a factor from those
  /// that the policies were trained on.
  private func rewardUnit(_ expected: [Double]) -> [EvaluateCommand.Found.Finding] {
    let mean = PolicyManifest.DataWindow(of: source)?.meanReward ?? 0
    let limit = settings.gate.largestRewardRatio
    return expected.prefix(1).compactMap { usual in
      guard usual != 0 else { return nil }
      let ratio = mean / usual
      guard !(ratio >= 1 / limit && ratio <= limit) else { return nil }
      return EvaluateCommand.Found.Finding(
        check: "reward_unit", forbids: true,
        text: String(
          format: "the mean reward is %.4g, that of the policy's training data %.4g: ratio %.3g, "
            + "allowed is 1/%.3g to %.3g (another unit of the reward?)", mean, usual, ratio, limit,
          limit))
    }
  }
}
