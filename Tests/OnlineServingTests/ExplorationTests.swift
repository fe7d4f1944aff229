import Foundation
import FusionMDP
import OnlineExperiments
import OnlineServing
import SeededRandom
import SessionLogs
import Testing

@Suite("exploration and arms")
struct ExplorationTests {
  static let deviations = (random: 0.5, noise: 0.3)

  static func experiments(cap: Double, shares: [(String, Double)]) throws -> ExperimentPlan {
    var lower = 0.0
    var groups: [ExplorationGroup] = []
    for (name, share) in shares {
      groups.append(
        ExplorationGroup(
          name: name, slice: TrafficSlice(lower, min(lower + share, 1)), share: share))
      lower += share
    }
    return try ExperimentPlan(
      layers: [
        ExperimentLayer(
          name: "policies",
          experiments: [
            RampedExperiment(
              name: "new policy", slice: TrafficSlice(0, 0.8),
              arms: [
                ExperimentArm(name: "old", share: 1), ExperimentArm(name: "new", share: 1),
              ], steps: [0.1, 0.8])
          ])
      ], exploration: ExplorationLayer(name: "explore", cap: cap, groups: groups))
  }

  static let kinds: [String: ExplorationKind] = [
    "random": .randomActions(deviation: deviations.random),
    "noise": .actionNoise(deviation: deviations.noise),
    "mixed": .mixed(
      randomDeviation: deviations.random, noiseDeviation: deviations.noise, salt: 3),
  ]

  /// Two tasks, so that ratios of densities have a small variance.
  static func contract() throws -> ServingContract {
    let schema = try TaskSchema(Array(TaskSchema.standard.tasks.prefix(2)))
    return ServingContract(
      fusion: try FusionDefinition(
        schema: schema, formula: .weightedSum, bounds: .standard(for: schema)),
      encoder: Service.encoder)
  }

  /// A service with the three groups and an experiment.
  static func service(shares: [(String, Double)], cap: Double = 1) throws -> Service {
    let service = try Service(contract: contract(), action: [0, 0])
    let plan = try experiments(cap: cap, shares: shares)
    try service.policies.release(
      LivePolicy(version: "v1", policy: Samples.network(actionSize: 2)))
    try service.policies.setPlan(
      ServingPlan(
        assignment: LayeredAssignment(plan: plan, stages: ["new policy": .step(1)]),
        layer: "policies",
        policies: [
          .init(
            experiment: "new policy", arm: "new",
            policy: LivePolicy(version: "v2", policy: Samples.network(seed: 9, actionSize: 2)))
        ],
        exploration: kinds.filter { kind in shares.contains { $0.0 == kind.key } }))
    return service
  }

  @discardableResult
  static func rank(_ service: Service, _ users: Range<Int>) async throws -> [RankedList] {
    var answers: [RankedList] = []
    for user in users {
      service.clock.advance(milliseconds: 10)
      answers.append(
        await service.ranking.rank(
          try Samples.request(
            user, user: "u\(user)", candidates: 3, count: 2,
            schema: service.policies.contract.fusion.schema)))
    }
    return answers
  }

