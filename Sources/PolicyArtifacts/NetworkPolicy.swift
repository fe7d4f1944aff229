import DenseKernels
public import FusionMDP
package import NeuralNetworks
public import SeededRandom

/// A deterministic policy of one network: a = clip(network(normalized s), ±1).
///
/// Behavior cloning, TD3 and evolution strategies end in one. The network's last layer is usually
/// tanh; the clip makes any other safe.
public struct NetworkPolicy: FusionPolicy {
  /// The name in reports and logs.
  public let name: String
  /// S → A.
  package let network: MultilayerPerceptron
  /// What the network was trained on.
  public let normalizer: StateNormalizer

  /// A policy of a trained network.
  package init(name: String, network: MultilayerPerceptron, normalizer: StateNormalizer) {
    precondition(
      network.shape.inputs == normalizer.stateSize,
      "a network of \(network.shape.inputs) inputs, a normalizer of \(normalizer.stateSize)")
    self.name = name
    self.network = network
    self.normalizer = normalizer
  }

  /// The size of an action, A.
  public var actionSize: Int { network.shape.outputs }

  /// The size of a state, S.
  public var stateSize: Int { network.shape.inputs }

  /// Decides for B requests; draws nothing.
  public func decide(
    _ requests: PolicyRequests, using stream: inout RandomStream
  ) -> PolicyDecisions {
    let states = requests.normalizedStates(0..<requests.count, by: normalizer)
    return PolicyDecisions(actions: network(states).values.map { min(max($0, -1), 1) })
  }
}
