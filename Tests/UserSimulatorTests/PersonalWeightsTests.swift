import FusionMDP
import Testing
import UserSimulator

@Suite("personal weights")
struct PersonalWeightsTests {
  private func personal(
    _ platform: SimulatedPlatform, users: [Int], threads: Int = 1
  ) -> PersonalWeights {
    var budget = PersonalWeights.Budget()
    budget.candidateSets = 40
    budget.draws = 6
    budget.iterations = 8
    budget.population = 24
    budget.elite = 6
    return PersonalWeights(
      on: platform, users: users, start: [Float](repeating: 0, count: 12), budget: budget, seed: 4,
      threads: threads)
  }

  @Test("they win over the weights they start from and over their opposites, on fresh sessions")
  func win() throws {
    let platform = try Small.platform()
    let users = platform.allUsers
    let found = personal(platform, users: users)
    func run(_ actions: [[Float]]) -> PlatformRun {
      platform.run(
        policy: platform.policy(actions: actions, users: users, group: Array(users.indices)),
        from: platform.initialState(), days: 4, seed: 99)
    }
    let own = run(found.actions)
    let start = own.difference(
      to: run(users.map { _ in [Float](repeating: 0, count: 12) }), .sessionReturn)
    #expect(start.low > 0, "\(start)")
    let worst = own.difference(
      to: run(found.actions.map { $0.map { -$0 } }), .sessionReturn)
    #expect(worst.value > start.value, "\(worst), \(start)")
  }

  @Test("the number of threads changes nothing; all weights lie in the box")
  func threads() throws {
    let platform = try Small.platform()
    let users = Array(platform.allUsers.prefix(5))
    let found = personal(platform, users: users)
    let again = personal(platform, users: users, threads: 3)
    #expect(found.actions == again.actions && found.staticAction == again.staticAction)
    #expect(found.actions.count == 5 && found.actions.allSatisfy { $0.count == 12 })
    #expect(found.actions.allSatisfy { $0.allSatisfy { (-1...1).contains($0) } })
    #expect(found.actions[0] != found.actions[1])
  }
}
