import DenseKernels
import Foundation
import NeuralNetworks
import SeededRandom

/// A matrix in Double for the references: plain loops, no shared code with the module.
struct ReferenceMatrix {
  var rows: Int
  var columns: Int
  var values: [Double]

  init(rows: Int, columns: Int, values: [Double]) {
    (self.rows, self.columns, self.values) = (rows, columns, values)
  }

  init(_ matrix: Matrix) {
    self.init(rows: matrix.rows, columns: matrix.columns, values: doubles(matrix.values))
  }

  subscript(row: Int, column: Int) -> Double {
    get { values[row * columns + column] }
    set { values[row * columns + column] = newValue }
  }

  /// The columns of both, side by side.
  func joined(_ other: ReferenceMatrix) -> ReferenceMatrix {
    var result: [Double] = []
    for row in 0..<rows {
      result += values[(row * columns)..<((row + 1) * columns)]
      result += other.values[(row * other.columns)..<((row + 1) * other.columns)]
    }
    return .init(rows: rows, columns: columns + other.columns, values: result)
  }
}

func referenceActivation(_ activation: Activation, _ x: Double) -> Double {
  switch activation {
  case .identity: x
  case .relu: max(x, 0)
  case .tanh: tanh(x)
  case .sigmoid: 1 / (1 + exp(-x))
  }
}

/// The output of a perceptron with parameters in Double.
func referencePerceptron(
  _ shape: MultilayerPerceptron.Shape, _ parameters: [Double], _ input: ReferenceMatrix
) -> ReferenceMatrix {
  var value = input
  var offset = 0
  let widths = shape.hidden + [shape.outputs]
  for (index, width) in widths.enumerated() {
    let activation = index == widths.count - 1 ? shape.outputActivation : shape.hiddenActivation
    var next = ReferenceMatrix(
      rows: value.rows, columns: width,
      values: [Double](repeating: 0, count: value.rows * width))
    for row in 0..<value.rows {
      for column in 0..<width {
        var sum = parameters[offset + value.columns * width + column]
        for i in 0..<value.columns {
          sum += value[row, i] * parameters[offset + i * width + column]
        }
        next[row, column] = referenceActivation(activation, sum)
      }
    }
    offset += (value.columns + 1) * width
    value = next
  }
  return value
}

/// A matrix of draws from N(0, 1).
func gaussianMatrix(_ rows: Int, _ columns: Int, _ stream: inout RandomStream) -> Matrix {
  Matrix(rows: rows, columns: columns, values: stream.gaussians(rows * columns))
}

/// Sets the biases of the hidden layers to 1.
///
/// A fresh ReLU unit may be asleep for a whole batch by chance; with this each is awake in
/// some rows, so that a zero gradient can only come from a missing term.
func wakeHiddenUnits(of network: inout MultilayerPerceptron) {
  for layer in network.shape.hidden.indices {
    guard let bias = network.layout.entry(named: "layer\(layer).bias") else { continue }
    for i in bias.range { network.parameters[i] = 1 }
  }
}
