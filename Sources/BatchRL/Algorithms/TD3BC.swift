// TD3+BC: TD3 whose actor also imitates the logged actions.
//
// Source: Fujimoto and Gu, "A minimalist approach to offline reinforcement learning", NeurIPS 2021,
// eqs 3 to 5, and its published code. Not in the paper's table; the usual strong baseline.
//
// | symbol | name here   | shape | default, source                             |
// | ------ | ----------- | ----- | ------------------------------------------- |
// |        | td3         |       | as TD3's                                    |
// | α      | valueWeight |       | 2.5, the source                             |
//
//     min_π −λ·(1/B) Σ Q_φ1(s, π(s)) + (1/BA) Σ (π(s) − a)²,   λ = α / ((1/B) Σ |Q_φ1(s, π(s))|)
//
// λ gets no gradient. States are normalized, as the source asks.
//
// ## Departures from the source
//
// Those of TD3.

package import DenseKernels
package import NeuralNetworks
package import SeededRandom

/// TD3+BC.
package typealias TD3BC = TwinDelayedLearner<TD3BCConfiguration>

/// The constants of TD3+BC.
package struct TD3BCConfiguration: TwinDelayedConfiguration {
  package static let algorithm = "td3_bc"

  /// What it has in common with TD3.
  package var td3 = TD3Configuration()
  /// α: how much values count beside imitation.
  package var valueWeight: Float = 2.5

  /// The defaults.
  package init() {}

  /// 1.
  package var cloningWeight: Float { 1 }

  /// The first setting that is out of its range, in words; nil when all are fine.
  package var problem: String? {
    td3.problem.map { "td3.\($0)" }
      ?? SettingRanges.notNegative([("valueWeight", valueWeight)])
  }

  /// λ for each.
  package func valueWeights(
    critic: MultilayerPerceptron, stateActions: Matrix, values: [Float],
    drawingFrom stream: RandomStream
  ) -> [Float]? {
    let mean = values.reduce(0.0) { $0 + Double(abs($1)) } / Double(values.count)
    // Values of exactly 0 have no gradient worth a weight.
    let weight = mean == 0 ? 0 : valueWeight / Float(mean)
    return [Float](repeating: weight, count: values.count)
  }
}
