import DurableFiles
import Foundation
import FusionMDP
import PolicyArtifacts
import SeededRandom

/// Test sessions in which the reward of a step is 1 + the weight of the first task, so that policies
/// have known values, and fixed policies with that weight.
///
/// States are 3 normal numbers, weights even in [−1, 1], sessions 1 step, users 2 sessions: a policy
/// whose first weight is w is worth 1 + w.
struct GateFixture {
  static let sessionCount = 800
  let scratch: ScratchFolder

  /// What the sessions are like.
  struct Log {
    var rewardFactor: Float = 1
    var sessions = GateFixture.sessionCount
    /// The user's hash of a session.
    var user: (_ session: Int) -> UInt64 = { UInt64($0 / 2) }
    /// Whether every session has the same weights.
    var hasOneAction = false
    /// Whether all sessions of a user have the weights of the first.
    var hasOneActionPerUser = false
    /// Whether the first weight was drawn from a Gaussian of mean 0.5 and deviation 0.7, cut to the box,
    /// instead of evenly.
    var isSkewed = false
    /// The logged log density of a step, of the true ones of all steps; nil logs none.
    var propensity: ((_ step: Int, _ all: [Float]) -> Float)? = { step, all in all[step] }
    /// Whether the state holds the reward of its own step.
    var leaks = false
    /// Whether the window cut the sessions.
    var isCut = false
  }

  init() throws {
    scratch = try ScratchFolder()
    try write(Log(), to: "data")
    for (name, weight) in [("worse", Float(-0.3)), ("better", 0.3), ("slight", 0.305)] {
      try artifact(name, weight, meanReward: 1).write(to: path(name))
    }
  }

  func path(_ name: String) -> String { scratch.file(name) }

  /// A policy that gives the first task this weight and all others 0.
  func artifact(_ name: String, _ weight: Float, meanReward: Double?) throws -> PolicyArtifact {
    let count = TaskSchema.standard.count
    return try PolicyArtifact(
      policy: FixedWeightsPolicy(
        name: name, action: [weight] + [Float](repeating: 0, count: count - 1)),
      algorithm: "hand",
      dataWindow: PolicyManifest.DataWindow(
        fromMilliseconds: 0, toMilliseconds: 1, sessions: 10, transitions: 20,
        meanReward: meanReward), seed: 1, revision: "0123abc")
  }

  /// Writes sessions as trajectory shards.
  func write(_ log: Log, to name: String) throws {
    let (sessions, steps) = (log.sessions, log.sessions)
    let width = TaskSchema.standard.count
    var stream = RandomStream(seed: 5, name: "gate fixture")
    var actions =
      log.hasOneAction
      ? [Float](repeating: 0.1, count: steps * width)
      : (0..<steps * width).map { _ in Float(stream.uniform(in: -1...1)) }
    if log.isSkewed {
      for step in 0..<steps {
        var drawn: Double
        repeat { drawn = 0.5 + 0.7 * stream.gaussian() } while abs(drawn) > 1
        actions[step * width] = Float(drawn)
      }
    }
    if log.hasOneActionPerUser {
      for step in 1..<steps where log.user(step) == log.user(step - 1) {
        for k in 0..<width { actions[step * width + k] = actions[(step - 1) * width + k] }
      }
    }
    var noise = stream.child("noise")
    let rewards = (0..<steps).map { step in
      log.rewardFactor * (1 + actions[step * width] + 0.2 * Float(noise.gaussian()))
    }
    var states = stream.gaussians(steps * 3)
    if log.leaks { for step in 0..<steps { states[step * 3] = rewards[step] } }
    // Even weights in a box of volume 2^K, but for the first one where it is skewed.
    let densities = (0..<steps).map { step in
      let even = -Double(width) * Foundation.log(2.0)
      guard log.isSkewed else { return Float(even) }
      let mass =
        NormalDistribution.cumulative(0.5 / 0.7) - NormalDistribution.cumulative(-1.5 / 0.7)
      let first = NormalDistribution.logDensity(
        Double(actions[step * width]), mean: 0.5, deviation: 0.7)
      return Float(even + Foundation.log(2.0) + first - Foundation.log(mass))
    }
    var tensors = [
      ("states", Tensor(states, shape: [steps, 3])),
      ("actions", Tensor(actions, shape: [steps, width])), ("rewards", Tensor(rewards)),
      ("session_offsets", Tensor((0...sessions).map { Int64($0) })),
      ("session_end", Tensor([UInt8](repeating: log.isCut ? 1 : 0, count: sessions))),
      ("user_hash", Tensor((0..<sessions).map(log.user))),
    ]
    if log.isCut {
      tensors.append(
        ("final_states", Tensor(stream.gaussians(sessions * 3), shape: [sessions, 3])))
    }
    if let propensity = log.propensity {
      tensors.append(
        ("log_propensities", Tensor((0..<steps).map { propensity($0, densities) })))
    }
    try DurableFiles.makeFolders(path(name))
    try Safetensors.write(tensors, to: path(name) + "/0.safetensors")
    try DurableFiles.write(
      #"{"format": "amalgam trajectories", "version": 1}"#, to: path(name) + "/manifest.json")
  }

  /// Runs `evaluate` with fits that come to their end in a second.
  func evaluate(_ policy: String, on data: String = "data", _ more: String...) throws
    -> AmalgamProcess
  {
    try AmalgamProcess(
      ["evaluate", "--policy", path(policy), "--data", path(data)] + more
        + [
          "--set", "evaluation.rounds=3000", "--set", "evaluation.hidden=[16]", "--set",
          "evaluation.batchSize=64", "--set", "evaluation.learningRate=0.003", "--set",
          "evaluation.fits=3",
        ])
  }
}
