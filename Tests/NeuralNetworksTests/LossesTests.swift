import DenseKernels
import Foundation
import NeuralNetworks
import SeededRandom
import Testing

@Suite("Losses")
struct LossesTests {
  private static let reductions: [Losses.Reduction] = [
    .sum, .meanOverRows, .meanOverEntries, .weightedMean,
  ]
  private static let weights: [Losses.Weights] = [
    .equal, .perRow([1, 0, 2.5]), .perEntry([0, 1, 0.5, 2, 0, 0, 1, 1.5]),
  ]

  private func column(_ values: [Float]) -> Matrix {
    Matrix(rows: values.count, columns: 1, values: values)
  }

  @Test("squared error: values and gradients worked out by hand, for each reduction")
  func squaredErrorByHand() {
    let predictions = Matrix(rows: 2, columns: 2, values: [1, 2, 3, 4])
    let targets = Matrix(rows: 2, columns: 2, values: [0, 4, 3, 1])  // errors 1, −2, 0, 3
    func loss(_ reduction: Losses.Reduction, _ weights: Losses.Weights = .equal)
      -> Losses.Result
    {
      Losses.squaredError(
        predictions, targets: targets, weights: weights, reduction: reduction)
    }
    #expect(loss(.sum).value == 14)
    #expect(loss(.sum).gradient.values == [2, -4, 0, 6])
    #expect(loss(.meanOverRows).value == 7)
    #expect(loss(.meanOverEntries).value == 3.5)
    #expect(loss(.meanOverEntries).gradient.values == [0.5, -1, 0, 1.5])
    #expect(loss(.weightedMean).value == 3.5)
    // Weights 1 and 3 for the rows: 5 + 27 = 32 over 2·(1 + 3) = 8 entries.
    #expect(loss(.weightedMean, .perRow([1, 3])).value == 4)
    #expect(loss(.weightedMean, .perRow([1, 3])).gradient.values == [0.25, -0.5, 0, 2.25])
    #expect(loss(.meanOverRows, .perRow([1, 3])).value == 16)
    #expect(loss(.weightedMean, .perEntry([0, 1, 1, 0])).value == 2)
    #expect(loss(.weightedMean, .perEntry([0, 0, 0, 0])).value == 0)
    #expect(loss(.weightedMean, .perRow([0, 0])).gradient.values == [0, 0, 0, 0])
  }

  @Test("Huber's loss is quadratic inside its threshold and linear outside")
  func huberByHand() {
    let loss = Losses.huber(
      column([0.5, 3, -4]), targets: column([0, 0, 0]), threshold: 2, reduction: .sum)
    // 0.125; 2·(3 − 1) = 4; 2·(4 − 1) = 6
    #expect(loss.value == 10.125)
    #expect(loss.gradient.values == [0.5, 2, -2])
  }

  @Test("cross-entropy of a logit 0 is log 2, and stays exact at logits of ±90")
  func crossEntropyByHand() {
    func loss(_ logit: Float, _ label: Float) -> Losses.Result {
      Losses.binaryCrossEntropy(logits: column([logit]), labels: column([label]))
    }
    #expect(abs(loss(0, 1).value - 0.693147180559945) < 1e-7)
    #expect(abs(loss(0, 1).gradient.values[0] + 0.5) < 1e-7)
    #expect(abs(loss(2, 0.25).value - (log1p(exp(2.0)) - 0.5)) < 1e-6)
    #expect(abs(loss(90, 0).value - 90) < 1e-4)
    #expect(loss(90, 1).value < 1e-30 && loss(90, 1).value >= 0)
    #expect(abs(loss(-90, 1).value - 90) < 1e-4)
    #expect(loss(-90, 1).gradient.values[0] == -1)
    #expect(loss(1e30, 1).value.isFinite && loss(-1e30, 0).value.isFinite)
  }

