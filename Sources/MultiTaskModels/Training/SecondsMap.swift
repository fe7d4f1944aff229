import DenseKernels

/// From the predicted mean of log(1 + seconds) to expected seconds.
///
/// E[s] is not e^m − 1: what is left in the logarithm has a wide spread. The map is fitted on
/// training rows by isotonic regression (pool adjacent violators) of seconds on m over 100 bins
/// of equal mass, and is linear between the means of the bins.
package struct SecondsMap: Sendable, Equatable {
  /// Predicted log seconds, ascending.
  package let inputs: [Float]
  /// Expected seconds, not falling.
  package let outputs: [Float]

  /// A map as it was stored.
  package init(inputs: [Float], outputs: [Float]) {
    precondition(
      !inputs.isEmpty && inputs.count == outputs.count,
      "\(inputs.count) inputs and \(outputs.count) outputs of a map")
    self.inputs = inputs
    self.outputs = outputs
  }

  /// The map that fits predictions to labels, both log(1 + seconds), [N] with N > 0.
  package init(predictions: [Float], labels: [Float]) {
    precondition(
      !predictions.isEmpty && predictions.count == labels.count,
      "\(predictions.count) predictions and \(labels.count) labels")
    let seconds = VectorMath.exp(labels).map { $0 - 1 }
    let order = predictions.indices.sorted { (predictions[$0], $0) < (predictions[$1], $1) }
    let bins = min(100, order.count)
    var pools: [Pool] = []
    for bin in 0..<bins {
      var pool = Pool()
      for i in order[bin * order.count / bins..<(bin + 1) * order.count / bins] {
        pool.input += Double(predictions[i])
        pool.output += Double(seconds[i])
        pool.count += 1
      }
      pools.append(pool)
      while pools.count > 1, pools[pools.count - 2].mean >= pools[pools.count - 1].mean {
        let last = pools.removeLast()
        pools[pools.count - 1].absorb(last)
      }
    }
    self.init(
      inputs: pools.map { Float($0.input / $0.count) }, outputs: pools.map { Float($0.mean) })
  }

  private struct Pool {
    var (input, output, count) = (0.0, 0.0, 0.0)
    var mean: Double { output / count }

    mutating func absorb(_ other: Pool) {
      input += other.input
      output += other.output
      count += other.count
    }
  }

  /// Expected seconds, at least 0; constant outside of the fitted range.
  package func callAsFunction(_ prediction: Float) -> Float {
    var (low, high) = (0, inputs.count)
    while low < high {  // the first input above the prediction
      let middle = (low + high) / 2
      if inputs[middle] > prediction { high = middle } else { low = middle + 1 }
    }
    if low == 0 { return max(outputs[0], 0) }
    if low == inputs.count { return max(outputs[low - 1], 0) }
    let share = (prediction - inputs[low - 1]) / (inputs[low] - inputs[low - 1])
    return max(outputs[low - 1] + share * (outputs[low] - outputs[low - 1]), 0)
  }
}
