package import FusionMDP
import SeededRandom

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A short-video platform with known truth: users, videos, what they answer, and when they leave and
/// return.
///
/// Per request: candidates drawn in proportion to exposures; the ranker's scores and the policy's
/// weights make a list; the user answers in order; satisfaction moves; the user asks again or leaves
/// and later returns. Users are independent of each other. `Docs/SimulatedPlatform.md` says where
/// every number comes from.
///
/// | | here | shape |
/// | --- | --- | --- |
/// | users, videos, tasks | U, V, K = 12 | |
/// | effects that no model sees | `UserTruth.logits`, `ResponseModel` | [U·11], [V·11] |
package struct SimulatedPlatform: Sendable {
  /// What the platform was built from.
  package let data: PlatformData
  /// How requests are served.
  package let configuration: PlatformConfiguration
  /// What no log tells.
  package let assumptions: Assumptions
  /// The constants fitted to the anchors.
  package let fit: PlatformFit
  /// Builds the state that policies see and logs hold.
  package let encoder: StateEncoder
  /// What the fit aimed at.
  package let anchors: PlatformAnchors

  let seed: UInt64
  let users: [UserTruth]
  let responses: ResponseModel
  let sampler: CandidateSampler
  let clock: HourClock
  let topicCount: Int
  let recentCapacity: Int

  /// A platform with known constants.
  ///
  /// - Parameter seed: decides who the users are; the seed of a run decides what happens to them.
  /// - Throws: `PlatformError.setting` for an assumption, setting or fit out of range.
  package init(
    data: PlatformData, configuration: PlatformConfiguration = PlatformConfiguration(),
    assumptions: Assumptions = Assumptions(), anchors: PlatformAnchors = .kuaiRand,
    fit: PlatformFit, seed: UInt64
  ) throws(PlatformError) {
    try configuration.check(videoCount: data.videos.count)
    try assumptions.check()
    try fit.check(types: assumptions.types.count)
    self.data = data
    self.configuration = configuration
    self.assumptions = assumptions
    self.anchors = anchors
    self.fit = fit
    self.seed = seed
    encoder = StateEncoder(profileNames: data.users.profileNames)
    let root = RandomStream(seed: seed, name: "population")
    users = Self.truths(
      data: data, assumptions: assumptions, anchors: anchors, fit: fit, root: root)
    responses = ResponseModel(
      durations: data.videos.durationSeconds,
      videoEffects: Self.videoEffects(count: data.videos.count, root: root), fit: fit)
    sampler = CandidateSampler(weights: data.videos.exposures)
    clock = HourClock(
      shares: assumptions.hourProfile ? fit.arrivalShares : nil,
      utcOffsetHours: configuration.utcOffsetHours)
    topicCount = (data.videos.topics.max() ?? 0) + 1
    recentCapacity = min(configuration.recentlySeen, data.videos.count / 3)
  }

  /// The same platform with other assumptions and every fitted constant as it is.
  package func assuming(_ assumptions: Assumptions) throws(PlatformError) -> SimulatedPlatform {
    try replacing(fit: fit, assumptions: assumptions)
  }

  func replacing(
    fit: PlatformFit, assumptions: Assumptions? = nil
  ) throws(PlatformError) -> SimulatedPlatform {
    try SimulatedPlatform(
      data: data, configuration: configuration, assumptions: assumptions ?? self.assumptions,
      anchors: anchors, fit: fit, seed: seed)
  }

  /// All users.
  package var allUsers: [Int] { Array(0..<data.users.count) }

  /// The type of each user [U]: truth, for oracles, tests and reports only.
  package var userTypes: [Int] { users.map(\.type) }

  /// Where every user is at the start, before any warm-up.
  package func initialState() -> PlatformState {
    let start = configuration.startMilliseconds
    let root = RandomStream(seed: seed, name: "arrivals")
    let states = users.indices.map { user -> UserState in
      var stream = root.child("user", user)
      let gap = returnGapMinutes(of: users[user], satisfaction: 0, using: &stream)
      let first = clock.advance(from: start, byActiveMinutes: stream.uniform() * gap)
      return UserState(
        history: data.users.histories?[user] ?? encoder.emptyHistory(),
        nextSessionMilliseconds: first)
    }
    return PlatformState(startMilliseconds: start, users: states)
  }

  /// The state after some days under the reference policy, from which all arms can start.
  package func warmedState(days: Int, seed: UInt64, threads: Int = 1) -> PlatformState {
    guard days > 0 else { return initialState() }
    return run(
      policy: configuration.referencePolicy, from: initialState(), days: days,
      seed: seed, threads: threads
    ).state
  }

  /// Active minutes beyond the 30 that end a session until the user returns.
  func returnGapMinutes(
    of user: UserTruth, satisfaction: Double, using stream: inout RandomStream
  ) -> Double {
    let pleased =
      assumptions.satisfactionDrivesReturning ? assumptions.returningSlope * satisfaction : 0
    let log = user.returnLocation - pleased + fit.returnDeviation * stream.gaussian()
    return min(exp(log), 31 * 1440)
  }

  private static func truths(
    data: PlatformData, assumptions: Assumptions, anchors: PlatformAnchors, fit: PlatformFit,
    root: RandomStream
  ) -> [UserTruth] {
    let shares = UserDraws.activityShares(data.users.activity)
    let moments = BehaviorMoments(anchors: anchors)
    let expression = Expression(assumptions)
    return shares.indices.map { user in
      let draws = UserDraws(
        user: user, root: root, assumptions: assumptions, anchors: anchors,
        activityShare: shares[user])
      return UserTruth(
        draws, assumptions: assumptions, anchors: anchors, fit: fit, moments: moments,
        expression: expression)
    }
  }

  /// Standard normal effects of the videos [V·11].
  static func videoEffects(count: Int, root: RandomStream) -> [Float] {
    (0..<count).flatMap { video -> [Float] in
      var stream = root.child("video", video)
      return SharedEffects.draw(using: &stream).map(Float.init)
    }
  }
}

