import FusionMDP
import MultiTaskModels
import NeuralNetworks

/// The bodies once more in Double, row by row, from named parameters: slow and plain.
struct ReferenceNetwork {
  let layout: ParameterLayout
  var parameters: [Double]

  private func layer(_ name: String, _ x: [Double], relu: Bool) -> [Double] {
    guard let weight = layout.entry(named: "\(name).weight"),
      let bias = layout.entry(named: "\(name).bias")
    else { preconditionFailure("no layer \(name)") }
    let outputs = bias.shape[0]
    return (0..<outputs).map { j in
      var sum = parameters[bias.offset + j]
      for (i, value) in x.enumerated() {
        sum += value * parameters[weight.offset + i * outputs + j]
      }
      return relu ? max(sum, 0) : sum
    }
  }

  private func mixture(_ gate: [Double], _ experts: [[Double]]) -> [Double] {
    let weights = gate.map { exponential($0) }
    let total = weights.reduce(0, +)
    return experts[0].indices.map { h in
      zip(weights, experts).reduce(0) { $0 + $1.0 / total * $1.1[h] }
    }
  }

  /// PLE, eqs 1–7, with linear towers.
  func progressiveExtraction(
    _ x: [Double], tasks: Int, sizes: ProgressiveExtraction.Sizes
  ) -> [Double] {
    var streams = [[Double]](repeating: x, count: tasks + 1)
    for j in 0..<sizes.levels {
      let shared = (0..<sizes.sharedExperts).map {
        layer("level\(j).shared.expert\($0)", streams[tasks], relu: true)
      }
      let own = (0..<tasks).map { k in
        (0..<sizes.taskExperts).map {
          layer("level\(j).task\(k).expert\($0)", streams[k], relu: true)
        }
      }
      var next = (0..<tasks).map { k in
        mixture(layer("level\(j).task\(k).gate", streams[k], relu: false), shared + own[k])
      }
      if j + 1 < sizes.levels {
        next.append(
          mixture(
            layer("level\(j).shared.gate", streams[tasks], relu: false),
            shared + own.flatMap { $0 }))
      }
      streams = next
    }
    return (0..<tasks).map { layer("tower\($0)", streams[$0], relu: false)[0] }
  }

  /// MMoE, eqs 5–7.
  func mixtureOfExperts(
    _ x: [Double], tasks: Int, sizes: MixtureOfExperts.Sizes
  ) -> [Double] {
    let experts = (0..<sizes.experts).map { layer("expert\($0)", x, relu: true) }
    return (0..<tasks).map { k in
      var value = mixture(layer("task\(k).gate", x, relu: false), experts)
      if sizes.towerWidth > 0 { value = layer("tower\(k).hidden", value, relu: true) }
      return layer("tower\(k)", value, relu: false)[0]
    }
  }

  /// Shared bottom.
  func sharedBottom(_ x: [Double], sizes: SharedBottom.Sizes) -> [Double] {
    var value = x
    for j in sizes.hidden.indices { value = layer("shared\(j)", value, relu: true) }
    return layer("towers", value, relu: false)
  }
}

/// eˣ by its series after halving the argument 20 times.
func exponential(_ x: Double) -> Double {
  let small = x / 1_048_576
  var power = 1 + small + small * small / 2 + small * small * small / 6
  for _ in 0..<20 { power *= power }
  return power
}
