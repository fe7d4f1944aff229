import BatchRL
import DenseKernels
import Testing

@Suite struct BootstrapTargetTests {
  @Test("eq. 7 takes the best candidate by the smaller of two critics")
  func paperTarget() {
    // Two states of three candidates; the minima are 1, 2, 0 and −3, −1, −2.
    let values = BootstrapTarget.stateValues(
      firstValues: [1, 5, 0, -3, 4, -2], secondValues: [7, 2, 9, -2, -1, 8], candidates: 3,
      minimumWeight: 1)
    #expect(values == [2, -1])
    let targets = BootstrapTarget.targets(
      rewards: [0.5, 1], bootstraps: [1, 1], stateValues: values, discount: 0.5)
    #expect(targets == [1.5, 0.5])
  }

  @Test("λ blends the smaller and the larger value before the best is taken")
  func blended() {
    // λ = 0.75: candidates 0.75·1 + 0.25·7 = 2.5 and 0.75·2 + 0.25·5 = 2.75.
    let values = BootstrapTarget.stateValues(
      firstValues: [1, 5], secondValues: [7, 2], candidates: 2, minimumWeight: 0.75)
    #expect(values == [2.75])
  }

  @Test("a terminal step has no bootstrap whatever its next value, a truncated one has")
  func terminal() {
    let targets = BootstrapTarget.targets(
      rewards: [1, 1, 1], bootstraps: [0, 1, 0], stateValues: [100, 100, .nan], discount: 0.9)
    #expect(targets == [1, 91, 1])
  }

  @Test("a value that is not a number is not hidden by the maximum")
  func notANumber() {
    for (first, second) in [([Float.nan, 1], [Float(0), 0]), ([0, 1], [0, .nan])] {
      let values = BootstrapTarget.stateValues(
        firstValues: first, secondValues: second, candidates: 2, minimumWeight: 1)
      #expect(values[0].isNaN)
    }
  }
}

@Suite struct PerturbedActionsTests {
  let actions = Matrix(rows: 2, columns: 2, values: [0.25, 0.95, -0.95, -1])
  let output = Matrix(rows: 2, columns: 2, values: [0.5, 1, -1, 1])

  @Test("a perturbed action is moved by ρ times the output and clipped to [−1, 1]")
  func moved() {
    let result = PerturbedActions.perturbed(actions, by: output, bound: 0.125)
    #expect(result.values == [0.3125, 1, -1, -0.875])
    #expect(PerturbedActions.perturbed(actions, by: output, bound: 0) == actions)
  }

  @Test("the slope is ρ inside and 0 where the clip holds the action")
  func slope() {
    let gradient = Matrix(rows: 2, columns: 2, values: [2, 2, 4, 4])
    let result = PerturbedActions.outputGradient(
      gradient, actions: actions, output: output, bound: 0.125)
    #expect(result.values == [0.25, 0, 0, 0.5])
  }
}

@Suite struct TemporalDifferenceLossTests {
  @Test("eq. 6 is the mean squared error, its slope 2(Q − y)/B")
  func loss() {
    let result = TemporalDifferenceLoss.lossAndGradient(
      values: Matrix(rows: 4, columns: 1, values: [1, 2, 3, 4]), targets: [1, 0, 4, 2])
    #expect(result.loss == 2.25)  // (0 + 4 + 1 + 4) / 4
    #expect(result.meanAbsoluteError == 1.25)  // (0 + 2 + 1 + 2) / 4
    #expect(result.gradient.values == [0, 1, -0.5, 1])
  }
}

@Suite struct ValueObjectiveTests {
  @Test("eq. 5 as a loss is minus the mean value, its slope −1/B")
  func objective() {
    let result = ValueObjective.lossAndGradient(
      values: Matrix(rows: 4, columns: 1, values: [1, 2, 3, 10]))
    #expect(result.loss == -4)
    #expect(result.gradient.values == [-0.25, -0.25, -0.25, -0.25])
  }
}

@Suite struct StatisticsTests {
  @Test("distance and saturation of actions")
  func actions() {
    let statistics = ActionStatistics(actions: [1, -0.99, 0.98, 0], logged: [0, -0.99, 0.98, 1])
    #expect(statistics.saturationShare == 0.5)
    #expect(abs(statistics.distanceFromData - 0.5.squareRoot()) < 1e-12)
  }

  @Test("mean, deviation and largest value; a NaN shows in the largest")
  func values() {
    let statistics = ValueStatistics([1, -5, 1, 7])
    #expect(statistics.mean == 1 && statistics.largest == 7)
    #expect(abs(statistics.deviation - 18.0.squareRoot()) < 1e-12)
    #expect(ValueStatistics([1, .nan, 3]).largest.isNaN)
    #expect(ValueStatistics([1, -.infinity]).largest == .infinity)
  }
}
