package import DenseKernels
package import NeuralNetworks
package import SeededRandom

/// Progressive layered extraction (PLE).
///
/// Source: Tang, Liu, Zhao, Gong, "Progressive layered extraction (PLE): a novel multi-task
/// learning model for personalized recommendations", RecSys 2020, eqs 1–7 (the paper's [29]).
///
/// | source | here | shape | default |
/// | --- | --- | --- | --- |
/// | number of extraction networks | `levels` | | 2 (source: 2) |
/// | m_s shared experts | `sharedExperts` | | 2 |
/// | m_k experts of task k | `taskExperts` | | 1 |
/// | E(·), expert | `ExpertPass` | [B, H] | one ReLU layer of 32 |
/// | w^k, w^s, gates | `gate` | [B, m_s + m_k], [B, m_s + K·m_k] | linear, softmax |
/// | g^{k,j}, g^{s,j} | `taskStreams[k]`, `sharedStream` after level j | [B, H] | |
/// | t^k, tower | `towers[k]` | [B, 1] | one linear layer |
///
/// ## Departures from the paper
/// * A tower is one linear layer and an expert one ReLU layer, to suit 99,000 training rows.
///   `TaskBodyTests`: logits equal those of the plain Double reference.
/// * Hidden outputs of experts may be dropped while training. `TaskBodyTests`: dropout.
/// * `MultiTaskNetwork` adds a linear map of the inputs to the logits. `TaskBodyTests`: vectors of
///   categories and the linear map.
/// * The model adds a linear map of the same inputs to the logits (`MultiTaskNetwork`) and is the
///   mean of several networks (`MultiTaskModel`). `TaskBodyTests`, `TrainingTests`.
package struct ProgressiveExtraction: TaskBody, Equatable {
  /// The sizes; defaults are those of the KuaiRand model.
  package struct Sizes: Sendable, Equatable, Codable {
    /// H, the width of an expert.
    package var width: Int
    /// m_s.
    package var sharedExperts: Int
    /// m_k.
    package var taskExperts: Int
    /// How many extraction networks follow each other.
    package var levels: Int

    /// Sizes of a network.
    package init(width: Int = 32, sharedExperts: Int = 2, taskExperts: Int = 1, levels: Int = 2) {
      self.width = width
      self.sharedExperts = sharedExperts
      self.taskExperts = taskExperts
      self.levels = levels
    }
  }

  /// The layers of one extraction network. Experts: shared first, then task by task.
  private struct Level: Sendable, Equatable {
    var experts: [PlacedLayer] = []
    var taskGates: [PlacedLayer] = []
    /// Absent on the last level, where nothing reads the shared stream.
    var sharedGate: PlacedLayer?
  }

  /// The sizes.
  package let sizes: Sizes
  /// K.
  package let tasks: Int
  /// The names and places of all parameters.
  package let layout: ParameterLayout
  /// All parameters, as `layout` places them.
  package var parameters: [Float]
  private let levels: [Level]
  private let towers: [PlacedLayer]

  /// A network for I inputs and K tasks, weights uniform in ±1/√inputs of their layer.
  package init(
    inputs: Int, tasks: Int, sizes: Sizes = Sizes(), initializedBy stream: inout RandomStream
  ) {
    precondition(
      inputs > 0 && tasks > 0 && sizes.width > 0 && sizes.sharedExperts > 0
        && sizes.taskExperts > 0 && sizes.levels > 0, "impossible sizes: \(sizes)")
    self.sizes = sizes
    self.tasks = tasks
    var layout = ParameterLayout()
    var levels: [Level] = []
    for j in 0..<sizes.levels {
      levels.append(
        Self.place(
          level: j, inputs: j == 0 ? inputs : sizes.width, tasks: tasks, sizes: sizes,
          in: &layout))
    }
    towers = (0..<tasks).map { k in
      PlacedLayer(
        "tower\(k)", inputs: sizes.width, outputs: 1, activation: .identity, in: &layout)
    }
    self.levels = levels
    self.layout = layout
    var parameters = [Float](repeating: 0, count: layout.count)
    for level in levels {
      for layer in level.experts + level.taskGates { layer.initialize(&parameters, using: &stream) }
      level.sharedGate?.initialize(&parameters, using: &stream)
    }
    for tower in towers { tower.initialize(&parameters, using: &stream) }
    self.parameters = parameters
  }

  private static func place(
    level j: Int, inputs: Int, tasks: Int, sizes: Sizes, in layout: inout ParameterLayout
  ) -> Level {
    var level = Level()
    let (shared, own) = (sizes.sharedExperts, sizes.taskExperts)
    func expert(_ name: String) -> PlacedLayer {
      PlacedLayer(
        "level\(j).\(name)", inputs: inputs, outputs: sizes.width, activation: .relu, in: &layout)
    }
    func gate(_ name: String, _ members: Int) -> PlacedLayer {
      PlacedLayer(
        "level\(j).\(name).gate", inputs: inputs, outputs: members, activation: .identity,
        in: &layout)
    }
    for s in 0..<shared { level.experts.append(expert("shared.expert\(s)")) }
    for k in 0..<tasks {
      for e in 0..<own { level.experts.append(expert("task\(k).expert\(e)")) }
    }
    for k in 0..<tasks { level.taskGates.append(gate("task\(k)", shared + own)) }
    if j + 1 < sizes.levels { level.sharedGate = gate("shared", shared + tasks * own) }
    return level
  }

  /// Where the bias of each tower lies.
  package var logitBiases: [Int] { towers.map(\.biasOffset) }

  /// Which experts the gate of task k chooses from: the shared ones and its own.
  private func members(of k: Int) -> [Int] {
    let first = sizes.sharedExperts + k * sizes.taskExperts
    return Array(0..<sizes.sharedExperts) + Array(first..<first + sizes.taskExperts)
  }

  /// The stream that expert e reads: task k's, or K for the shared one.
  private func stream(ofExpert e: Int) -> Int {
    e < sizes.sharedExperts ? tasks : (e - sizes.sharedExperts) / sizes.taskExperts
  }

  /// What one extraction network keeps for its backward pass.
  private struct LevelPass {
    /// [K + 1] the streams that went in, the shared one last.
    let inputs: [Matrix]
    let experts: [ExpertPass]
    /// [K] or [K + 1] gate logits and mixtures.
    let gateLogits: [Matrix]
    let mixtures: [ExpertMixture.Tape]
  }

  private func gates(_ level: Level) -> [(layer: PlacedLayer, stream: Int, members: [Int])] {
    var gates = level.taskGates.enumerated().map { k, layer in
      (layer: layer, stream: k, members: members(of: k))
    }
    if let shared = level.sharedGate {
      gates.append((layer: shared, stream: tasks, members: Array(level.experts.indices)))
    }
    return gates
  }

  private func extract(
    _ level: Level, _ streams: [Matrix], _ dropout: inout Dropout?
  ) -> (streams: [Matrix], pass: LevelPass) {
    let experts = level.experts.enumerated().map { e, layer in
      ExpertPass(layer, streams[stream(ofExpert: e)], parameters, &dropout)  // E(x)
    }
    let hidden = experts.map(\.visible)
    var (outputs, logits, tapes): ([Matrix], [Matrix], [ExpertMixture.Tape]) = ([], [], [])
    for gate in gates(level) {
      let gateLogits = gate.layer(streams[gate.stream], parameters)
      let (mixture, tape) = ExpertMixture.forward(  // g = softmax(x·W_g) · S, eqs 1–4
        gateLogits: gateLogits, experts: hidden, members: gate.members)
      outputs.append(mixture)
      logits.append(gateLogits)
      tapes.append(tape)
    }
    return (
      outputs,
      LevelPass(inputs: streams, experts: experts, gateLogits: logits, mixtures: tapes)
    )
  }

  /// Gradients of the streams that went in, [K + 1], from those of the streams that came out.
  private func extractBackward(
    _ level: Level, _ pass: LevelPass, _ outputGradients: [Matrix], _ gradient: inout [Float]
  ) -> [Matrix] {
    let hidden = pass.experts.map(\.visible)
    var hiddenGradients = hidden.map { Matrix(rows: $0.rows, columns: $0.columns) }
    var inputGradients = pass.inputs.map { Matrix(rows: $0.rows, columns: $0.columns) }
    for (g, gate) in gates(level).enumerated() {
      let gateGradient = ExpertMixture.backward(
        outputGradient: outputGradients[g], tape: pass.mixtures[g], experts: hidden,
        expertGradients: &hiddenGradients)
      inputGradients[gate.stream].accumulate(
        gate.layer.backward(
          gateGradient, input: pass.inputs[gate.stream], output: pass.gateLogits[g],
          parameters: parameters, parameterGradient: &gradient))
    }
    for (e, expert) in pass.experts.enumerated() {
      inputGradients[stream(ofExpert: e)].accumulate(
        expert.backward(hiddenGradients[e], parameters, &gradient))
    }
    return inputGradients
  }

  /// The logits of all tasks.  Shapes: x [B, I] → [B, K].
  package func forward(
    _ x: Matrix, dropout: (rate: Float, stream: RandomStream)?
  ) -> (logits: Matrix, pullback: Pullback) {
    var dropout = dropout.map { Dropout(rate: $0.rate, stream: $0.stream) }
    var streams = [Matrix](repeating: x, count: tasks + 1)
    var passes: [LevelPass] = []
    for level in levels {
      let (outputs, pass) = extract(level, streams, &dropout)
      streams = outputs
      passes.append(pass)
    }
    let outputs = towers.indices.map { k in towers[k](streams[k], parameters) }  // eq. 7
    let last = streams
    let pullback: Pullback = { [passes] logitsGradient, gradient in
      var gradients = towers.indices.map { k in
        towers[k].backward(
          logitsGradient.columns(k..<k + 1), input: last[k], output: outputs[k],
          parameters: parameters, parameterGradient: &gradient)
      }
      for j in levels.indices.reversed() {
        gradients = extractBackward(levels[j], passes[j], gradients, &gradient)
      }
      // All streams of the first level are x.
      var inputGradient = gradients[0]
      for other in gradients.dropFirst() { inputGradient.accumulate(other) }
      return inputGradient
    }
    return (.joiningColumns(outputs), pullback)
  }
}
