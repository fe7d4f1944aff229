import DenseKernels

/// Measures of how well predictions fit labels. All in Double.
package enum TaskMetrics {
  /// The area under the ROC curve: how often a positive has the higher score than a negative,
  /// ties counting half. Weights count a row several times. Nil without both classes.
  ///
  /// - Parameter order: row numbers by ascending score, as `ascending(_:)` gives them.
  package static func areaUnderCurve(
    scores: [Float], labels: [Float], weights: [Double]? = nil, order: [Int]? = nil
  ) -> Double? {
    precondition(scores.count == labels.count)
    let order = order ?? ascending(scores)
    var (negativesBelow, wins, positives) = (0.0, 0.0, 0.0)
    var start = 0
    while start < order.count {
      var end = start
      var (tiedPositives, tiedNegatives) = (0.0, 0.0)
      while end < order.count, scores[order[end]] == scores[order[start]] {
        let weight = weights?[order[end]] ?? 1
        if labels[order[end]] == 1 { tiedPositives += weight } else { tiedNegatives += weight }
        end += 1
      }
      wins += tiedPositives * (negativesBelow + tiedNegatives / 2)
      positives += tiedPositives
      negativesBelow += tiedNegatives
      start = end
    }
    guard positives > 0, negativesBelow > 0 else { return nil }
    return wins / (positives * negativesBelow)
  }

  /// Row numbers by ascending score; equal scores by row.
  package static func ascending(_ scores: [Float]) -> [Int] {
    scores.indices.sorted { (scores[$0], $0) < (scores[$1], $1) }
  }

  /// Mean of −log p(label), from logits, without overflow.
  package static func logLoss(logits: [Float], labels: [Float]) -> Double {
    precondition(logits.count == labels.count && !logits.isEmpty)
    let softplus = VectorMath.softplus(logits)
    var sum = 0.0
    for i in logits.indices { sum += Double(softplus[i]) - Double(labels[i]) * Double(logits[i]) }
    return sum / Double(logits.count)
  }

  /// Expected calibration error: over 15 bins of equal mass by prediction, the mean of
  /// |mean prediction − mean label|, weighted by the size of the bin.
  package static func calibrationError(
    predictions: [Float], labels: [Float], bins: Int = 15
  ) -> Double {
    precondition(predictions.count == labels.count && !predictions.isEmpty)
    let order = ascending(predictions)
    let n = order.count
    var error = 0.0
    for bin in 0..<min(bins, n) {
      let (start, end) = (bin * n / min(bins, n), (bin + 1) * n / min(bins, n))
      var gap = 0.0
      for i in order[start..<end] { gap += Double(predictions[i]) - Double(labels[i]) }
      error += abs(gap)
    }
    return error / Double(n)
  }

  /// √ of the mean squared difference.
  package static func rootMeanSquaredError(predictions: [Float], labels: [Float]) -> Double {
    precondition(predictions.count == labels.count && !predictions.isEmpty)
    var sum = 0.0
    for i in predictions.indices {
      let error = Double(predictions[i]) - Double(labels[i])
      sum += error * error
    }
    return (sum / Double(predictions.count)).squareRoot()
  }

  /// Spearman's rank correlation: Pearson's of the ranks, equal values sharing the mean rank.
  package static func rankCorrelation(_ a: [Float], _ b: [Float]) -> Double {
    precondition(a.count == b.count && !a.isEmpty)
    let (first, second) = (ranks(a), ranks(b))
    let mean = Double(a.count - 1) / 2
    var (both, left, right) = (0.0, 0.0, 0.0)
    for i in first.indices {
      let (x, y) = (first[i] - mean, second[i] - mean)
      both += x * y
      left += x * x
      right += y * y
    }
    return left > 0 && right > 0 ? both / (left * right).squareRoot() : 0
  }

  private static func ranks(_ values: [Float]) -> [Double] {
    let order = ascending(values)
    var ranks = [Double](repeating: 0, count: values.count)
    var start = 0
    while start < order.count {
      var end = start
      while end < order.count, values[order[end]] == values[order[start]] { end += 1 }
      for i in start..<end { ranks[order[i]] = Double(start + end - 1) / 2 }
      start = end
    }
    return ranks
  }
}
