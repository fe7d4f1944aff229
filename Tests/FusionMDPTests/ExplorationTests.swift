import Foundation
import FusionMDP
import SeededRandom
import Testing

@Suite("policies and exploration")
struct ExplorationTests {
  static func requests(_ count: Int) -> PolicyRequests {
    PolicyRequests(
      states: [Float](repeating: 0, count: count), stateSize: 1,
      userHashes: (0..<count).map { stableHash(UInt64($0), seed: 9) })
  }

  @Test("fixed weights are the same for all, without a density")
  func fixed() {
    var stream = RandomStream(seed: 1, name: "fixed")
    let decisions = FixedWeightsPolicy(action: [0.5, -1]).decide(Self.requests(3), using: &stream)
    #expect(decisions.actions == [0.5, -1, 0.5, -1, 0.5, -1])
    #expect(decisions.logPropensities == nil)
  }

  /// Gives each user the weight of the user's own hash.
  private struct HashPolicy: FusionPolicy {
    let name = "own"
    let actionSize = 2

    func decide(
      _ requests: PolicyRequests, using stream: inout RandomStream
    ) -> PolicyDecisions {
      PolicyDecisions(
        actions: requests.userHashes.flatMap { [Float($0 % 1000), -Float($0 % 1000)] },
        logPropensities: [Double](repeating: 0, count: requests.count))
    }
  }

  @Test("shuffled decisions are those of others, all of them, whole", arguments: [2, 3, 8])
  func shuffling(count: Int) {
    let requests = Self.requests(count)
    var seen: Set<[Float]> = []
    for draw in 0..<40 {
      var stream = RandomStream(seed: UInt64(draw), name: "shuffled")
      let own = HashPolicy().decide(requests, using: &stream).actions
      let decisions = ShuffledDecisions(of: HashPolicy()).decide(requests, using: &stream)
      #expect(decisions.logPropensities == nil)
      func rows(_ actions: [Float]) -> [[Float]] {
        stride(from: 0, to: actions.count, by: 2).map { Array(actions[$0..<$0 + 2]) }
      }
      let (before, after) = (rows(own), rows(decisions.actions))
      #expect(zip(before, after).allSatisfy { $0 != $1 })
      #expect(before.sorted { $0[0] < $1[0] } == after.sorted { $0[0] < $1[0] })
      seen.insert(decisions.actions)
    }
    #expect(seen.count == count - 1)
  }

  @Test("a user alone keeps the decision")
  func shufflingOne() {
    var stream = RandomStream(seed: 1, name: "shuffled")
    let requests = Self.requests(1)
    let own = HashPolicy().decide(requests, using: &stream).actions
    #expect(ShuffledDecisions(of: HashPolicy()).decide(requests, using: &stream).actions == own)
  }

  @Test(
    "the truncated density integrates to 1",
    arguments: [(0.0, 0.5), (0.0, 0.1), (1.0, 0.1), (-0.95, 0.1), (0.3, 3.0)])
  func integral(mean: Double, deviation: Double) {
    let gaussian = TruncatedGaussian(mean: mean, deviation: deviation)
    // Simpson's rule over 2,000 intervals.
    let count = 2000
    var sum = 0.0
    for index in 0...count {
      let x = -1 + 2 * Double(index) / Double(count)
      let factor = index == 0 || index == count ? 1.0 : (index % 2 == 1 ? 4 : 2)
      sum += factor * exp(gaussian.logDensity(x))
    }
    #expect(abs(sum * 2 / Double(count) / 3 - 1) < 1e-9)
    #expect(gaussian.logDensity(1.0001) == -.infinity)
  }

  @Test("hand-worked log densities")
  func densityLiterals() {
    // sd 1 around 0 keeps 0.6826894921: log φ(0) − log 0.6826894921
    let wide = TruncatedGaussian(mean: 0, deviation: 1)
    #expect(abs(wide.logDensity(0) - (-0.9189385332 + 0.3817151463)) < 1e-9)
    // At the edge, sd 0.1 around 1 keeps one half: −0.9189385332 + log 10 + log 2
    let edge = TruncatedGaussian(mean: 1, deviation: 0.1)
    #expect(abs(edge.logDensity(1) - 2.0767937403) < 1e-9)
    // One deviation away: ½ less.
    #expect(abs(edge.logDensity(0.9) - 1.5767937403) < 1e-9)
  }

