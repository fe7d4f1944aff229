import DenseKernels
import Foundation
import NeuralNetworks
import SeededRandom
import Testing

@Suite("Softmax and mixtures of experts")
struct ExpertMixtureTests {
  private func softmax(_ logits: [Double]) -> [Double] {
    let sum = logits.reduce(0) { $0 + exp($1) }
    return logits.map { exp($0) / sum }
  }

  @Test("softmax and log-sum-exp give the numbers worked out by hand, also far from zero")
  func byHand() {
    let logits = Matrix(
      rows: 3, columns: 2, values: [0, log(3), 1_000, 1_000, -5_000, -4_000])
    let probabilities = RowSoftmax.probabilities(logits)
    expectClose(probabilities.values, [0.25, 0.75, 0.5, 0.5, 0, 1], tolerance: 1e-6)
    expectClose(
      RowSoftmax.logSumExp(logits), [log(4), 1_000 + log(2), -4_000], tolerance: 1e-6)
    #expect(RowSoftmax.logSumExp(Matrix(rows: 1, columns: 1, values: [0.5])) == [0.5])
  }

  @Test("the gradient of log-sum-exp is the softmax, and the softmax's equals differences")
  func softmaxGradients() {
    var stream = RandomStream(seed: 1, name: "softmax")
    let logits = gaussianMatrix(3, 5, &stream)
    let slopes = gaussianMatrix(3, 5, &stream)
    func rows(_ x: [Double]) -> [[Double]] { (0..<3).map { Array(x[($0 * 5)..<($0 * 5 + 5)]) } }
    let point = doubles(logits.values)
    let probabilities = RowSoftmax.probabilities(logits)
    expectClose(
      probabilities.values,
      centralDifference(at: point) { x in
        rows(x).reduce(0) { $0 + log($1.reduce(0) { $0 + exp($1) }) }
      })
    expectClose(
      RowSoftmax.backward(probabilities: probabilities, gradient: slopes).values,
      centralDifference(at: point) { x in
        zip(rows(x).flatMap { softmax($0) }, slopes.values).reduce(0) {
          $0 + $1.0 * Double($1.1)
        }
      })
  }

  @Test("a mixture of two experts gives the output worked out by hand")
  func mixtureByHand() {
    let experts = [
      Matrix(rows: 1, columns: 2, values: [4, 8]), Matrix(rows: 1, columns: 2, values: [0, -4]),
    ]
    let gate = Matrix(rows: 1, columns: 2, values: [log(3), 0])  // gates ¾ and ¼
    let (output, tape) = ExpertMixture.forward(gateLogits: gate, experts: experts)
    expectClose(output.values, [3, 5], tolerance: 1e-6)
    expectClose(tape.gates.values, [0.75, 0.25], tolerance: 1e-6)
    let swapped = ExpertMixture.forward(gateLogits: gate, experts: experts, members: [1, 0])
    expectClose(swapped.output.values, [1, -1], tolerance: 1e-6)
  }

  @Test("gradients of two gates over shared experts equal central differences and add up")
  func gradientCheck() {
    var stream = RandomStream(seed: 2, name: "mixture")
    let (rows, width) = (4, 7)
    let experts = (0..<3).map { _ in gaussianMatrix(rows, width, &stream) }
    let memberships = [[0, 2], [2, 1, 0]]
    let gates = memberships.map { gaussianMatrix(rows, $0.count, &stream) }
    let slopes = memberships.map { _ in gaussianMatrix(rows, width, &stream) }

    var expertGradients = experts.map { _ in Matrix(rows: rows, columns: width) }
    var gateGradients: [Float] = []
    for g in 0..<2 {
      let tape = ExpertMixture.forward(
        gateLogits: gates[g], experts: experts, members: memberships[g]
      ).tape
      gateGradients +=
        ExpertMixture.backward(
          outputGradient: slopes[g], tape: tape, experts: experts,
          expertGradients: &expertGradients
        ).values
    }
    func loss(_ gateValues: [Double], _ expertValues: [Double]) -> Double {
      var (sum, offset) = (0.0, 0)
      for g in 0..<2 {
        let members = memberships[g]
        for row in 0..<rows {
          let weights = softmax(Array(gateValues[offset..<(offset + members.count)]))
          offset += members.count
          for (weight, member) in zip(weights, members) {
            for h in 0..<width {
              let expert = expertValues[(member * rows + row) * width + h]
              sum += Double(slopes[g][row, h]) * weight * expert
            }
          }
        }
      }
      return sum
    }
    let gateValues = doubles(gates.flatMap(\.values))
    let expertValues = doubles(experts.flatMap(\.values))
    expectClose(gateGradients, centralDifference(at: gateValues) { loss($0, expertValues) })
    expectClose(
      expertGradients.flatMap(\.values),
      centralDifference(at: expertValues) { loss(gateValues, $0) })
  }
}
