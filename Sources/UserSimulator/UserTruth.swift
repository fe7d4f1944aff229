import FusionMDP
import SeededRandom

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// What a user is, which no model sees.
struct UserTruth: Sendable {
  /// The user's type, an index of `Assumptions.types`.
  let type: Int
  /// By what factor satiation with a topic is stronger.
  let satiation: Double
  /// What is added to each response's log odds [11]: intercept, user effect, expression of the type.
  let logits: [Double]
  /// Satisfaction is `offset` plus these weights times the behaviors [V].
  let satisfactionWeights: [Double]
  /// See `satisfactionWeights`.
  let satisfactionOffset: Double
  /// Mean and standard deviation that standardize a list's satisfaction.
  let satisfactionMean: Double
  let satisfactionDeviation: Double
  /// Log odds of leaving at no satisfaction and no fatigue.
  let exitIntercept: Double
  /// The mean of the log of the gap to the next session, in active minutes beyond 30.
  let returnLocation: Double
}

/// The draws that make users differ, before fitted constants scale them.
struct UserDraws: Sendable {
  let type: Int
  /// One standard normal draw a task [11]; play behaviors share theirs, with a skip opposed.
  let effects: [Double]
  /// Factors on the weights of satisfaction [V].
  let factors: [Double]
  let staying: Double
  /// Sessions a day.
  let sessionsPerDay: Double

  /// The draws of one user.
  ///
  /// - Parameter activityShare: the user's rank in activity, in (0, 1).
  init(
    user: Int, root: RandomStream, assumptions: Assumptions, anchors: PlatformAnchors,
    activityShare: Double
  ) {
    var stream = root.child("user", user)
    let point = stream.uniform()
    var cumulative = 0.0
    var type = assumptions.types.count - 1
    for (index, candidate) in assumptions.types.enumerated() {
      cumulative += candidate.share
      if point < cumulative {
        type = index
        break
      }
    }
    self.type = type
    effects = SharedEffects.draw(using: &stream)
    factors = FeedbackSignal.allCases.map { _ in
      exp(assumptions.individualDeviation * stream.gaussian())
    }
    staying = stream.gaussian()
    sessionsPerDay =
      assumptions.activitySpread
      ? max(anchors.activityQuantile(activityShare) / 31, 0.05) : anchors.sessionsPerDay
  }

  /// Ranks of activity as shares (rank + ½) / U, ties by lower index.
  static func activityShares(_ activity: [Double]) -> [Double] {
    let order = activity.indices.sorted {
      (activity[$0], $0) < (activity[$1], $1)
    }
    var shares = [Double](repeating: 0, count: activity.count)
    for (rank, user) in order.enumerated() {
      shares[user] = (Double(rank) + 0.5) / Double(activity.count)
    }
    return shares
  }
}

/// Standard normal effects of one user or video on the log odds of every task.
enum SharedEffects {
  /// Correlation of each added behavior's effect with the play effect (`ResponseTask.added`).
  ///
  /// In the log the users' propensities to click and to like, follow, comment, forward, hate, enter
  /// profiles and stay in comments correlate by .18, .11, .16, .10, .01, .37, .25, the videos' by
  /// .12, .06, .18, .04, –, .27, .38 (pairs of different impressions). On the scale of log odds
  /// correlations are higher, because rare propensities are skewed: half again is added.
  static let withPlay = [0.3, 0.2, 0.3, 0.2, 0, 0.5, 0.45]
  /// The same between comment and comment stay (.62 between users, .75 between videos).
  static let withinComments = 0.85
  /// The same between like and follow (.33 and .37).
  static let withinAuthor = 0.5

  /// One draw for all play behaviors, which are four views of one quantity (a skip with the opposite
  /// sign), and one for each added behavior. Shapes: [11].
  static func draw(using stream: inout RandomStream) -> [Double] {
    let play = stream.gaussian()
    let comments = stream.gaussian()
    let author = stream.gaussian()
    return ResponseTask.allCases.map { task in
      guard let index = ResponseTask.added.firstIndex(of: task) else {
        return task == .skip ? -play : play
      }
      var own = stream.gaussian()
      if task == .comment || task == .commentStay {
        own = withinComments.squareRoot() * comments + (1 - withinComments).squareRoot() * own
      }
      if task == .like || task == .follow {
        own = withinAuthor.squareRoot() * author + (1 - withinAuthor).squareRoot() * own
      }
      let c = withPlay[index]
      return c * play + (1 - c * c).squareRoot() * own
    }
  }
}

extension PlatformAnchors {
  /// Sessions in 31 days of the user at this share of users ordered by activity.
  func activityQuantile(_ share: Double) -> Double {
    for index in 1..<activityProbabilities.count where share <= activityProbabilities[index] {
      let low = activityProbabilities[index - 1]
      let x = (share - low) / (activityProbabilities[index] - low)
      return activityQuantiles[index - 1]
        + x * (activityQuantiles[index] - activityQuantiles[index - 1])
    }
    return activityQuantiles[activityQuantiles.count - 1]
  }
}

/// Means and standard deviations of the behaviors that satisfaction is made of [V], in the log, with
/// log(1 + play seconds) in the place of play minutes.
struct BehaviorMoments: Sendable {
  let means: [Double]
  let deviations: [Double]

  init(anchors: PlatformAnchors) {
    func rate(_ task: ResponseTask) -> Double { anchors.rates[task.rawValue] }
    means = FeedbackSignal.allCases.map { signal in
      switch signal {
      case .playMinutes: anchors.meanLogPlaySeconds
      case .playIntegrity: 0.306
      default: rate(Self.task(of: signal))
      }
    }
    deviations = FeedbackSignal.allCases.map { signal in
      switch signal {
      case .playMinutes: return 1.432
      case .playIntegrity: return 0.378
      default:
        let p = rate(Self.task(of: signal))
        return (p * (1 - p)).squareRoot()
      }
    }
  }

  /// The task that a yes-or-no signal answers.
  static func task(of signal: FeedbackSignal) -> ResponseTask {
    switch signal {
    case .longView: .longView
    case .like: .like
    case .follow: .follow
    case .comment: .comment
    case .forward: .forward
    case .hate: .hate
    case .profileEnter: .profileEnter
    case .commentStay: .commentStay
    case .finished: .finished
    case .skip: .skip
    case .playMinutes, .playIntegrity, .click: .click
    }
  }
}
