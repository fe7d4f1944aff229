import BatchRL
import DenseKernels
import Foundation
import NeuralNetworks
import Testing

/// The terms of the actor-critics, against numbers worked by hand and central differences.
@Suite struct LearnerTermsTests {
  @Test("weights scale errors and values, the divisor stays the batch")
  func weights() {
    let loss = TemporalDifferenceLoss.lossAndGradient(
      values: Matrix(rows: 2, columns: 1, values: [1, 4]), targets: [3, 1], weights: [0.5, 2])
    #expect(loss.loss == 10)  // (0.5·4 + 2·9) / 2
    #expect(loss.meanAbsoluteError == 2.5)
    #expect(loss.gradient.values == [-1, 6])  // w·(Q − y)
    let objective = ValueObjective.lossAndGradient(
      values: Matrix(rows: 2, columns: 1, values: [1, 4]), weights: [0.5, 2])
    #expect(objective.loss == -4.25)
    #expect(objective.gradient.values == [-0.25, -1])
  }

  @Test("smoothing cuts the noise, then the action")
  func smoothing() {
    let result = SmoothedActions.smoothed(
      Matrix(rows: 2, columns: 2, values: [0, 0.5, 0.75, -0.25]), noise: [1, 4, 1, -0.5],
      deviation: 0.5, bound: 0.75)
    #expect(result.values == [0.5, 1, 1, -0.5])  // 0.5 + 0.75 is cut to 1
  }

  @Test("a sample counts β over its variance, at most w_max")
  func uncertainty() {
    let weights = UncertaintyWeights.weights(
      variances: [2, 0.25, 0, .infinity], scale: 0.5, largest: 1.5)
    #expect(weights == [0.25, 1.5, 1.5, 0])
    #expect(UncertaintyWeights.weights(variances: [.nan], scale: 1, largest: 1)[0].isNaN)
  }

  @Test("the penalty is the log of the importance-weighted mean, less the logged value")
  func penalty() {
    // exp(Q − log p): 4 and 2 for the first state, mean 3; 1 and 1 for the second.
    let log2 = Float(log(2.0))
    let result = ConservativePenalty.lossAndGradient(
      candidateValues: Matrix(rows: 4, columns: 1, values: [log2, 2 * log2, 5, 7]),
      logDensities: [-log2, log2, 5, 7],
      dataValues: Matrix(rows: 2, columns: 1, values: [0.5, -1.5]))
    #expect(abs(result.value - (log(3.0) - 0.5 + 0 + 1.5) / 2) < 1e-6)
    let expected: [Float] = [2.0 / 6, 1.0 / 6, 0.25, 0.25]  // softmax / B
    for (found, hand) in zip(result.candidateGradient.values, expected) {
      #expect(abs(found - hand) < 1e-6)
    }
    #expect(result.dataGradient == -0.5)
  }

  @Test("importance sampling finds the integral that a fine grid does")
  func integral() {
    // Q(a) = 2a − a² over [−1, 1]: uniform draws have log density −log 2.
    let count = 4001
    let grid = (0..<count).map { -1 + 2 * (Float($0) + 0.5) / Float(count) }
    let result = ConservativePenalty.lossAndGradient(
      candidateValues: Matrix(rows: count, columns: 1, values: grid.map { 2 * $0 - $0 * $0 }),
      logDensities: grid.map { _ in -Float(log(2.0)) },
      dataValues: Matrix(rows: 1, columns: 1, values: [0]))
    var integral = 0.0
    for i in 0..<200_000 {
      let a = -1 + 2 * (Double(i) + 0.5) / 200_000
      integral += exp(2 * a - a * a) * 1e-5
    }
    #expect(abs(result.value - log(integral)) < 1e-4)
  }

