// UWAC+TD3: TD3 whose samples count less where the critics are unsure of them.
//
// Source: Wu et al., "Uncertainty weighted actor-critic for offline reinforcement learning", ICML
// 2021 (arXiv 2105.08140), with TD3 in the place of BEAR, as in Zhang et al., KDD 2022 (arXiv
// 2208.04560), called the paper here.
//
// | symbol | name here         | shape | default, source                                      |
// | ------ | ----------------- | ----- | ---------------------------------------------------- |
// |        | td3               |       | as TD3's                                             |
// | p      | dropoutRate       |       | 0.1, the source's code                               |
// | T      | dropoutSamples    |       | 100, the source's code                               |
// | β      | uncertaintyScale  |       | 0.5, the source's code                               |
// | w_max  | largestWeight     |       | 1, the source's code                                 |
//
//     w = min(β / Var[Q_φ′(s′, a′)], w_max)   in the critics' loss, the mean variance of both
//     v = min(β / Var[Q_φ1(s, π(s))], w_max)  in the actor's
//
// where Var is over T dropout masks. No weight gets a gradient.
//
// ## Departures from the source
//
// * TD3 and not BEAR: no distance between policy and data is held (as the paper's UWAC+TD3).
// * A drawn mask serves the whole batch, as a draw of the network's weights (Gal and Ghahramani
//   2016); the source draws masks row by row. The variance of a row has the same expectation.
//   (`DropoutTests`)
// * Values that are not a variance are those of the network without masks, which is their mean to
//   first order; the source averages its T samples. No spectral normalization.
// * The departures of TD3.

package import DenseKernels
package import NeuralNetworks
package import SeededRandom

/// UWAC+TD3.
package typealias UWACTD3 = TwinDelayedLearner<UWACTD3Configuration>

/// The constants of UWAC+TD3.
package struct UWACTD3Configuration: TwinDelayedConfiguration {
  package static let algorithm = "uwac_td3"

  /// What it has in common with TD3.
  package var td3 = TD3Configuration()
  /// p: the share of hidden units of the critics that a mask leaves out.
  package var dropoutRate: Float = 0.1
  /// T: the masks that a variance is taken over.
  package var dropoutSamples = 100
  /// β: the variance, in squared reward, from which on a sample counts less (at a w_max of 1).
  package var uncertaintyScale: Float = 0.5
  /// w_max: what a sample counts at most.
  package var largestWeight: Float = 1

  /// The defaults.
  package init() {}

  /// At p.
  package var dropout: Dropout? { Dropout(rate: dropoutRate) }

  /// The first setting that is out of its range, in words; nil when all are fine.
  package var problem: String? {
    td3.problem.map { "td3.\($0)" }
      ?? SettingRanges.widths("td3.hidden", td3.hidden, atLeast: 1)
      ?? ((0..<1).contains(dropoutRate)
        ? nil : "dropoutRate is \(dropoutRate), expected a number in [0, 1)")
      ?? SettingRanges.counts([("dropoutSamples", dropoutSamples)], atLeast: 2)
      ?? SettingRanges.positive([
        ("uncertaintyScale", uncertaintyScale), ("largestWeight", largestWeight),
      ])
  }

  /// w.
  package func criticWeights(
    targets: [MultilayerPerceptron], nextStateActions: Matrix, drawingFrom stream: RandomStream
  ) -> [Float]? {
    var variances = [Float](repeating: 0, count: nextStateActions.rows)
    for (index, target) in targets.enumerated() {
      let own = self.variances(
        of: target, at: nextStateActions, drawingFrom: stream.child("target dropout", index))
      VectorMath.axpy(1 / Float(targets.count), own, to: &variances)
    }
    return weights(variances)
  }

  /// v.
  package func valueWeights(
    critic: MultilayerPerceptron, stateActions: Matrix, values: [Float],
    drawingFrom stream: RandomStream
  ) -> [Float]? {
    weights(variances(of: critic, at: stateActions, drawingFrom: stream.child("actor dropout")))
  }

  private func variances(
    of critic: MultilayerPerceptron, at stateActions: Matrix, drawingFrom stream: RandomStream
  ) -> [Float] {
    var stream = stream
    return Dropout(rate: dropoutRate).moments(
      of: critic, at: stateActions, samples: dropoutSamples, using: &stream
    ).variance
  }

  private func weights(_ variances: [Float]) -> [Float] {
    UncertaintyWeights.weights(
      variances: variances, scale: uncertaintyScale, largest: largestWeight)
  }
}