  @Test("gradients equal central differences of the reference, for all weights and reductions")
  func gradientCheck() {
    var stream = RandomStream(seed: 1, name: "losses")
    for weights in Self.weights {
      let (rows, columns) = if case .perEntry = weights { (2, 4) } else { (3, 5) }
      let predictions = gaussianMatrix(rows, columns, &stream)
      let targets = gaussianMatrix(rows, columns, &stream)
      var labels = targets
      for i in labels.values.indices {
        labels.values[i] = [0, 1, 0.3][i % 3]
      }
      for reduction in Self.reductions {
        check(
          Losses.squaredError(
            predictions, targets: targets, weights: weights, reduction: reduction),
          predictions, targets, weights, reduction
        ) { ($0 - $1) * ($0 - $1) }
        check(
          Losses.huber(
            predictions, targets: targets, threshold: 0.7, weights: weights,
            reduction: reduction),
          predictions, targets, weights, reduction
        ) { p, y in
          let error = abs(p - y)
          let threshold = Double(Float(0.7))
          return error <= threshold
            ? error * error / 2 : threshold * (error - threshold / 2)
        }
        check(
          Losses.binaryCrossEntropy(
            logits: predictions, labels: labels, weights: weights, reduction: reduction),
          predictions, labels, weights, reduction
        ) { x, y in log1p(exp(x)) - y * x }
      }
    }
  }

  /// Compares a result with the sum that its documentation states, and its differences.
  private func check(
    _ result: Losses.Result, _ predictions: Matrix, _ targets: Matrix,
    _ weights: Losses.Weights, _ reduction: Losses.Reduction,
    _ entryLoss: (_ prediction: Double, _ target: Double) -> Double
  ) {
    let (rows, columns) = (predictions.rows, predictions.columns)
    let entryWeights: [Double] =
      switch weights {
      case .equal: [Double](repeating: 1, count: rows * columns)
      case .perRow(let values): (0..<(rows * columns)).map { Double(values[$0 / columns]) }
      case .perEntry(let values): doubles(values)
      }
    let divisor: Double =
      switch reduction {
      case .sum: 1
      case .meanOverRows: Double(rows)
      case .meanOverEntries: Double(rows * columns)
      case .weightedMean: entryWeights.reduce(0, +)
      }
    func reference(_ x: [Double]) -> Double {
      var sum = 0.0
      for i in x.indices { sum += entryWeights[i] * entryLoss(x[i], Double(targets.values[i])) }
      return sum / divisor
    }
    let point = doubles(predictions.values)
    #expect(abs(result.value - reference(point)) <= 1e-6 * max(1, abs(reference(point))))
    expectClose(result.gradient.values, centralDifference(at: point, of: reference))
  }

  @Test("a masked entry may hold a NaN, an entry that counts makes the loss NaN")
  func notANumber() {
    for loss in [
      { Losses.squaredError($0, targets: $1, weights: $2) },
      { Losses.huber($0, targets: $1, weights: $2) },
      { Losses.binaryCrossEntropy(logits: $0, labels: $1, weights: $2) },
    ] as [(Matrix, Matrix, Losses.Weights) -> Losses.Result] {
      let predictions = column([0.1, .nan, 0.3])
      let targets = column([1, 0, 1])
      let masked = loss(predictions, targets, .perRow([1, 0, 1]))
      #expect(masked.value.isFinite && masked.gradient.values[1] == 0)
      #expect(loss(predictions, targets, .equal).value.isNaN)
      #expect(loss(predictions, targets, .equal).gradient.values[1].isNaN)
      #expect(loss(targets, predictions, .perEntry([1, 1, 1])).value.isNaN)
    }
  }

  @Test("matrices of different shapes stop the program")
  func wrongShapes() async {
    await #expect(processExitsWith: .failure) {
      _ = Losses.squaredError(
        Matrix(rows: 4, columns: 1), targets: Matrix(rows: 1, columns: 4))
    }
  }
}
