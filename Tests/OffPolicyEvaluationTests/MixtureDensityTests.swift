import DenseKernels
import Foundation
import FusionMDP
import OffPolicyEvaluation
import SeededRandom
import Testing

@Suite("mixture density network")
struct MixtureDensityTests {
  private let configuration: BehaviorDensityConfiguration = {
    var configuration = BehaviorDensityConfiguration()
    configuration.hidden = [7]
    return configuration
  }()

  private func network(actionSize: Int, components: Int) -> MixtureDensityNetwork {
    var stream = RandomStream(seed: 4, name: "mixture-density")
    var network = MixtureDensityNetwork(
      stateSize: 3, actionSize: actionSize, components: components, configuration: configuration,
      around: stream.gaussians(20 * actionSize, clippedTo: 1), initializedBy: &stream)
    // Far from where it begins, so that the state matters.
    let moved = zip(network.parameters, stream.gaussians(network.parameters.count))
      .map { $0 + 0.4 * $1 }
    network = network.with(parameters: moved)
    return network
  }

  /// −log p by the textbook in Double, from the domain's own cut Gaussian.
  private func reference(
    _ parameters: [Double], states: [Double], actions: [Double], components: Int
  ) -> Double {
    let (inputs, hidden) = (3, 7)
    let size = actions.count / (states.count / inputs)
    let outputs = components * (1 + 2 * size)
    let second = inputs * hidden + hidden
    func affine(_ x: [Double], at start: Int, outputs: Int) -> [Double] {
      (0..<outputs).map { j in
        x.indices.reduce(parameters[start + x.count * outputs + j]) {
          $0 + x[$1] * parameters[start + $1 * outputs + j]
        }
      }
    }
    let (low, high) = (log(0.01), log(4.0))
    var sum = 0.0
    for row in 0..<states.count / inputs {
      let x = Array(states[row * inputs..<(row + 1) * inputs])
      let z = affine(
        affine(x, at: 0, outputs: hidden).map { max($0, 0) }, at: second, outputs: outputs)
      let weights = z[..<components].map { exp($0) }
      let total = weights.reduce(0, +)
      var density = 0.0
      for k in 0..<components {
        var joint = weights[k] / total
        for d in 0..<size {
          let i = components + k * size + d
          let spread = exp((low + high) / 2 + (high - low) / 2 * tanh(z[i + components * size]))
          joint *= exp(
            TruncatedGaussian(mean: tanh(z[i]), deviation: spread)
              .logDensity(actions[row * size + d]))
        }
        density += joint
      }
      sum -= log(density)
    }
    return sum / Double(states.count / inputs)
  }

  @Test("loss and gradient are those of the textbook formula, by central differences")
  func gradient() {
    let network = network(actionSize: 2, components: 3)
    var stream = RandomStream(seed: 6, name: "points")
    let states = stream.gaussians(5 * 3)
    let actions = stream.gaussians(5 * 2, clippedTo: 1)
    let found = network.loss(
      states: Matrix(rows: 5, columns: 3, values: states), actions: actions)
    let point = network.parameters.map(Double.init)
    let value: ([Double]) -> Double = {
      reference(
        $0, states: states.map(Double.init), actions: actions.map(Double.init), components: 3)
    }
    #expect(abs(found.value - value(point)) < 1e-5 * max(1, abs(found.value)))
    var moved = point
    var typical = 0.0
    let expected = point.indices.map { i -> Double in
      moved[i] = point[i] + 1e-5
      let above = value(moved)
      moved[i] = point[i] - 1e-5
      let below = value(moved)
      moved[i] = point[i]
      return (above - below) / 2e-5
    }
    typical = (expected.reduce(0) { $0 + $1 * $1 } / Double(expected.count)).squareRoot()
    #expect(typical > 0.01)
    for (i, slope) in expected.enumerated() {
      let error = abs(Double(found.gradient[i]) - slope) / max(abs(slope), typical)
      #expect(error < 2e-4, "parameter \(i): \(found.gradient[i]) against \(slope)")
    }
  }

  @Test("the density integrates to one over the box, and its integral up to a is P(A ≤ a)")
  func integral() {
    let network = network(actionSize: 1, components: 3)
    let cells = 20_000
    let grid = (0...cells).map { Float(-1 + 2 * Double($0) / Double(cells)) }
    for state: [Float] in [[0, 0, 0], [1, -2, 0.5], [-3, 3, 1], [5, 5, -5]] {
      let states = Matrix(rows: grid.count, columns: 3, values: grid.flatMap { _ in state })
      let densities = network.logDensities(states: states, actions: grid).map { exp($0) }
      let reached = network.probabilities(states: states, actions: grid)
      var integral = 0.0
      for cell in 0..<cells {
        integral += (densities[cell] + densities[cell + 1]) / Double(cells)
        #expect(abs(integral - reached[cell + 1]) < 2e-4)
      }
      #expect(abs(integral - 1) < 1e-5, "\(integral)")
      #expect(reached[0] == 0 && abs(reached[cells] - 1) < 1e-12)
    }
  }

  @Test("in two dimensions it integrates to one as well")
  func plane() {
    let network = network(actionSize: 2, components: 2)
    let cells = 200
    // Midpoints.
    let axis = (0..<cells).map { Float(-1 + 2 * (Double($0) + 0.5) / Double(cells)) }
    let actions = axis.flatMap { x in axis.flatMap { [x, $0] } }
    let states = Matrix(
      rows: cells * cells, columns: 3,
      values: (0..<cells * cells).flatMap { _ in [Float(0.3), -0.2, 1] })
    let sum = network.logDensities(states: states, actions: actions).reduce(0) { $0 + exp($1) }
    #expect(abs(sum * 4 / Double(cells * cells) - 1) < 1e-3)
  }
}
