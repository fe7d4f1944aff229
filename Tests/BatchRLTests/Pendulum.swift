import Foundation
import FusionMDP
import SeededRandom

/// A rigid pendulum to be swung up and held, as in classic control benchmarks.
///
/// State: (cos θ, sin θ, θ̇/8), θ = 0 upright. Action in [−1, 1]: a torque of up to 2. Reward:
/// −(θ² + 0.1·θ̇² + 0.001·torque²) / 10, θ in (−π, π].
struct Pendulum {
  static let stepsPerEpisode = 100
  private(set) var angle: Double
  private(set) var speed: Double

  init(using stream: inout RandomStream) {
    angle = stream.uniform(in: -Double.pi...Double.pi)
    speed = stream.uniform(in: -1...1)
  }

  var state: [Float] { [Float(cos(angle)), Float(sin(angle)), Float(speed / 8)] }

  private var wrapped: Double { atan2(sin(angle), cos(angle)) }

  mutating func step(_ action: Float) -> Float {
    let torque = 2 * Double(min(max(action, -1), 1))
    let cost = wrapped * wrapped + 0.1 * speed * speed + 0.001 * torque * torque
    speed = min(max(speed + (15 * sin(angle) + 3 * torque) * 0.05, -8), 8)
    angle += speed * 0.05
    return Float(-cost / 10)
  }

  /// Pumps energy until the pendulum is near the top, then holds it there.
  var controlled: Float {
    if abs(wrapped) < 0.5 && abs(speed) < 3 {
      return Float(min(max(-(10 * wrapped + 2 * speed) / 2, -1), 1))
    }
    let missing = 1 - (speed * speed / 30 + cos(angle))  // of the energy at the top
    return Float(min(max(missing * (speed >= 0 ? 1 : -1) * 2, -1), 1))
  }

  /// Who drove while the sessions were logged.
  enum Regime: CaseIterable, Sendable {
    /// Uniform actions.
    case random
    /// As in BCQ: a good controller that does something random in three steps of ten and trembles
    /// in the others.
    case imperfect
    /// The good controller with next to no trembling: the data know one action a state.
    case narrow
  }

  /// Sessions of a regime.
  static func data(_ regime: Regime, episodes: Int, seed: UInt64) throws -> TrajectoryArrays {
    var stream = RandomStream(seed: seed, name: "\(regime) pendulum")
    let (randomShare, deviation): (Double, Float) =
      switch regime {
      case .random: (1, 0)
      case .imperfect: (0.3, 0.3)
      case .narrow: (0, 0.02)
      }
    let trajectories = (0..<episodes).map { _ in
      var pendulum = Pendulum(using: &stream)
      var (states, actions, rewards): ([Float], [Float], [Float]) = ([], [], [])
      for _ in 0..<stepsPerEpisode {
        let isRandom = stream.uniform() < randomShare
        let trembling = pendulum.controlled + deviation * Float(stream.gaussian())
        let random = Float(stream.uniform(in: -1...1))
        let action = isRandom ? random : min(max(trembling, -1), 1)
        states += pendulum.state
        actions.append(action)
        rewards.append(pendulum.step(action))
      }
      return Trajectory(
        states: states, actions: actions, rewards: rewards, end: .truncated,
        finalState: pendulum.state)
    }
    return try TrajectoryArrays(trajectories, stateSize: 3, actionSize: 1)
  }

  /// The mean return of an episode under a policy, over the same starts for every policy.
  static func meanReturn(_ policy: any FusionPolicy, episodes: Int, seed: UInt64) -> Double {
    var stream = RandomStream(seed: seed, name: "pendulum starts")
    let starts = (0..<episodes).map { _ in Pendulum(using: &stream) }
    return meanReturn(policy, from: starts, discount: 1, drawingFrom: stream)
  }

  /// The mean of Σ γᵗ·r over so many steps from these starts.
  static func meanReturn(
    _ policy: any FusionPolicy, from starts: [Pendulum], discount: Double,
    drawingFrom stream: RandomStream
  ) -> Double {
    var pendulums = starts
    var decisions = stream.child("decisions")
    var (total, weight) = (0.0, 1.0)
    for _ in 0..<stepsPerEpisode {
      let requests = PolicyRequests(
        states: pendulums.flatMap(\.state), stateSize: 3,
        userHashes: [UInt64](repeating: 0, count: pendulums.count))
      let actions = policy.decide(requests, using: &decisions).actions
      for index in pendulums.indices {
        total += weight * Double(pendulums[index].step(actions[index]))
      }
      weight *= discount
    }
    return total / Double(pendulums.count)
  }
}

/// The controller itself, without noise: how good the data could be.
struct PendulumController: FusionPolicy {
  let name = "controller"
  let actionSize = 1

  func decide(_ requests: PolicyRequests, using stream: inout RandomStream) -> PolicyDecisions {
    PolicyDecisions(
      actions: stride(from: 0, to: requests.states.count, by: 3).map { i in
        Pendulum(state: Array(requests.states[i..<i + 3])).controlled
      })
  }
}

extension Pendulum {
  init(state: [Float]) {
    angle = atan2(Double(state[1]), Double(state[0]))
    speed = Double(state[2]) * 8
  }
}