  @Test("draws fill the bins of a histogram as the density says", arguments: [0.0, 0.9])
  func histogram(mean: Double) {
    let gaussian = TruncatedGaussian(mean: mean, deviation: 0.3)
    var stream = RandomStream(seed: 4, name: "histogram")
    let draws = 200_000
    let bins = 40
    var counts = [Int](repeating: 0, count: bins)
    for _ in 0..<draws {
      let x = gaussian.sample(using: &stream)
      #expect(x >= -1 && x <= 1)
      counts[min(Int((x + 1) / 2 * Double(bins)), bins - 1)] += 1
    }
    let width = 2 / Double(bins)
    for bin in 0..<bins {
      let left = -1 + Double(bin) * width
      let share =
        (exp(gaussian.logDensity(left)) + 4 * exp(gaussian.logDensity(left + width / 2))
          + exp(gaussian.logDensity(min(left + width, 1)))) * width / 6
      let deviation = (Double(draws) * share * (1 - share)).squareRoot()
      #expect(abs(Double(counts[bin]) - Double(draws) * share) < 5 * deviation + 1)
    }
  }

  @Test("logged densities are those of the stored actions, and the rows are independent")
  func loggedDensities() throws {
    var stream = RandomStream(seed: 5, name: "logged")
    let policy = RandomExploration(actionSize: 3, deviation: 0.5)
    let decisions = policy.decide(Self.requests(4), using: &stream)
    let logged = try #require(decisions.logPropensities)
    #expect(policy.logDensities(of: decisions.actions) == logged)
    let gaussian = TruncatedGaussian(mean: 0, deviation: 0.5)
    for row in 0..<4 {
      let sum = (0..<3).map { gaussian.logDensity(Double(decisions.actions[row * 3 + $0])) }
        .reduce(0, +)
      #expect(abs(sum - logged[row]) < 1e-12)
    }
    #expect(Set(decisions.actions).count == 12)
  }

