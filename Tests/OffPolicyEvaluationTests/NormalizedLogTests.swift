import FusionMDP
import OffPolicyEvaluation
import Testing

@Suite("Normalized log")
struct NormalizedLogTests {
  @Test("transitions gathered once change no bit of a fit", arguments: [1, 3])
  func sameBits(samples: Int) throws {
    // Terminal and cut sessions, some of one step.
    let trajectories = (0..<40).map { m in
      let steps = 1 + m % 4
      let isCut = m.isMultiple(of: 3)
      func value(_ index: Int) -> Float { Float((m * 7 + index * 13) % 11) / 11 }
      return Trajectory(
        states: (0..<2 * steps).map { value($0) }, actions: (0..<steps).map { value($0) - 0.5 },
        rewards: (0..<steps).map { value(3 * $0) }, end: isCut ? .truncated : .terminal,
        finalState: isCut ? [value(5), value(6)] : nil,
        startTimeMilliseconds: Int64(m), userHash: UInt64(m % 12))
    }
    let data = try TrajectoryArrays(trajectories, stateSize: 2, actionSize: 1)
    let normalizer = StateNormalizer.fit(on: data)
    let policy = RandomExploration(actionSize: 1, deviation: 0.3)
    var fit = FittedQConfiguration()
    fit.rounds = 60
    fit.batchSize = 16
    fit.hidden = [8]
    fit.learningRate = 1e-2
    fit.intervalFits = 2
    fit.policySamples = samples
    func estimates(_ log: NormalizedLog?) throws -> [PolicyValueEstimate] {
      let sessions = try EvaluationSessions(
        policy: policy, data: data, normalizer: normalizer, samples: samples, log: log, seed: 5)
      return try [
        ConservativeEstimator(configuration: fit).estimate(
          on: sessions, seed: 5, progress: .silent),
        LinearFittedQ(configuration: fit).estimate(on: sessions, seed: 5, progress: .silent),
      ]
    }
    let gathered = try estimates(NormalizedLog(data, normalizer: normalizer))
    let read = try estimates(nil)
    #expect(gathered.map(\.value) == read.map(\.value))
    #expect(gathered.map(\.low) == read.map(\.low))
    #expect(
      gathered.map(\.fit?.temporalDifferenceError) == read.map(\.fit?.temporalDifferenceError))
  }
}
