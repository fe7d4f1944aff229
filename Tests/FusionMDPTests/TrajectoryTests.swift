import Foundation
import FusionMDP
import SeededRandom
import Testing

@Suite("trajectories and transitions")
struct TrajectoryTests {
  /// T steps with states [10m + t], action [t / 10], reward t + 1.
  static func trajectory(
    _ m: Int, steps: Int, end: SessionEnd, final: Float? = nil
  ) -> Trajectory {
    Trajectory(
      states: (0..<steps).map { Float(10 * m + $0) }, actions: (0..<steps).map { Float($0) / 10 },
      rewards: (0..<steps).map { Float($0 + 1) },
      logPropensities: m == 1 ? nil : (0..<steps).map { -Float($0) }, end: end,
      finalState: final.map { [$0] }, startTimeMilliseconds: Int64(1000 * m),
      userHash: UInt64(m + 100))
  }

  @Test("terminal stops, truncated with a final state goes on, without one loses its last step")
  func ends() throws {
    let source = try TrajectoryArrays(
      [
        Self.trajectory(0, steps: 2, end: .terminal),
        Self.trajectory(1, steps: 2, end: .truncated, final: 99),
        Self.trajectory(2, steps: 3, end: .truncated),
        Self.trajectory(3, steps: 1, end: .truncated),
        Self.trajectory(4, steps: 1, end: .terminal),
      ], stateSize: 1, actionSize: 1)
    #expect(source.sessionCount == 4)
    #expect(source.droppedSessionCount == 1)
    #expect(source.transitionCount == 7)
    let batch = source.batch(at: Array(0..<7))
    #expect(batch.states == [0, 1, 10, 11, 20, 21, 40])
    #expect(batch.actions == [0, 0.1, 0, 0.1, 0, 0.1, 0])
    #expect(batch.rewards == [1, 2, 1, 2, 1, 2, 1])
    #expect(batch.nextStates == [1, 0, 11, 99, 21, 22, 0])
    #expect(batch.bootstraps == [1, 0, 1, 1, 1, 1, 0])
    #expect((0..<4).map { source.session($0) } == [0..<2, 2..<4, 4..<6, 6..<7])
    #expect(source.initialStates(of: [3, 0, 2]) == [40, 0, 20])
    #expect(
      (0..<4).map { source.sessionEnd(of: $0) } == [.terminal, .truncated, .truncated, .terminal])
    #expect((0..<4).map { source.userHash(of: $0) } == [100, 101, 102, 104])
    #expect((0..<4).map { source.startTimeMilliseconds(of: $0) } == [0, 1000, 2000, 4000])
    #expect(source.logPropensities(at: [1, 5]) == [-1, -1])
    #expect(source.logPropensities(at: [2, 3]).allSatisfy { $0.isNaN })
    // Any order, repeats too.
    let mixed = source.batch(at: [6, 3, 3])
    #expect(mixed.states == [40, 11, 11] && mixed.nextStates == [0, 99, 99])
    #expect(source.batch(at: []).count == 0)
  }

  /// Every way to cut up to three sessions of up to three steps.
  @Test("a session is never joined to its neighbor, whatever the lengths and ends")
  func exhaustiveCuts() throws {
    let kinds: [(SessionEnd, Float?)] = [(.terminal, nil), (.truncated, 5), (.truncated, nil)]
    for code in 0..<729 {
      var rest = code
      var trajectories: [Trajectory] = []
      for m in 0..<3 {
        let kind = kinds[rest % 3]
        trajectories.append(
          Self.trajectory(m, steps: rest / 3 % 3 + 1, end: kind.0, final: kind.1))
        rest /= 9
      }
      let source = try TrajectoryArrays(trajectories, stateSize: 1, actionSize: 1)
      var expected = TransitionBatch(
        stateSize: 1, actionSize: 1, states: [], actions: [], rewards: [], nextStates: [],
        bootstraps: [])
      for trajectory in trajectories {
        for step in 0..<trajectory.stepCount {
          let isLast = step + 1 == trajectory.stepCount
          if isLast && trajectory.end == .truncated && trajectory.finalState == nil { continue }
          expected.states.append(trajectory.states[step])
          expected.nextStates.append(
            isLast ? trajectory.finalState?[0] ?? 0 : trajectory.states[step + 1])
          expected.bootstraps.append(isLast && trajectory.end == .terminal ? 0 : 1)
        }
      }
      let batch = source.batch(at: Array(0..<source.transitionCount))
      #expect(batch.states == expected.states)
      #expect(batch.nextStates == expected.nextStates)
      #expect(batch.bootstraps == expected.bootstraps)
    }
  }

  @Test("what is wrong in a trajectory is named by trajectory, step and field")
  func errors() {
    func make(_ change: (inout Trajectory) -> Void) throws(TrajectoryError) {
      var bad = Self.trajectory(0, steps: 2, end: .terminal)
      change(&bad)
      _ = try TrajectoryArrays(
        [Self.trajectory(1, steps: 1, end: .terminal), bad], stateSize: 1, actionSize: 1)
    }
    #expect(
      throws: TrajectoryError.length(trajectory: 1, field: "actions", expected: 2, found: 3)
    ) { try make { $0.actions.append(0) } }
    #expect(
      throws: TrajectoryError.length(trajectory: 1, field: "finalState", expected: 1, found: 2)
    ) { try make { $0.finalState = [1, 2] } }
    #expect(
      throws: TrajectoryError.value(
        trajectory: 1, step: 1, field: "action 0", expected: "a number in [-1, 1]", found: 1.5)
    ) { try make { $0.actions[1] = 1.5 } }
    let error = #expect(throws: TrajectoryError.self) { try make { $0.states[1] = .nan } }
    #expect(
      error?.description == "trajectory 1, step 1: state 0 is nan, expected a finite number")
    #expect(throws: TrajectoryError.self) { try make { $0.rewards[0] = .infinity } }
  }

  @Test("a selection is the chosen sessions in the chosen order, repeats included")
  func selection() throws {
    let source = try TrajectoryArrays(
      [
        Self.trajectory(0, steps: 2, end: .terminal),
        Self.trajectory(1, steps: 3, end: .truncated, final: 99),
        Self.trajectory(2, steps: 1, end: .terminal),
      ], stateSize: 1, actionSize: 1)
    let selection = SessionSelection(source, sessions: [2, 1, 1])
    #expect(selection.transitionCount == 7)
    #expect(selection.sessionCount == 3)
    let batch = selection.batch(at: Array(0..<7))
    #expect(batch.states == [20, 10, 11, 12, 10, 11, 12])
    #expect(batch.nextStates == [0, 11, 12, 99, 11, 12, 99])
    #expect(selection.session(2) == 4..<7)
    #expect(selection.userHash(of: 0) == 102)
    #expect(selection.sessionEnd(of: 1) == .truncated)
    #expect(selection.startTimeMilliseconds(of: 2) == 1000)
    #expect(selection.initialStates(of: [0, 2]) == [20, 10])
    #expect(selection.logPropensities(at: [0]) == [0])
  }

  @Test("hand-worked discounted returns")
  func returns() {
    #expect(discountedReturn(of: [1, 2, 4], discount: 0.5) == 3)
    #expect(discountedReturns(of: [1, 2, 4], discount: 0.5) == [3, 4, 4])
    #expect(discountedReturn(of: [], discount: 0.5) == 0)
    #expect(discountedReturns(of: [5], discount: 0) == [5])
  }

  @Test("normalized states have mean 0 and deviation 1, constants become 0, outliers stop at 5")
  func normalizer() throws {
    // Feature 0: 0, 2, 4, 6 (mean 3, deviation √5); feature 1 constant.
    let source = try TrajectoryArrays(
      [
        Trajectory(
          states: [0, 7, 2, 7, 4, 7, 6, 7], actions: [0, 0, 0, 0], rewards: [0, 0, 0, 0],
          end: .terminal)
      ], stateSize: 2, actionSize: 1)
    let normalizer = StateNormalizer.fit(on: source)
    #expect(normalizer.mean == [3, 7])
    #expect(abs(normalizer.deviation[0] - 2.236068) < 1e-6)
    #expect(normalizer.deviation[1] == 1)
    let normalized = normalizer.normalized([3, 7, 5.236068, 8, 1000, -1000])
    #expect(normalized[0] == 0 && normalized[1] == 0)
    #expect(abs(normalized[2] - 1) < 1e-6 && normalized[3] == 1)
    #expect(normalized[4] == 5 && normalized[5] == -5)
  }

  @Test("a normalizer survives JSON bit for bit, and a deviation of 0 is an error")
  func normalizerCoding() throws {
    let normalizer = StateNormalizer(mean: [0.1, 1.0 / 3], deviation: [3e-5, 7])
    let data = try JSONEncoder().encode(normalizer)
    #expect(try JSONDecoder().decode(StateNormalizer.self, from: data) == normalizer)
    for text in [
      #"{"mean": [1], "deviation": [0]}"#, #"{"mean": [1, 2], "deviation": [1]}"#,
    ] {
      #expect(throws: DecodingError.self) {
        try JSONDecoder().decode(StateNormalizer.self, from: Data(text.utf8))
      }
    }
  }
}
