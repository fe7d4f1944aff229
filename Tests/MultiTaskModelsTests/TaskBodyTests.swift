import DenseKernels
import MultiTaskModels
import NeuralNetworks
import SeededRandom
import Testing

/// A body with the same body in Double.
private struct Subject {
  let body: any TaskBody
  let reference: (ReferenceNetwork, [Double]) -> [Double]
}

private let inputs = 5
private let tasks = 3

private func subjects() -> [(name: String, subject: Subject)] {
  var stream = RandomStream(seed: 3, name: "bodies")
  let ple = ProgressiveExtraction.Sizes(width: 4, sharedExperts: 2, taskExperts: 2, levels: 2)
  let single = ProgressiveExtraction.Sizes(width: 3, sharedExperts: 1, taskExperts: 1, levels: 1)
  let deep = ProgressiveExtraction.Sizes(width: 8, sharedExperts: 1, taskExperts: 1, levels: 3)
  let mmoe = MixtureOfExperts.Sizes(width: 4, experts: 3, towerWidth: 3)
  let linear = MixtureOfExperts.Sizes(width: 4, experts: 2, towerWidth: 0)
  let bottom = SharedBottom.Sizes(hidden: [6, 4])
  var result: [(String, Subject)] = []
  for (name, sizes) in [("ple", ple), ("ple of one level", single), ("ple of three", deep)] {
    let body = ProgressiveExtraction(
      inputs: inputs, tasks: tasks, sizes: sizes, initializedBy: &stream)
    result.append(
      (
        name,
        Subject(body: body) {
          $0.progressiveExtraction($1, tasks: tasks, sizes: sizes)
        }
      ))
  }
  for (name, sizes) in [("mmoe", mmoe), ("mmoe with linear towers", linear)] {
    let body = MixtureOfExperts(
      inputs: inputs, tasks: tasks, sizes: sizes, initializedBy: &stream)
    result.append(
      (name, Subject(body: body) { $0.mixtureOfExperts($1, tasks: tasks, sizes: sizes) }))
  }
  let body = SharedBottom(inputs: inputs, tasks: tasks, sizes: bottom, initializedBy: &stream)
  result.append(
    ("shared bottom", Subject(body: body) { $0.sharedBottom($1, sizes: bottom) }))
  return result
}

@Suite("PLE, MMoE and shared bottom")
struct TaskBodyTests {
  private let x: Matrix
  private let factors: Matrix

  init() {
    var stream = RandomStream(seed: 4, name: "inputs")
    x = Matrix(rows: 7, columns: inputs, values: stream.gaussians(7 * inputs))
    factors = Matrix(rows: 7, columns: tasks, values: stream.gaussians(7 * tasks))
  }

