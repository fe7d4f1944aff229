import NeuralNetworks
import SeededRandom
import Testing

@Suite("Parameter layouts")
struct ParameterLayoutTests {
  private func smallNetwork(_ parameters: [Float]? = nil) -> MultilayerPerceptron {
    let shape = MultilayerPerceptron.Shape(inputs: 2, hidden: [3], outputs: 1)
    return MultilayerPerceptron(shape: shape, parameters: parameters ?? (1...13).map(Float.init))
  }

  @Test("parameters stand one behind the other without gaps")
  func offsets() {
    let layout = smallNetwork().layout
    #expect(layout.count == 13)
    #expect(
      layout.entries.map(\.name)
        == ["layer0.weight", "layer0.bias", "layer1.weight", "layer1.bias"])
    #expect(layout.entries.map(\.shape) == [[2, 3], [3], [3, 1], [1]])
    #expect(layout.entries.map(\.offset) == [0, 6, 9, 12])
    #expect(layout.entry(named: "layer1.weight")?.range == 9..<12)
    #expect(layout.entry(named: "layer2.weight") == nil)
  }

  @Test("a soft update moves by its rate, and at rate 1 copies exactly")
  func softUpdate() {
    var slow = smallNetwork([Float](repeating: 1, count: 13))
    let online = smallNetwork()
    slow.softUpdate(toward: online, rate: 0.25)
    // 0.25·x + 0.75·1 for x = 1 … 13
    #expect(slow.parameters == (1...13).map { 0.25 * Float($0) + 0.75 })
    slow.softUpdate(toward: online, rate: 0)
    #expect(slow.parameters == (1...13).map { 0.25 * Float($0) + 0.75 })
    slow.softUpdate(toward: online, rate: 1)
    #expect(slow == online)
  }

  @Test("named parameters load back under their prefix to the same bits")
  func namedRoundTrip() throws {
    let network = smallNetwork()
    let stored = network.namedParameters(prefix: "critic0.")
    #expect(stored.map(\.name).first == "critic0.layer0.weight")
    #expect(stored[2].values == [10, 11, 12])
    var other = smallNetwork([Float](repeating: 0, count: 13))
    try other.load(prefix: "critic0.") { name in stored.first { $0.name == name } }
    #expect(other == network)
  }

  @Test("a wrong stored parameter is named and leaves the network as it was")
  func wrongParameters() {
    let stored = smallNetwork().namedParameters()
    func error(_ change: (inout [NamedParameter]) -> Void) -> ParameterError? {
      var changed = stored
      change(&changed)
      var network = smallNetwork([Float](repeating: 7, count: 13))
      let thrown = #expect(throws: ParameterError.self) {
        try network.load { name in changed.first { $0.name == name } }
      }
      #expect(network.parameters == [Float](repeating: 7, count: 13))
      return thrown
    }
    #expect(error { $0.remove(at: 3) } == .missing(name: "layer1.bias"))
    #expect(
      error { $0[0].shape = [3, 2] }
        == .wrongShape(name: "layer0.weight", expected: [2, 3], found: [3, 2]))
    #expect(
      error { $0[2].values[1] = .nan } == .notFinite(name: "layer1.weight", index: 1))
    #expect(
      ParameterError.wrongShape(name: "a", expected: [2], found: [3]).description
        == "parameter a has the shape [3], the network needs [2]")
  }

  @Test("clipping scales all gradients by one factor to the bound")
  func clipping() {
    var gradients: [[Float]] = [[3, 0], [0, 4]]  // norm 5
    #expect(GradientClipping.clip(&gradients, maximumNorm: 10) == 5)
    #expect(gradients == [[3, 0], [0, 4]])
    #expect(GradientClipping.clip(&gradients, maximumNorm: 2.5) == 5)
    #expect(gradients == [[1.5, 0], [0, 2]])
    var one: [Float] = [6, 8]
    #expect(GradientClipping.clip(&one, maximumNorm: 1) == 10)
    #expect(one == [6 * 0.1, 8 * 0.1])
  }

  @Test("a gradient that is not finite is reported and left to be seen")
  func clippingNaN() {
    var gradient: [Float] = [1, .nan]
    #expect(GradientClipping.clip(&gradient, maximumNorm: 0.5).isNaN)
    #expect(gradient[0] == 1 && gradient[1].isNaN)
  }
}
