#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

extension SimulatedPlatform {
  /// How much is simulated to fit a platform.
  package struct FitBudget: Sendable, Equatable {
    /// Users simulated, evenly taken from all.
    package var users = 512
    /// Days of each run.
    package var days = 2
    /// Runs that correct rates, satisfaction, gaps and leaving in turn.
    package var rounds = 6

    /// The default budget.
    package init() {}
  }

  /// A platform fitted to the anchors under the reference policy.
  ///
  /// 1. One run gives the lists that the reference policy shows; on them, by probabilities alone, the
  ///    intercepts, the spreads between users and videos and the correlations with play are fitted.
  /// 2. Some runs correct what depends on sessions: rates under satiation and fatigue, the scale of
  ///    each type's satisfaction, the gap to the next request, the odds of leaving.
  /// 3. The gaps between sessions are fitted on replayed sessions.
  ///
  /// Use `check` to see what came of it on fresh random numbers.
  ///
  /// - Throws: `PlatformError` for data, assumptions or settings out of range.
  package static func fitted(
    data: PlatformData, configuration: PlatformConfiguration = PlatformConfiguration(),
    assumptions: Assumptions = Assumptions(), anchors: PlatformAnchors = .kuaiRand,
    budget: FitBudget = FitBudget(), seed: UInt64, threads: Int = 1
  ) throws(PlatformError) -> SimulatedPlatform {
    var start = PlatformFit.start(types: assumptions.types.count)
    start.arrivalShares = anchors.hourShares
    var platform = try SimulatedPlatform(
      data: data, configuration: configuration, assumptions: assumptions, anchors: anchors,
      fit: start, seed: seed)
    let userCount = data.users.count
    let wanted = min(budget.users, userCount)
    let users = (0..<wanted).map { $0 * userCount / wanted }
    for user in users.prefix(3) {
      try data.impressions.row(user: user).check(user: user, videoCount: data.videos.count)
    }

    let first = FitRun(platform: platform, users: users, days: 1, seed: seed, threads: threads)
    var responses = ResponseFit(
      sample: ResponseSample(platform: platform, shown: first.shown, perUser: 72),
      anchors: anchors, fit: platform.fit)
    responses.run()
    platform = try platform.replacing(fit: responses.fit)

    for round in 0..<budget.rounds {
      let run = FitRun(
        platform: platform, users: users, days: budget.days, seed: seed &+ UInt64(round) + 1,
        threads: threads)
      var fit = platform.fit
      run.correct(&fit, anchors: anchors)
      platform = try platform.replacing(fit: fit)
      if round == 1 || round == budget.rounds - 1 {
        let returns = ReturnFit(platform: platform, users: users, sessions: run.endings)
        platform = try platform.replacing(fit: returns.fitted())
      }
    }
    return platform
  }
}

/// One run of the reference policy, with what fitting looks at.
struct FitRun {
  var shown: [(user: Int, video: Int)] = []
  var taskCounts = [Double](repeating: 0, count: ResponseTask.allCases.count)
  var impressions = 0.0
  /// Raw satisfaction of lists: count, sum and sum of squares of each type.
  var satisfaction: [(count: Double, sum: Double, squares: Double)]
  var listSeconds: [Double] = []
  var requests = 0.0
  var sessions = 0.0
  private var timeElasticity = 0.0
  var endings: [(wall: Double, tail: Double, satisfaction: Double)] = []

  init(platform: SimulatedPlatform, users: [Int], days: Int, seed: UInt64, threads: Int) {
    timeElasticity = platform.assumptions.timeIsLimited ? platform.assumptions.timeElasticity : 0
    satisfaction = platform.assumptions.types.map { _ in (0, 0, 0) }
    var start: [Int: Int64] = [:]
    var run = self
    _ = platform.run(
      policy: platform.configuration.referencePolicy, users: users,
      from: platform.initialState(), days: days, seed: seed, threads: threads
    ) { request in
      if request.ordinal == 0 { start[request.user] = request.timeMilliseconds }
      run.add(request, sessionStart: start[request.user] ?? request.timeMilliseconds)
    }
    self = run
  }

  private mutating func add(_ request: ServedRequest, sessionStart: Int64) {
    for (video, feedback) in zip(request.shown, request.feedback) {
      shown.append((request.user, video))
      impressions += 1
      for task in ResponseTask.allCases where feedback.has(task) {
        taskCounts[task.rawValue] += 1
      }
    }
    let value = request.truth.listSatisfaction
    satisfaction[request.truth.type].count += 1
    satisfaction[request.truth.type].sum += value
    satisfaction[request.truth.type].squares += value * value
    listSeconds.append(request.appSeconds)
    requests += 1
    guard request.truth.leaves else { return }
    sessions += 1
    let tail = request.appSeconds
    endings.append(
      (
        wall: Double(request.timeMilliseconds - sessionStart) / 1000 + tail, tail: tail,
        satisfaction: request.truth.sessionSatisfaction
      ))
  }

  /// Moves each constant by what its own anchor is off.
  func correct(_ fit: inout PlatformFit, anchors: PlatformAnchors) {
    for task in 0..<taskCounts.count {
      let seen = (taskCounts[task] + 0.5) / (impressions + 1)
      let wanted = anchors.rates[task]
      let step = log(wanted / (1 - wanted)) - log(seen / (1 - seen))
      // A rare behavior's rate is noisy: trust a run by the positives it holds.
      let trust = taskCounts[task] / (taskCounts[task] + 30)
      fit.intercepts[task] += trust * min(max(step, -1), 1)
    }
    for type in satisfaction.indices where satisfaction[type].count > 1 {
      let moments = satisfaction[type]
      let mean = moments.sum / moments.count
      fit.satisfactionMeans[type] = mean
      let variance = max(moments.squares / moments.count - mean * mean, 1e-6)
      fit.satisfactionDeviations[type] = variance.squareRoot()
    }
    // The intercept takes up what a move of the usual seconds does to leaving.
    let usual = exp(listSeconds.reduce(0) { $0 + log($1) } / Double(max(listSeconds.count, 1)))
    fit.exitIntercept += log(usual / fit.listSeconds) * timeElasticity
    fit.listSeconds = usual
    fit.exitIntercept += log(max(requests, 1) / max(sessions, 1) / anchors.requestsPerSession)
    let gaps = GapFit.run(
      seconds: stride(from: 0, to: listSeconds.count, by: max(listSeconds.count / 2000, 1)).map {
        listSeconds[$0]
      }, shares: anchors.requestGapShares)
    fit.gapLocation = gaps.location
    fit.gapDeviation = gaps.deviation
  }
}
