import Dispatch
package import FusionMDP
import SeededRandom
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Fixed weights for each single user, found with the truth about that user: what weights that fit
/// the user can win, for reports only.
///
/// For each user candidate sets are drawn, and what a candidate brings is averaged over draws of the
/// user's true response. A ranking then has means a list: reward R, standardized satisfaction S,
/// seconds T. Kept up all session long they give
///
///     h = sigmoid(exit intercept + elasticity · log(T / usual T) − slope · S)      chance of leaving
///     R / (1 − γ · (1 − h))                                                       session return
///
/// whose logarithm the weights maximize, by the cross-entropy method. Satiation and fatigue stand
/// still at `tiredness`. The steady state is an approximation: the worth of what is found has to be
/// measured by roll-out.
package struct PersonalWeights: Sendable {
  /// How much is drawn and tried.
  package struct Budget: Sendable, Equatable {
    /// Candidate sets a user, and draws of each candidate's response.
    package var candidateSets = 160
    package var draws = 12
    /// What satiation and fatigue take from the log odds of playing on: about half a session in, when
    /// a topic has been shown three or four times.
    package var tiredness = 0.3
    /// Rounds of the search, weights tried in each, and those that the next is drawn around.
    package var iterations = 30
    package var population = 40
    package var elite = 8

    /// The default budget.
    package init() {}
  }

  /// The best action for all users together, by the same search [A].
  package let staticAction: [Float]
  /// The best action of each user [users][A].
  package let actions: [[Float]]

  /// Searches for `users`.
  ///
  /// Shapes: `start` [A], where every search begins.
  package init(
    on platform: SimulatedPlatform, users: [Int], start: [Float], budget: Budget = Budget(),
    reward: SatisfactionReward = .standard, discount: Double = 0.95, seed: UInt64, threads: Int = 1
  ) {
    let root = RandomStream(seed: seed, name: "personal weights")
    let tables = Self.map(users.count, threads: threads) { row in
      OutcomeTable(
        platform: platform, user: users[row], budget: budget, reward: reward, discount: discount,
        stream: root.child("user", users[row]))
    }
    let bounds = platform.configuration.bounds
    let common = Self.search(
      from: start, bounds: bounds, budget: budget, stream: root.child("static")
    ) { candidates in
      Self.map(candidates.count, threads: threads) { index in
        tables.reduce(0) { $0 + $1.logReturn(weights: candidates[index]) }
      }
    }
    staticAction = common
    actions = Self.map(users.count, threads: threads) { row in
      Self.search(
        from: common, bounds: bounds, budget: budget, stream: root.child("search", users[row])
      ) { candidates in candidates.map { tables[row].logReturn(weights: $0) } }
    }
  }

  /// The cross-entropy method in the box: the final mean.
  private static func search(
    from start: [Float], bounds: FusionWeightBounds, budget: Budget, stream: RandomStream,
    values: ([[Float]]) -> [Double]
  ) -> [Float] {
    var stream = stream
    var mean = start
    var deviation = [Float](repeating: 0.6, count: start.count)
    for _ in 0..<budget.iterations {
      let population = (0..<budget.population).map { member in
        mean.indices.map { index in
          let noise = member == 0 ? 0 : Float(stream.gaussian())
          return min(max(mean[index] + deviation[index] * noise, -1), 1)
        }
      }
      let values = values(population.map { bounds.denormalized($0) })
      let elite = population.indices.sorted { (values[$0], $1) > (values[$1], $0) }
        .prefix(budget.elite).map { population[$0] }
      for index in mean.indices {
        let chosen = elite.map { $0[index] }
        let center = chosen.reduce(0, +) / Float(chosen.count)
        let variance =
          chosen.reduce(0) { $0 + ($1 - center) * ($1 - center) } / Float(chosen.count)
        mean[index] = center
        deviation[index] = max(variance.squareRoot(), 0.03)
      }
    }
    return mean
  }

  /// The results of `body` for 0 ..< count, computed by some threads.
  private static func map<Result: Sendable>(
    _ count: Int, threads: Int, _ body: @Sendable (Int) -> Result
  ) -> [Result] {
    let results = Mutex([Result?](repeating: nil, count: count))
    DispatchQueue.concurrentPerform(iterations: threads) { thread in
      for index in stride(from: thread, to: count, by: threads) {
        let result = body(index)
        results.withLock { $0[index] = result }
      }
    }
    return results.withLock { $0.compactMap(\.self) }
  }
}

