import DenseKernels
import Foundation
import FusionMDP
import NeuralNetworks
import PolicyArtifacts
import SeededRandom
import Testing

@Suite("inference policies")
struct PolicyTests {
  /// One layer each, so that eq. 4 can be written out: S = A = Z = 1.
  static func small(
    decoder: [Float], perturbation: [Float], critic: [Float], bound: Float, candidates: Int
  ) -> BatchConstrainedPolicy {
    let shape = ConditionalVAE.Shape(stateSize: 1, actionSize: 1, latentSize: 1, hidden: [])
    return BatchConstrainedPolicy(
      name: "small",
      behaviorModel: ConditionalVAE(
        shape: shape,
        encoder: MultilayerPerceptron(shape: shape.encoder, parameters: [0, 0, 0, 0, 0, 0]),
        decoder: MultilayerPerceptron(shape: shape.decoder, parameters: decoder)),
      perturbation: MultilayerPerceptron(
        shape: .init(inputs: 2, hidden: [], outputs: 1, outputActivation: .tanh),
        parameters: perturbation),
      critic: MultilayerPerceptron(
        shape: .init(inputs: 2, hidden: [], outputs: 1), parameters: critic),
      perturbationBound: bound, actionCandidates: candidates,
      normalizer: StateNormalizer(mean: [1], deviation: [2]))
  }

  @Test("the decision is eq. 4, written out in Double over the same latents")
  func equationFour() {
    // â = tanh(0.3 s + 2 z + 0.1), ξ = 0.15·tanh(−s + â), Q = 0.5 s − (a + 0.4 s)·… linear: −a
    let policy = Self.small(
      decoder: [0.3, 2, 0.1], perturbation: [-1, 1, 0.2], critic: [0.5, -1, 0.7], bound: 0.15,
      candidates: 9)
    let raw: [Float] = [0, 3, -1.5, 8]
    var stream = RandomStream(seed: 11, name: "latents")
    var same = stream
    let decided = policy.decide(
      PolicyRequests(states: raw, stateSize: 1, userHashes: [1, 2, 3, 4]), using: &stream
    ).actions
    for row in 0..<4 {
      let s = (Double(raw[row]) - 1) / 2
      var best = (action: 0.0, value: -Double.infinity)
      for _ in 0..<9 {
        let z = min(max(Double(Float(same.gaussian())), -0.5), 0.5)
        let generated = tanh(0.3 * s + 2 * z + 0.1)
        let action = min(max(generated + 0.15 * tanh(-s + generated + 0.2), -1), 1)
        let value = 0.5 * s - action + 0.7
        if value > best.value { best = (action, value) }
      }
      #expect(abs(Double(decided[row]) - best.action) < 1e-5)
    }
    #expect(stream == same)
  }

  @Test("perturbed actions stay in the box")
  func clipped() {
    let policy = Self.small(
      decoder: [0, 0, 3], perturbation: [0, 0, 5], critic: [0, 1, 0], bound: 0.5, candidates: 2)
    var stream = RandomStream(seed: 1, name: "box")
    let decided = policy.decide(
      PolicyRequests(states: [0], stateSize: 1, userHashes: [0]), using: &stream)
    #expect(decided.actions == [1])
    #expect(decided.logPropensities == nil)
  }

  @Test("many requests are decided as they are in smaller calls that go on with the stream")
  func chunks() {
    let policy = SamplePolicies.batchConstrained(candidates: 100)
    let requests = SamplePolicies.requests(200)
    var whole = RandomStream(seed: 5, name: "chunks")
    var parts = whole
    let actions = policy.decide(requests, using: &whole).actions
    var joined: [Float] = []
    for range in [0..<1, 1..<90, 90..<90, 90..<200] {
      joined += policy.decide(requests.selecting(Array(range)), using: &parts).actions
    }
    #expect(actions.count == 200 * 12 && joined.count == actions.count)
    for (a, b) in zip(actions, joined) { #expect(abs(a - b) < 1e-5) }
    #expect(whole == parts)
  }

  @Test("the same stream gives the same bits, another stream other actions")
  func deterministic() {
    let policy = SamplePolicies.batchConstrained()
    #expect(SamplePolicies.decisions(policy) == SamplePolicies.decisions(policy))
    var stream = RandomStream(seed: 99, name: "other")
    let other = policy.decide(SamplePolicies.requests(20), using: &stream).actions
    #expect(other != SamplePolicies.decisions(policy))
  }

  @Test("no network of the decision is dead: changing one changes what is decided")
  func deadNetworks() {
    let policy = SamplePolicies.batchConstrained()
    let before = SamplePolicies.decisions(policy)
    var model = policy.behaviorModel
    for index in model.decoder.parameters.indices { model.decoder.parameters[index] *= 1.5 }
    var perturbation = policy.perturbation
    for index in perturbation.parameters.indices { perturbation.parameters[index] *= 1.5 }
    var critic = policy.critic
    for index in critic.parameters.indices { critic.parameters[index] *= -1 }
    for (changedModel, changedPerturbation, changedCritic) in [
      (model, policy.perturbation, policy.critic),
      (policy.behaviorModel, perturbation, policy.critic),
      (policy.behaviorModel, policy.perturbation, critic),
    ] {
      let changed = BatchConstrainedPolicy(
        name: "changed", behaviorModel: changedModel, perturbation: changedPerturbation,
        critic: changedCritic, perturbationBound: 0.15, actionCandidates: 7,
        normalizer: SamplePolicies.normalizer)
      #expect(SamplePolicies.decisions(changed) != before)
    }
  }

  @Test("with one candidate the policy is the perturbed behavior model, with many Q is higher")
  func moreCandidates() {
    func value(_ candidates: Int) -> Double {
      let policy = SamplePolicies.batchConstrained(candidates: candidates)
      let requests = SamplePolicies.requests(300)
      var stream = RandomStream(seed: 8, name: "candidates")
      let actions = policy.decide(requests, using: &stream).actions
      let states = policy.normalizer.normalized(requests.states)
      let values = policy.critic(
        Matrix.joiningColumns([
          Matrix(rows: 300, columns: 3, values: states),
          Matrix(rows: 300, columns: 12, values: actions),
        ])
      ).values
      return values.reduce(0) { $0 + Double($1) } / 300
    }
    #expect(value(1) < value(10))
    #expect(value(10) < value(100))
  }

  @Test("a network policy normalizes, applies its network and clips")
  func networkPolicy() {
    let policy = NetworkPolicy(
      name: "linear",
      network: MultilayerPerceptron(
        shape: .init(inputs: 1, hidden: [], outputs: 2), parameters: [2, -1, 0.25, 0]),
      normalizer: StateNormalizer(mean: [1], deviation: [4]))
    var stream = RandomStream(seed: 1, name: "unused")
    let before = stream
    let decided = policy.decide(
      PolicyRequests(states: [2, 9], stateSize: 1, userHashes: [0, 1]), using: &stream)
    // (2 − 1)/4 = ¼ → 2·¼ + ¼, −¼;  (9 − 1)/4 = 2 → 4¼, −2, both clipped
    #expect(decided.actions == [0.75, -0.25, 1, -1])
    #expect(stream == before)
    let none = policy.decide(
      PolicyRequests(states: [], stateSize: 1, userHashes: []), using: &stream)
    #expect(none.actions.isEmpty)
  }
}