  @Test("a squashed draw has the density of its Gaussian over the slope of tanh")
  func squashedDensity() {
    // μ = 0.5, σ = 2, ε = −0.25: u = 0.
    let drawn = SquashedGaussian(
      output: Matrix(rows: 1, columns: 2, values: [0.5, Float(log(2.0))]), noise: [-0.25])
    #expect(abs(drawn.actions.values[0]) < 1e-6)
    let expected = -0.25 * 0.25 / 2 - log(2.0) - 0.5 * log(2 * Double.pi)
    #expect(abs(Double(drawn.logDensities[0]) - expected) < 1e-5)
    // u = 20: log(1 − tanh² u) = log 4 − 40 up to 1e-17, where 1 − a² is 0 in Float.
    let far = SquashedGaussian(
      output: Matrix(rows: 1, columns: 2, values: [20, 0]), noise: [0])
    #expect(abs(Double(far.logDensities[0]) - (-0.5 * log(2 * Double.pi) - log(4) + 40)) < 1e-4)
    // log σ is cut at 2 and has no slope there.
    let cut = SquashedGaussian(
      output: Matrix(rows: 1, columns: 2, values: [0, 5]), noise: [0.1])
    #expect(abs(cut.actions.values[0] - Float(tanh(0.1 * exp(2.0)))) < 1e-6)
    let slope = cut.outputGradient(
      actionGradient: Matrix(rows: 1, columns: 1, values: [1]), densityGradient: 1)
    #expect(slope.values[1] == 0)
  }

  @Test("the way back through the draw is that of central differences")
  func squashedGradient() {
    let output: [Float] = [0.3, -0.6, -0.4, 0.2, 0.9, 0.1, -1.2, 0.5]
    let noise: [Float] = [0.7, -1.1, 0.4, 1.6]
    let slopes: [Float] = [0.5, -1, 2, 0.25]
    func loss(_ output: [Double]) -> Double {
      var sum = 0.0
      for row in 0..<2 {
        for d in 0..<2 {
          let (mean, logDeviation) = (output[row * 4 + d], output[row * 4 + 2 + d])
          let epsilon = Double(noise[row * 2 + d])
          let a = tanh(mean + exp(logDeviation) * epsilon)
          let logDensity =
            -epsilon * epsilon / 2 - logDeviation - 0.5 * log(2 * Double.pi) - log(1 - a * a)
          sum += Double(slopes[row * 2 + d]) * a + 0.3 * logDensity
        }
      }
      return sum
    }
    let drawn = SquashedGaussian(output: Matrix(rows: 2, columns: 4, values: output), noise: noise)
    let gradient = drawn.outputGradient(
      actionGradient: Matrix(rows: 2, columns: 2, values: slopes), densityGradient: 0.3)
    for i in output.indices {
      var (up, down) = (output.map(Double.init), output.map(Double.init))
      up[i] += 1e-5
      down[i] -= 1e-5
      #expect(abs(Double(gradient.values[i]) - (loss(up) - loss(down)) / 2e-5) < 1e-4)
    }
  }

  @Test("an expectile weighs errors above the value by τ, below by 1 − τ")
  func expectile() {
    let result = ExpectileLoss.lossAndGradient(
      values: Matrix(rows: 2, columns: 1, values: [1, 1]), targets: [3, -1], expectile: 0.75)
    #expect(result.loss == 2)  // (0.75·4 + 0.25·4) / 2
    #expect(result.gradient.values == [-1.5, 0.5])
  }

  @Test("advantage weights are exponential and cut, and the regression is weighted likelihood")
  func advantages() {
    let weights = AdvantageRegression.weights(
      values: [1, 9, 2], stateValues: [1, 1, 2 - Float(log(2.0)) / 3], inverseTemperature: 3,
      largest: 100)
    #expect(weights[0] == 1 && weights[1] == 100 && abs(weights[2] - 2) < 1e-5)
    let result = AdvantageRegression.lossAndGradients(
      means: Matrix(rows: 2, columns: 1, values: [0, 0.5]), logDeviations: [Float(log(0.5))],
      actions: Matrix(rows: 2, columns: 1, values: [0.5, 0]), weights: [1, 3])
    // Each row: ½·(0.5/0.5)² + log 0.5 + ½·log 2π.
    let row = 0.5 + log(0.5) + 0.5 * log(2 * Double.pi)
    #expect(abs(result.value - 2 * row) < 1e-5)  // (1 + 3) / 2
    // −w·(a − m)/σ²/B: −1·0.5·4/2 and 3·0.5·4/2; Σ w·(1 − 1)/B = 0.
    #expect(result.meanGradient.values.map { ($0 * 1e4).rounded() / 1e4 } == [-1, 3])
    #expect(abs(result.logDeviationGradient[0]) < 1e-5)
  }
}