/// What one user's candidates bring, on average over the user's responses.
private struct OutcomeTable: Sendable {
  /// What a list brings, as a mean over candidate sets.
  private struct ListOutcome {
    var reward = 0.0
    var satisfaction = 0.0
    var seconds = 0.0
  }

  private let candidates: Int
  private let listLength: Int
  private let tasks: Int
  private let discount: Double
  private let leaving: @Sendable (_ satisfaction: Double, _ seconds: Double) -> Double
  /// Shapes: [sets·candidates·K].
  private let features: [Float]
  /// Reward, satisfaction and seconds, [sets·candidates·3].
  private let outcomes: [Float]

  init(
    platform: SimulatedPlatform, user: Int, budget: PersonalWeights.Budget,
    reward: SatisfactionReward, discount: Double, stream: RandomStream
  ) {
    var stream = stream
    let configuration = platform.configuration
    candidates = configuration.candidateCount
    listLength = configuration.listLength
    tasks = configuration.bounds.count
    self.discount = discount
    let truth = platform.users[user]
    let row = platform.data.impressions.row(user: user)
    var marks = [UInt8](repeating: 0, count: platform.data.videos.count)
    var (set, scores) = ([Int32](), [Float]())
    var outcomes: [Float] = []
    for _ in 0..<budget.candidateSets {
      platform.sampler.fill(&set, wanted: candidates, marks: &marks, offset: 0, using: &stream)
      for video in set.map({ Int($0) }) {
        scores += row.scores[video * tasks..<(video + 1) * tasks]
        var signals = [Float](repeating: 0, count: FeedbackSignal.count)
        var (satisfaction, seconds) = (0.0, 0.0)
        for _ in 0..<budget.draws {
          let feedback = platform.responses.feedback(
            of: truth, row: row.responses, video: video, tiredness: budget.tiredness, using: &stream
          )
          feedback.add(to: &signals)
          satisfaction += truth.satisfaction(of: feedback)
          seconds += Double(feedback.playSeconds) + UserSlot.browsingSeconds
        }
        let scale = 1 / Double(budget.draws)
        outcomes += [
          reward(signals) * Float(scale), Float(satisfaction * scale), Float(seconds * scale),
        ]
      }
    }
    features = configuration.formula.features(of: scores, taskCount: tasks)
    self.outcomes = outcomes
    let (assumptions, usual) = (platform.assumptions, platform.fit.listSeconds)
    leaving = { satisfaction, seconds in
      var logOdds = truth.exitIntercept
      if assumptions.satisfactionDrivesStaying {
        logOdds -=
          assumptions.stayingSlope * (satisfaction - truth.satisfactionMean)
          / truth.satisfactionDeviation
      }
      if assumptions.timeIsLimited {
        logOdds += assumptions.timeElasticity * log(seconds / usual)
      }
      return 1 / (1 + exp(-logOdds))
    }
  }

  /// The logarithm of the steady state's session return.
  func logReturn(weights: [Float]) -> Double {
    let list = meanList(weights: weights)
    let leaves = leaving(list.satisfaction, list.seconds)
    return log(max(list.reward, 1e-9) / (1 - discount * (1 - leaves)))
  }

  private func meanList(weights: [Float]) -> ListOutcome {
    var total = ListOutcome()
    var fused = [Float](repeating: 0, count: candidates)
    let sets = features.count / (candidates * tasks)
    for set in 0..<sets {
      let first = set * candidates
      for candidate in 0..<candidates {
        var sum: Float = 0
        let row = (first + candidate) * tasks
        for task in 0..<tasks { sum += weights[task] * features[row + task] }
        fused[candidate] = sum
      }
      for _ in 0..<listLength {
        var best = 0
        for candidate in 1..<candidates where fused[candidate] > fused[best] { best = candidate }
        fused[best] = -.infinity
        let outcome = (first + best) * 3
        total.reward += Double(outcomes[outcome])
        total.satisfaction += Double(outcomes[outcome + 1])
        total.seconds += Double(outcomes[outcome + 2])
      }
    }
    return ListOutcome(
      reward: total.reward / Double(sets),
      satisfaction: total.satisfaction / Double(sets * listLength),
      seconds: total.seconds / Double(sets))
  }
}
