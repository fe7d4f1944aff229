import DenseKernels
import FusionMDP
import NeuralNetworks
import PolicyArtifacts
import SeededRandom

/// Policies of graded quality that estimators are tried on, chosen by a rule that no result entered.
///
/// From the best static weights b of a search, with names that say how they were made:
///
/// | share | policies | weights |
/// | --- | --- | --- |
/// | half | `static t` | (2t − 1)·b for t evenly from 0 to 1: from the mirror image of b to b |
/// | a quarter | `noisy σ` | b + σ·z, z standard normal, drawn once a policy; σ = 0.3, 0.6, 0.9 … |
/// | a quarter | `personal σ` | b + σ·W·s/√S, W standard normal, s the normalized state; the same σ |
///
/// Weights are cut to [−1, 1]. The first kind is graded by construction, the second leaves that line
/// in every direction, the third differs by user and moment for no good reason.
struct ValidationPolicies {
  /// b: the normalized action [A].
  let best: [Float]
  /// Of the states.
  let normalizer: StateNormalizer
  /// What noise and networks are drawn from.
  let stream: RandomStream

  /// The deviation of the first noisy and the first personal policy, and how it grows.
  private static let deviation: Float = 0.3

  /// `count` policies, at least 4.
  func policies(_ count: Int) -> [any FusionPolicy] {
    let quarter = count / 4
    let path = count - 2 * quarter
    return (0..<path).map { interpolated(Float($0) / Float(path - 1)) }
      + (1...quarter).map { noisy($0) } + (1...quarter).map { personal($0) }
  }

  private func interpolated(_ share: Float) -> any FusionPolicy {
    FixedWeightsPolicy(
      name: "static \(Self.short(share))", action: best.map { (2 * share - 1) * $0 })
  }

  private func noisy(_ step: Int) -> any FusionPolicy {
    var noise = stream.child("noisy", step)
    let deviation = Self.deviation * Float(step)
    return FixedWeightsPolicy(
      name: "noisy \(Self.short(deviation))",
      action: best.map { min(max($0 + deviation * Float(noise.gaussian()), -1), 1) })
  }

  private func personal(_ step: Int) -> any FusionPolicy {
    var noise = stream.child("personal", step)
    let deviation = Self.deviation * Float(step)
    let shape = MultilayerPerceptron.Shape(
      inputs: normalizer.stateSize, hidden: [], outputs: best.count)
    let scale = deviation / Float(normalizer.stateSize).squareRoot()
    // One layer: weights [S, A], then biases [A].
    let weights = (0..<normalizer.stateSize * best.count).map { _ in
      scale * Float(noise.gaussian())
    }
    return NetworkPolicy(
      name: "personal \(Self.short(deviation))",
      network: MultilayerPerceptron(shape: shape, parameters: weights + best),
      normalizer: normalizer)
  }

  private static func short(_ value: Float) -> String {
    "\((Double(value) * 100).rounded() / 100)"
  }
}