  @Test("the count of parameters is told without making a body")
  func parameterCounts() {
    let architectures: [TaskArchitecture] = [
      .progressiveExtraction(.init(width: 4, sharedExperts: 2, taskExperts: 3, levels: 1)),
      .progressiveExtraction(.init(width: 4, sharedExperts: 2, taskExperts: 3, levels: 2)),
      .progressiveExtraction(.init(width: 3, sharedExperts: 1, taskExperts: 2, levels: 4)),
      .mixtureOfExperts(.init(width: 4, experts: 3, towerWidth: 3)),
      .mixtureOfExperts(.init(width: 4, experts: 2, towerWidth: 0)),
      .sharedBottom(.init(hidden: [6])), .sharedBottom(.init(hidden: [6, 4, 5])),
    ]
    for architecture in architectures {
      var stream = RandomStream(seed: 1, name: "count")
      let body = architecture.body(inputs: inputs, tasks: tasks, initializedBy: &stream)
      #expect(
        architecture.parameterCount(inputs: inputs, tasks: tasks) == body.layout.count,
        "\(architecture)")
    }
  }

  /// Σ factors ⊙ logits in Double.
  private func objective(
    _ subject: Subject, _ parameters: [Double], _ x: [Double]
  ) -> Double {
    let network = ReferenceNetwork(layout: subject.body.layout, parameters: parameters)
    return (0..<7).reduce(0.0) { sum, row in
      let logits = subject.reference(network, Array(x[row * inputs..<(row + 1) * inputs]))
      return zip(logits, factors.row(row)).reduce(sum) { $0 + $1.0 * Double($1.1) }
    }
  }

  @Test("logits equal those of the plain Double reference")
  func forward() {
    for (name, subject) in subjects() {
      let logits = subject.body.forward(x, dropout: nil).logits
      let network = ReferenceNetwork(
        layout: subject.body.layout, parameters: subject.body.parameters.map { Double($0) })
      for row in 0..<7 {
        let expected = subject.reference(network, x.row(row).map { Double($0) })
        for k in 0..<tasks {
          #expect(abs(Double(logits[row, k]) - expected[k]) < 1e-5, "\(name), row \(row)")
        }
      }
    }
  }

  @Test("gradients equal central differences of the Double reference")
  func backward() {
    for (name, subject) in subjects() {
      let (_, pullback) = subject.body.forward(x, dropout: nil)
      var gradient = subject.body.zeroGradient()
      let inputGradient = pullback(factors, &gradient)
      let parameters = subject.body.parameters.map { Double($0) }
      let inputs = x.values.map { Double($0) }
      let step = 1e-6
      for i in parameters.indices {
        var (up, down) = (parameters, parameters)
        up[i] += step
        down[i] -= step
        let slope = (objective(subject, up, inputs) - objective(subject, down, inputs)) / 2 / step
        #expect(abs(Double(gradient[i]) - slope) < 1e-4, "\(name), parameter \(i)")
      }
      for i in inputs.indices {
        var (up, down) = (inputs, inputs)
        up[i] += step
        down[i] -= step
        let slope =
          (objective(subject, parameters, up) - objective(subject, parameters, down)) / 2 / step
        #expect(abs(Double(inputGradient.values[i]) - slope) < 1e-4, "\(name), input \(i)")
      }
    }
  }

  @Test("no gate, expert or tower is dead: each changes the logits and has a gradient")
  func noDeadParts() {
    var stream = RandomStream(seed: 5, name: "dead parts")
    let x = Matrix(rows: 64, columns: inputs, values: stream.gaussians(64 * inputs))
    let factors = Matrix(rows: 64, columns: tasks, values: stream.gaussians(64 * tasks))
    for (name, subject) in subjects() {
      let (logits, pullback) = subject.body.forward(x, dropout: nil)
      var gradient = subject.body.zeroGradient()
      _ = pullback(factors, &gradient)
      for entry in subject.body.layout.entries {
        let lengths = gradient[entry.range].reduce(0) { $0 + abs($1) }
        #expect(lengths > 1e-4, "\(name): \(entry.name) has no gradient")
        var changed = subject.body
        for i in entry.range { changed.parameters[i] += i % 2 == 0 ? 0.3 : -0.2 }
        let isRead = changed.forward(x, dropout: nil).logits != logits
        #expect(isRead, "\(name): \(entry.name) is not read")
      }
    }
  }

  @Test("dropout keeps the mean, drops its share, and its gradient belongs to the same mask")
  func dropout() {
    let sizes = SharedBottom.Sizes(hidden: [512])
    var stream = RandomStream(seed: 6, name: "dropout")
    var body = SharedBottom(inputs: 1, tasks: 1, sizes: sizes, initializedBy: &stream)
    // All hidden outputs are 1 and all towers 1/512: the logit is the mean of the mask.
    body.parameters = body.layout.entries.flatMap { entry -> [Float] in
      let value: Float =
        switch entry.name {
        case "shared0.bias": 1
        case "towers.weight": 1.0 / 512
        default: 0
        }
      return [Float](repeating: value, count: entry.count)
    }
    let x = Matrix(rows: 400, columns: 1)
    let (logits, pullback) = body.forward(x, dropout: (rate: 0.25, stream: stream))
    let mean = VectorMath.sum(logits.values) / 400
    #expect(abs(mean - 1) < 0.01)
    #expect(logits.values.allSatisfy { $0 > 0.8 && $0 < 1.2 } && logits[0, 0] != 1)
    var gradient = body.zeroGradient()
    _ = pullback(Matrix(rows: 400, columns: 1, repeating: 1), &gradient)
    // ∂Σ logits/∂(bias of unit h) = Σ rows mask/512; over all units it is Σ logits.
    let biases = body.layout.entry(named: "shared0.bias")?.range ?? 0..<0
    #expect(abs(gradient[biases].reduce(0, +) - 400 * mean) < 0.1)
    let again = body.forward(x, dropout: (rate: 0.25, stream: stream)).logits
    #expect(again == logits)
  }

  @Test("vectors of categories and the linear map have the gradients of central differences")
  func networkGradients() {
    var stream = RandomStream(seed: 7, name: "network")
    var network = MultiTaskNetwork(
      architecture: .sharedBottom(.init(hidden: [4])), numbers: 2, categories: 2, tableRows: 5,
      dimension: 2, tasks: tasks, initializedBy: &stream)
    let rows = EncodedRows(
      numbers: Matrix(rows: 3, columns: 2, values: stream.gaussians(6)),
      indices: [[0, 1, 1], [3, 4, 3]])
    let factors = Matrix(rows: 3, columns: tasks, values: stream.gaussians(3 * tasks))
    for i in network.linear.parameters.indices {
      network.linear.parameters[i] = Float(stream.gaussian())
    }
    func objective(_ network: MultiTaskNetwork) -> Float {
      VectorMath.dot(network(rows).values, factors.values)
    }
    var gradients = MultiTaskNetwork.Gradients(of: network)
    let (logits, pullback) = network.forward(rows, dropout: nil)
    #expect(logits == network(rows))
    pullback(factors, &gradients)
    let step: Float = 1e-2
    for i in network.embeddings.parameters.indices {
      var (up, down) = (network, network)
      up.embeddings.parameters[i] += step
      down.embeddings.parameters[i] -= step
      let slope = (objective(up) - objective(down)) / (2 * step)
      #expect(abs(gradients.embeddings.row(i / 2)[i % 2] - slope) < 2e-3, "vector \(i / 2)")
    }
    for i in network.linear.parameters.indices {
      var (up, down) = (network, network)
      up.linear.parameters[i] += step
      down.linear.parameters[i] -= step
      let slope = (objective(up) - objective(down)) / (2 * step)
      #expect(abs(gradients.linear[i] - slope) < 2e-3, "weight \(i)")
    }
    #expect(gradients.embeddings.row(2) == [0, 0])
  }
}
