import FusionMDP
import Testing
import UserSimulator

@Suite("oracle")
struct OracleTests {
  /// Two kinds of users with opposite tastes, so that a short run shows it.
  private func platform(types: Bool) throws -> (platform: SimulatedPlatform, state: PlatformState) {
    var assumptions = Assumptions()
    assumptions.commonShare = 0
    assumptions.individualDeviation = 0
    assumptions.stayingSlope = 2
    assumptions.stayingSpread = false
    assumptions.timeIsLimited = false
    assumptions.satisfactionTypes = types
    assumptions.types = [
      UserType(
        name: "short", share: 0.5, weights: [.finished: 1, .playIntegrity: 1], characteristic: []),
      UserType(
        name: "long", share: 0.5, weights: [.playMinutes: 1, .finished: -1], characteristic: []),
    ]
    var fit = Small.fit()
    fit.satisfactionMeans = [0, 0]
    fit.satisfactionDeviations = [0.6, 0.6]
    let platform = try SimulatedPlatform(
      data: PlatformData.synthetic(users: 80, videos: 200, seed: 2), assumptions: assumptions,
      fit: fit, seed: 3)
    return (platform, platform.initialState())
  }

  /// How much better it is to know the type than to give all users the better of two weights.
  private func lift(types: Bool) throws -> TrueValue {
    let (platform, state) = try platform(types: types)
    let actions = [Small.action(["finished": 2]), Small.action(["watch_time": 2])]
    func run(_ policy: any FusionPolicy) -> PlatformRun {
      platform.run(policy: policy, from: state, days: 2, seed: 99)
    }
    let oracle = run(
      platform.policy(actions: actions, users: platform.allUsers, group: platform.userTypes))
    let fixed = actions.map {
      oracle.difference(to: run(FixedWeightsPolicy(action: $0)), .sessionLength)
    }
    return fixed.min { $0.value < $1.value } ?? fixed[0]
  }

  @Test("knowing the type is worth something where types differ in what pleases them")
  func heterogeneous() throws {
    let lift = try lift(types: true)
    #expect(lift.low > 0, "\(lift)")
  }

  @Test("knowing the type is worth nothing where types are names only")
  func homogeneous() throws {
    let lift = try lift(types: false)
    #expect(lift.low < 0, "\(lift)")
  }

  @Test(
    "a search leaves bad weights, for every group on its own, and never ends worse than it began")
  func search() throws {
    let (platform, state) = try platform(types: true)
    // Each type starts from what pleases the other.
    let start = [Small.action(["watch_time": 2]), Small.action(["finished": 2])]
    var budget = WeightSearch.Budget()
    budget.iterations = 3
    budget.population = 8
    budget.elite = 3
    let users = platform.allUsers
    let found = WeightSearch.run(
      on: platform, from: state, users: users, group: platform.userTypes, start: start,
      objective: .sessionLength, budget: budget, seed: 5)
    #expect(found.actions.count == 2 && found.history.count == 3)
    #expect(found.actions.allSatisfy { $0.allSatisfy { (-1...1).contains($0) } })
    func run(_ actions: [[Float]]) -> PlatformRun {
      platform.run(
        policy: platform.policy(actions: actions, users: users, group: platform.userTypes),
        from: state, days: 2, seed: 99)
    }
    let gain = run(found.actions).difference(to: run(start), .sessionLength)
    #expect(gain.low > 0, "\(gain)")
  }

  @Test("a policy of groups gives every user its group's weights")
  func groups() throws {
    let platform = try Small.platform()
    let actions = [Small.action(["click": 1]), Small.action(["like": 2])]
    let users = platform.allUsers
    let policy = platform.policy(actions: actions, users: users, group: users.map { $0 % 2 })
    for request in Small.requests(platform, policy: policy, seed: 1).requests.prefix(200) {
      #expect(request.action == actions[request.user % 2])
    }
  }
}
