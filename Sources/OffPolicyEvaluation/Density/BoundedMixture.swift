import DenseKernels
import Foundation
import SeededRandom

/// A mixture of Gaussians cut to the box [−1, 1]^A, as a network's output gives it, with the way back.
///
///     p(a | s) = Σ_k w_k · Π_d φ((a_d − m_kd)/σ_kd) / (σ_kd · Z_kd)
///     Z_kd = Φ((1 − m_kd)/σ_kd) − Φ((−1 − m_kd)/σ_kd)
///
/// (Bishop, "Mixture density networks", Aston University NCRG/94/004, 1994, eqs 22 to 24, with a
/// diagonal in place of a spherical covariance and Z for the cut.) It integrates to 1 over the box
/// whatever the network says: w is a softmax, and m = tanh u and
/// log σ = c + h·tanh v keep the mean in the box and σ in its range, so that Z is never tiny.
///
/// Shapes: output [B, M + 2·M·A]: the logits of w, then u and v, each component by component.
struct BoundedMixture: Sendable {
  let components: Int
  let actionSize: Int
  /// c and h: the middle and half the width of the range of log σ.
  let center: Double
  let halfWidth: Double

  init(components: Int, actionSize: Int, deviationRange: ClosedRange<Double>) {
    self.components = components
    self.actionSize = actionSize
    let (low, high) = (log(deviationRange.lowerBound), log(deviationRange.upperBound))
    center = (low + high) / 2
    halfWidth = (high - low) / 2
  }

  /// Columns of the network's output.
  var outputSize: Int { components * (1 + 2 * actionSize) }

  /// One cut Gaussian at one coordinate of an action.
  private struct Coordinate {
    var logDensity = 0.0
    /// ∂ log p / ∂m and ∂ log p / ∂(log σ).
    var slopes = (mean: 0.0, logDeviation: 0.0)

    init(_ x: Double, mean: Double, logDeviation: Double) {
      let deviation = exp(logDeviation)
      let z = (x - mean) / deviation
      let (below, above) = ((-1 - mean) / deviation, (1 - mean) / deviation)
      let mass = NormalDistribution.cumulative(above) - NormalDistribution.cumulative(below)
      let (lower, upper) = (
        NormalDistribution.density(below), NormalDistribution.density(above)
      )
      logDensity = -z * z / 2 - logDeviation - 0.918_938_533_204_672_8 - log(mass)
      slopes.mean = z / deviation + (upper - lower) / (deviation * mass)
      slopes.logDeviation = z * z - 1 + (above * upper - below * lower) / mass
    }
  }

  /// log p(a | s) of each row, in nats, and ∂(mean of −log p)/∂output if it is wanted.
  ///
  /// Shapes: output [B, M + 2·M·A], actions [B·A] → [B], [B, M + 2·M·A].
  func logDensities(
    output: Matrix, actions: [Float], wantsGradient: Bool
  ) -> (values: [Double], gradient: Matrix?) {
    let (rows, width) = (output.rows, outputSize)
    precondition(
      output.columns == width && actions.count == rows * actionSize,
      "an output [\(rows), \(output.columns)] for \(components) components, \(actions.count) actions"
    )
    var values = [Double](repeating: 0, count: rows)
    var gradient = wantsGradient ? Matrix(rows: rows, columns: width) : nil
    // [M·A] each: tanh u, tanh v and the slopes of one row.
    let size = components * actionSize
    var bent = [Double](repeating: 0, count: 2 * size)
    var slopes = bent
    var joint = [Double](repeating: 0, count: components)
    for row in 0..<rows {
      let start = row * width
      let normalizer = logSumExp(output.values[start..<start + components])
      for k in 0..<components {
        var sum = Double(output.values[start + k]) - normalizer  // log w_k
        for d in 0..<actionSize {
          let i = k * actionSize + d
          bent[i] = tanh(Double(output.values[start + components + i]))
          bent[size + i] = tanh(Double(output.values[start + components + size + i]))
          let coordinate = Coordinate(
            Double(actions[row * actionSize + d]), mean: bent[i],
            logDeviation: center + halfWidth * bent[size + i])
          sum += coordinate.logDensity
          (slopes[i], slopes[size + i]) = coordinate.slopes
        }
        joint[k] = sum
      }
      values[row] = logSumExp(joint)
      guard gradient != nil else { continue }
      let scale = -1 / Double(rows)
      for k in 0..<components {
        // The posterior of component k (Bishop, eq. 29).
        let posterior = exp(joint[k] - values[row])
        let weight = exp(Double(output.values[start + k]) - normalizer)
        gradient?.values[start + k] = Float(scale * (posterior - weight))
        for i in k * actionSize..<(k + 1) * actionSize {
          let (mean, deviation) = (bent[i], bent[size + i])
          gradient?.values[start + components + i] = Float(
            scale * posterior * slopes[i] * (1 - mean * mean))
          gradient?.values[start + components + size + i] = Float(
            scale * posterior * slopes[size + i] * halfWidth * (1 - deviation * deviation))
        }
      }
    }
    return (values, gradient)
  }

  /// The distribution function of each coordinate by itself: Σ_k w_k · F_kd(a_d).
  ///
  /// Shapes: output [B, M + 2·M·A], actions [B·A] → [B·A], in [0, 1].
  func marginalProbabilities(output: Matrix, actions: [Float]) -> [Double] {
    let size = components * actionSize
    var result = [Double](repeating: 0, count: actions.count)
    for row in 0..<output.rows {
      let start = row * outputSize
      let normalizer = logSumExp(output.values[start..<start + components])
      for k in 0..<components {
        let weight = exp(Double(output.values[start + k]) - normalizer)
        for d in 0..<actionSize {
          let i = start + components + k * actionSize + d
          let mean = tanh(Double(output.values[i]))
          let deviation = exp(center + halfWidth * tanh(Double(output.values[i + size])))
          let below = NormalDistribution.cumulative((-1 - mean) / deviation)
          let mass = NormalDistribution.cumulative((1 - mean) / deviation) - below
          let x = Double(actions[row * actionSize + d])
          let reached = NormalDistribution.cumulative((x - mean) / deviation) - below
          result[row * actionSize + d] += weight * min(max(reached / mass, 0), 1)
        }
      }
    }
    return result.map { min($0, 1) }
  }

  /// The output that stands for these means [M·A] and deviations [M·A] with equal weights.
  func output(means: [Double], deviations: [Double]) -> [Float] {
    let logits = [Float](repeating: 0, count: components)
    let raw = means.map { Float(atanh(min(max($0, -0.99), 0.99))) }
    let spread = deviations.map {
      Float(atanh(min(max((log(max($0, 1e-9)) - center) / halfWidth, -0.95), 0.95)))
    }
    return logits + raw + spread
  }

  private func logSumExp(_ values: some Collection<Float>) -> Double {
    logSumExp(values.map(Double.init))
  }

  private func logSumExp(_ values: [Double]) -> Double {
    let maximum = values.max() ?? 0
    return maximum + log(values.reduce(0) { $0 + exp($1 - maximum) })
  }
}