  @Test("action noise stays near the base and gives its exact density given the base")
  func actionNoise() throws {
    var stream = RandomStream(seed: 6, name: "noise")
    let base = FixedWeightsPolicy(action: [0.2, 1])
    let policy = ActionNoiseExploration(base: base)
    #expect(policy.deviation == 0.1)
    let count = 20_000
    let decisions = policy.decide(Self.requests(count), using: &stream)
    let baseActions = base.decide(Self.requests(count), using: &stream).actions
    #expect(
      decisions.logPropensities == policy.logDensities(of: decisions.actions, given: baseActions))
    var (mean, square, edge) = (0.0, 0.0, 0.0)
    for row in 0..<count {
      mean += Double(decisions.actions[2 * row]) / Double(count)
      square += pow(Double(decisions.actions[2 * row]) - 0.2, 2) / Double(count)
      edge += Double(decisions.actions[2 * row + 1]) / Double(count)
    }
    #expect(abs(mean - 0.2) < 0.004)
    #expect(abs(square.squareRoot() - 0.1) < 0.003)
    // Half a Gaussian below 1: mean 1 − 0.1·√(2/π).
    #expect(abs(edge - 0.9202116) < 0.003)
  }

  @Test("the mean importance weight of one exploration under the other is 1")
  func importanceWeights() throws {
    var stream = RandomStream(seed: 7, name: "weights")
    let behavior = RandomExploration(actionSize: 2, deviation: 0.6)
    let base = FixedWeightsPolicy(action: [0.1, -0.3])
    let evaluated = ActionNoiseExploration(base: base, deviation: 0.4)
    let count = 200_000
    let requests = Self.requests(count)
    let logged = behavior.decide(requests, using: &stream)
    let mu = try #require(logged.logPropensities)
    let pi = evaluated.logDensities(
      of: logged.actions, given: base.decide(requests, using: &stream).actions)
    let weights = zip(pi, mu).map { exp($0 - $1) }
    let mean = weights.reduce(0, +) / Double(count)
    let variance = weights.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(count)
    #expect(abs(mean - 1) < 4 * (variance / Double(count)).squareRoot())
    #expect((variance / Double(count)).squareRoot() < 0.01)
  }

  @Test("mixed exploration keeps a user in one group and logs that group's density")
  func mixed() throws {
    let base = FixedWeightsPolicy(action: [0.5])
    let noise = ActionNoiseExploration(base: base, deviation: 0.01)
    let mixed = MixedExploration(
      random: RandomExploration(actionSize: 1), actionNoise: noise, salt: 3)
    var stream = RandomStream(seed: 8, name: "mixed")
    let requests = Self.requests(4000)
    let decisions = mixed.decide(requests, using: &stream)
    let densities = try #require(decisions.logPropensities)
    var randomCount = 0
    for row in 0..<4000 {
      let action = decisions.actions[row]
      switch mixed.group(ofUser: requests.userHashes[row]) {
      case .random:
        randomCount += 1
        let expected = TruncatedGaussian(mean: 0, deviation: 0.5).logDensity(Double(action))
        #expect(abs(densities[row] - expected) < 1e-12)
      case .actionNoise:
        #expect(abs(action - 0.5) < 0.06)
        let expected = TruncatedGaussian(mean: 0.5, deviation: 0.01).logDensity(Double(action))
        #expect(abs(densities[row] - expected) < 1e-9)
      }
    }
    // 4,000 fair coins: five deviations are 158.
    #expect(abs(randomCount - 2000) < 158)
    let other = MixedExploration(
      random: RandomExploration(actionSize: 1), actionNoise: noise, salt: 4)
    #expect(requests.userHashes.contains { mixed.group(ofUser: $0) != other.group(ofUser: $0) })
  }

  @Test("a group without density gives NaN in its rows only")
  func unknownDensity() throws {
    let mixed = MixedExploration(
      random: RandomExploration(actionSize: 1), actionNoise: FixedWeightsPolicy(action: [0]))
    var stream = RandomStream(seed: 9, name: "unknown")
    let requests = Self.requests(50)
    let densities = try #require(mixed.decide(requests, using: &stream).logPropensities)
    for row in 0..<50 {
      let isRandom = mixed.group(ofUser: requests.userHashes[row]) == .random
      #expect(densities[row].isNaN != isRandom)
    }
  }

  @Test("the training set takes equal amounts of trajectories of both groups, each once")
  func equalAmounts() throws {
    let mixed = MixedExploration(
      random: RandomExploration(actionSize: 1), actionNoise: FixedWeightsPolicy(action: [0]))
    // Users of the noise group come three times as often.
    var hashes: [UInt64] = []
    for user in 0..<600 {
      let hash = stableHash(UInt64(user), seed: 1)
      let repeats = mixed.group(ofUser: hash) == .random ? 1 : 3
      hashes += [UInt64](repeating: hash, count: repeats)
    }
    let randomCount = hashes.filter { mixed.group(ofUser: $0) == .random }.count
    var stream = RandomStream(seed: 10, name: "equal")
    let chosen = mixed.equalAmounts(ofSessionsBy: hashes, using: &stream)
    #expect(chosen.count == 2 * randomCount)
    #expect(chosen == chosen.sorted() && Set(chosen).count == chosen.count)
    #expect(chosen.filter { mixed.group(ofUser: hashes[$0]) == .random }.count == randomCount)

    let source = try TrajectoryArrays(
      hashes.map {
        Trajectory(
          states: [0], actions: [0], rewards: [0], end: .terminal, userHash: $0)
      }, stateSize: 1, actionSize: 1)
    stream = RandomStream(seed: 10, name: "equal")
    #expect(mixed.equalAmounts(of: source, using: &stream).sessionCount == 2 * randomCount)
    #expect(mixed.equalAmounts(ofSessionsBy: [], using: &stream).isEmpty)
  }
}