/// What types do more often, centered over the types so that rates stay.
struct Expression: Sendable {
  /// What is added to log odds, by type and task.
  let logits: [[Double]]

  init(_ assumptions: Assumptions) {
    let tasks = ResponseTask.allCases
    let shares = tasks.map { task in
      assumptions.types.reduce(0) {
        $0 + ($1.characteristic.contains(task) ? $1.share : 0)
      }
    }
    let logit = assumptions.typeExpression ? assumptions.expressionLogit : 0
    logits = assumptions.types.map { type in
      tasks.map { task in
        logit * ((type.characteristic.contains(task) ? 1 : 0) - shares[task.rawValue])
      }
    }
  }
}

extension UserTruth {
  /// What a user is, from its draws and the fitted constants.
  init(
    _ draws: UserDraws, assumptions: Assumptions, anchors: PlatformAnchors, fit: PlatformFit,
    moments: BehaviorMoments, expression: Expression
  ) {
    type = draws.type
    let kind = assumptions.types[draws.type]
    satiation = assumptions.satisfactionTypes ? kind.satiation : 1
    logits = ResponseTask.allCases.map { task in
      let index = task.rawValue
      return fit.intercepts[index] + fit.userDeviations[index] * draws.effects[index]
        + expression.logits[draws.type][index]
    }
    let common = assumptions.satisfactionTypes ? assumptions.commonShare : 1
    let weights = FeedbackSignal.allCases.map { signal -> Double in
      let index = signal.index
      let weight = common * UserType.common.weights[index] + (1 - common) * kind.weights[index]
      let factor = assumptions.satisfactionTypes ? draws.factors[index] : 1
      return weight * factor / moments.deviations[index]
    }
    satisfactionWeights = weights
    satisfactionOffset = -zip(weights, moments.means).reduce(0) { $0 + $1.0 * $1.1 }
    satisfactionMean = fit.satisfactionMeans[draws.type]
    satisfactionDeviation = fit.satisfactionDeviations[draws.type]
    exitIntercept =
      fit.exitIntercept
      + (assumptions.stayingSpread ? assumptions.stayingDeviation * draws.staying : 0)
    // A cycle of a session (about 35 min), the 30 min that end it, and the rest of the gap.
    let mean = max(1440 / draws.sessionsPerDay - 65, 10)
    returnLocation = log(mean) - fit.returnDeviation * fit.returnDeviation / 2 + fit.returnLocation
  }

  /// The satisfaction of one response, before satiation.
  func satisfaction(of feedback: UserFeedback) -> Double {
    let w = satisfactionWeights
    var sum = satisfactionOffset
    sum += w[0] * log1p(Double(feedback.playSeconds)) + w[1] * Double(feedback.playIntegrity)
    if feedback.click { sum += w[2] }
    if feedback.longView { sum += w[3] }
    if feedback.like { sum += w[4] }
    if feedback.follow { sum += w[5] }
    if feedback.comment { sum += w[6] }
    if feedback.forward { sum += w[7] }
    if feedback.hate { sum += w[8] }
    if feedback.profileEnter { sum += w[9] }
    if feedback.commentStay { sum += w[10] }
    if feedback.finished { sum += w[11] }
    if feedback.skip { sum += w[12] }
    return sum
  }
}