  @Test("every logged density is that of the exploration of FusionMDP, drawn from the same stream")
  func densities() async throws {
    let service = try Self.service(shares: [("random", 0.3), ("noise", 0.3), ("mixed", 0.4)])
    try await Self.rank(service, 0..<600)
    var seen = Set<String>()
    for event in service.sink.events {
      let hash = stableHash(event.userID)
      let base = Samples.network(seed: 2, actionSize: 2)
      let other = Samples.network(seed: 9, actionSize: 2)
      let isOther = event.policyVersion.hasPrefix("v2")
      let noise = ActionNoiseExploration(
        base: isOther ? other : base, deviation: Self.deviations.noise)
      let random = RandomExploration(actionSize: 2, deviation: Self.deviations.random)
      let policy: any DensityPolicy =
        switch event.arm {
        case "random": random
        case "noise": noise
        default: MixedExploration(random: random, actionNoise: noise, salt: 3)
        }
      let requests = PolicyRequests(
        states: event.state, stateSize: event.state.count, userHashes: [hash])
      var stream = service.ranking.stream(ofRequest: event.requestID)
      let expected = policy.decide(requests, using: &stream)
      #expect(event.action == expected.actions)
      #expect(event.logPropensity == expected.logPropensities?.first)
      #expect(event.logPropensity == policy.logDensities(of: event.action, for: requests).first)
      #expect(event.experiment == "explore")
      seen.insert("\(event.arm ?? "") \(event.policyVersion)")
    }
    #expect(
      seen == [
        "random random_exploration", "noise v1+action_noise", "noise v2+action_noise",
        "mixed random_exploration", "mixed v1+action_noise", "mixed v2+action_noise",
      ])
    #expect(service.ranking.metrics.explored == 600)
  }

  @Test("densities integrate: the mean of another density over the logged one is 1")
  func integral() async throws {
    let service = try Self.service(shares: [("mixed", 1)])
    try await Self.rank(service, 0..<6000)
    for isRandom in [true, false] {
      let ratios = service.sink.events
        .filter { ($0.policyVersion == "random_exploration") == isRandom }
        .compactMap { event -> Double? in
          guard let logged = event.logPropensity else { return nil }
          // A density on the box that knows nothing of the policy: uniform, 1/4.
          let uniform = -2 * log(2.0)
          let other = TruncatedGaussian(mean: 0.1, deviation: 0.4)
          let narrow =
            other.logDensity(Double(event.action[0])) + other.logDensity(Double(event.action[1]))
          return exp((isRandom ? uniform : narrow) - logged)
        }
      #expect(ratios.count > 2500)
      let mean = ratios.reduce(0, +) / Double(ratios.count)
      let variance =
        ratios.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(ratios.count - 1)
      let error = (variance / Double(ratios.count)).squareRoot()
      #expect(error < 0.2 && abs(mean - 1) < 4 * error, "mean \(mean), error \(error)")
    }
  }

  @Test("the share of users who explore stays within the cap, and a plan above it is none")
  func cap() async throws {
    let service = try Self.service(shares: [("random", 0.02), ("mixed", 0.03)], cap: 0.05)
    try await Self.rank(service, 0..<20_000)
    let share = Double(service.ranking.metrics.explored) / 20_000
    let error = (0.05 * 0.95 / 20_000).squareRoot()
    #expect(abs(share - 0.05) < 4 * error, "share \(share)")
    let explorers = service.sink.events.filter { $0.experiment == "explore" }
    #expect(explorers.count == service.ranking.metrics.explored)
    #expect(explorers.allSatisfy { $0.logPropensity != nil })
    #expect(throws: ExperimentError.self) {
      try Self.experiments(cap: 0.04, shares: [("random", 0.02), ("mixed", 0.03)])
    }
  }

  @Test(
    "the switch stops all exploration, and a sink that refuses lets it rest until it takes again")
  func stops() async throws {
    let service = try Self.service(shares: [("random", 1)])
    func exploredNow(_ users: Range<Int>) async throws -> Int {
      let before = service.ranking.metrics.explored
      try await Self.rank(service, users)
      return service.ranking.metrics.explored - before
    }
    #expect(try await exploredNow(0..<20) == 20)
    service.policies.setExploration(false)
    #expect(try await exploredNow(0..<20) == 0)
    #expect(service.sink.events.suffix(20).allSatisfy { $0.logPropensity == nil })
    service.policies.setExploration(true)
    service.sink.setRefuses(true)
    // The first one explores and finds the sink out.
    #expect(try await exploredNow(20..<40) == 1)
    var metrics = service.ranking.metrics
    #expect(metrics.failedLogs == 20 && metrics.explorationRests && metrics.requests == 60)
    service.sink.setRefuses(false)
    // The first one finds the sink at work again.
    #expect(try await exploredNow(40..<60) == 19)
    metrics = service.ranking.metrics
    #expect(metrics.failedLogs == 20 && !metrics.explorationRests)
  }

  @Test("users meet the policy of their arm, and answers and events name experiment and arm")
  func arms() async throws {
    let service = try Self.service(shares: [("random", 0.1)])
    let assignment = try LayeredAssignment(
      plan: Self.experiments(cap: 1, shares: [("random", 0.1)]),
      stages: ["new policy": .step(1)])
    let answers = try await Self.rank(service, 0..<2000)
    var counts: [String: Int] = [:]
    for (answer, event) in zip(answers, service.sink.events) {
      let hash = stableHash(event.userID)
      let enrolled = assignment.enrollment(of: hash, layer: 0)
      let explores = assignment.explorationGroup(of: hash) != nil
      let arm = enrolled.map { ["old", "new"][$0.arm] }
      #expect(answer.experiment == (explores ? "explore" : arm.map { _ in "new policy" }))
      #expect(answer.arm == (explores ? "random" : arm))
      #expect(answer.experiment == event.experiment && answer.arm == event.arm)
      let version = explores ? "random_exploration" : arm == "new" ? "v2" : "v1"
      #expect(answer.policyVersion == version && event.policyVersion == version)
      counts[version, default: 0] += 1
    }
    #expect(counts.count == 3 && counts == service.ranking.metrics.byVersion)
    // One arm's policy is replaced; the other users keep theirs.
    try service.policies.release(Samples.fixed(0.5, version: "v3", actionSize: 2))
    let later = try await Self.rank(service, 0..<2000)
    for (before, after) in zip(answers, later) {
      #expect(
        after.policyVersion == (before.policyVersion == "v1" ? "v3" : before.policyVersion))
    }
  }

  @Test("a plan that cannot be carried out is named by its field")
  func planErrors() throws {
    let plan = try Self.experiments(cap: 1, shares: [("random", 0.1)])
    let assignment = try LayeredAssignment(plan: plan, stages: [:])
    let policy = Samples.fixed(0, version: "v2", actionSize: 2)
    func field(
      layer: String? = "policies", arm: String = "new",
      exploration: [String: ExplorationKind] = ["random": .randomActions(deviation: 1)],
      repeated: Int = 1
    ) -> String? {
      do throws(OnlineServingError) {
        let entry = ServingPlan.ArmPolicy(experiment: "new policy", arm: arm, policy: policy)
        _ = try ServingPlan(
          assignment: assignment, layer: layer,
          policies: [ServingPlan.ArmPolicy](repeating: entry, count: repeated),
          exploration: exploration)
        return nil
      } catch {
        guard case .invalidPlan(let field, _, _) = error else { return "another" }
        return field
      }
    }
    #expect(field() == nil)
    #expect(field(layer: "colors") == "layer")
    #expect(field(layer: nil) == "policy \"v2\"")
    #expect(field(arm: "third") == "policy \"v2\"")
    #expect(field(repeated: 2) == "policy \"v2\"")
    #expect(field(exploration: [:]) == "exploration group \"random\"")
    #expect(
      field(exploration: ["random": .randomActions(deviation: 0)])
        == "exploration group \"random\"")
    #expect(
      field(exploration: [
        "random": .randomActions(deviation: 1), "x": .randomActions(deviation: 1),
      ])
        == "exploration")
  }
}
