import FusionMDP
import SeededRandom

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// One user of a running cohort.
struct UserSlot {
  /// Browsing takes this long an item beside its play: reading the cover, the swipe.
  static let browsingSeconds = 1.0
  /// Every session ends, whatever is assumed: after some 8,000 further requests in the mean.
  static let leastLeavingLogOdds = -9.0
  /// Requests of a session lie between 1 s and just under the 30 min that would end it.
  static let gapSeconds = 1.0...1795.0

  let user: Int
  let hash: UInt64
  let truth: UserTruth
  let videoOffset: Int
  let topicOffset: Int
  private(set) var state: UserState
  private(set) var days: [UserDay]
  private(set) var finished: [SessionOutcome] = []

  private let row: ImpressionRow
  private let profile: [Float]
  private let stream: RandomStream
  private var sessionStreams: SessionStreams
  private var session: SessionContext
  private var now: Int64 = 0
  private var outcome: SessionOutcome
  private var discountPower = 1.0
  private var satisfaction = 0.0
  private var topicsAreClear = true

  /// The streams of one session.
  private struct SessionStreams {
    var candidates: RandomStream
    var responses: RandomStream
    var exits: RandomStream
    var returns: RandomStream

    init(_ user: RandomStream, session: Int) {
      candidates = user.child("candidates", session)
      responses = user.child("responses", session)
      exits = user.child("exits", session)
      returns = user.child("returns", session)
    }
  }

  init(plan: RunPlan, index: Int, user: Int, state: UserState) {
    let platform = plan.platform
    self.user = user
    self.state = state
    hash = platform.data.users.hashes[user]
    truth = platform.users[user]
    videoOffset = index * platform.data.videos.count
    topicOffset = index * platform.topicCount
    row = platform.data.impressions.row(user: user)
    profile = platform.data.users.profile(of: user)
    stream = plan.root.child("user", user)
    days = (0..<plan.days).map { UserDay(user: user, day: $0) }
    sessionStreams = SessionStreams(stream, session: 0)
    session = SessionContext(hourOfDay: 0, hoursSinceLastSession: nil)
    outcome = SessionOutcome(
      user: user, startMilliseconds: 0, requests: 0, discountedReturn: 0, appSeconds: 0,
      wallSeconds: 0)
    // A user who sat out earlier runs keeps the hour of day.
    while self.state.nextSessionMilliseconds < plan.startMilliseconds {
      self.state.nextSessionMilliseconds += HourClock.dayMilliseconds
    }
  }

  /// Begins the next session if it lies within the run; false if the user is done.
  mutating func beginSession(_ plan: RunPlan) -> Bool {
    guard state.nextSessionMilliseconds < plan.endMilliseconds else { return false }
    now = state.nextSessionMilliseconds
    let away = state.lastSessionEndMilliseconds.map {
      Float(Double(now - $0) / Double(HourClock.hourMilliseconds))
    }
    session = SessionContext(
      hourOfDay: Float(plan.platform.clock.hour(at: now)), hoursSinceLastSession: away)
    sessionStreams = SessionStreams(stream, session: state.sessions)
    outcome = SessionOutcome(
      user: user, startMilliseconds: now, requests: 0, discountedReturn: 0, appSeconds: 0,
      wallSeconds: 0)
    discountPower = 1
    satisfaction = 0
    topicsAreClear = false
    days[day(plan)].sessions += 1
    return true
  }

  /// Appends the state of the request that is due.
  func encodeState(_ encoder: StateEncoder, plan: RunPlan, into states: inout [Float]) {
    encoder.encode(
      profile: profile, history: state.history, session: session, at: now, into: &states)
  }

  /// Ranks, shows, answers, and decides whether the user goes on.
  mutating func serve(
    weights: [Float], plan: RunPlan, scratch: inout RequestScratch
  ) -> RequestOutcome {
    if !topicsAreClear {
      for topic in 0..<plan.platform.topicCount { scratch.topicCounts[topicOffset + topic] = 0 }
      topicsAreClear = true
    }
    rank(weights: weights, plan: plan, scratch: &scratch)
    var result = RequestOutcome(
      session: state.sessions, ordinal: session.requestsSoFar, timeMilliseconds: now)
    respond(plan: plan, scratch: &scratch, result: &result)
    account(plan: plan, scratch: scratch, result: result)
    move(plan: plan, scratch: scratch, result: &result)
    return result
  }

  /// Fills `scratch.shown` with the best of the candidates.
  private mutating func rank(weights: [Float], plan: RunPlan, scratch: inout RequestScratch) {
    let configuration = plan.platform.configuration
    // A stream a request: how often a draw is repeated depends on what was shown before.
    var stream = sessionStreams.candidates.child("", session.requestsSoFar)
    let isShorter = stream.uniform() < configuration.shorterListShare
    plan.platform.sampler.fill(
      &scratch.candidates, wanted: configuration.candidateCount, marks: &scratch.marks,
      offset: videoOffset, using: &stream)
    let columns = ResponseTask.columns
    scratch.scores.removeAll(keepingCapacity: true)
    for video in scratch.candidates {
      let start = Int(video) * columns
      scratch.scores.append(contentsOf: row.scores[start..<start + columns])
    }
    let features = configuration.formula.features(of: scratch.scores, taskCount: columns)
    let fused = configuration.formula.fusedScores(features: features, weights: weights)
    let best = topCandidates(of: fused, count: configuration.listLength - (isShorter ? 1 : 0))
    scratch.shown.removeAll(keepingCapacity: true)
    scratch.shownScores.removeAll(keepingCapacity: true)
    for candidate in best {
      scratch.shown.append(scratch.candidates[candidate])
      if plan.records {
        scratch.shownScores += scratch.scores[candidate * columns..<(candidate + 1) * columns]
      }
    }
  }

  /// Answers the list in order; satiation counts what was shown before, in this list too.
  private mutating func respond(
    plan: RunPlan, scratch: inout RequestScratch, result: inout RequestOutcome
  ) {
    let platform = plan.platform
    let assumptions = platform.assumptions
    let fatigue = assumptions.sessionFatigue ? assumptions.fatigueLogit * usualLists(plan) : 0
    scratch.feedback.removeAll(keepingCapacity: true)
    var sum = 0.0
    for video in scratch.shown {
      let topic = topicOffset + platform.data.videos.topics[Int(video)]
      var repeats = 0.0
      if assumptions.topicSatiation {
        repeats = truth.satiation * log1p(Double(scratch.topicCounts[topic]))
      }
      scratch.topicCounts[topic] &+= 1
      let feedback = platform.responses.feedback(
        of: truth, row: row.responses, video: Int(video),
        tiredness: fatigue + assumptions.satiationLogit * repeats,
        using: &sessionStreams.responses)
      sum += truth.satisfaction(of: feedback) - assumptions.satiationSatisfaction * repeats
      result.appSeconds += Double(feedback.playSeconds) + Self.browsingSeconds
      scratch.feedback.append(feedback)
      state.history.append(feedback, at: now, layout: platform.encoder.layout)
      remember(video, plan: plan, scratch: &scratch)
    }
    result.listSatisfaction = sum / Double(scratch.shown.count)
    let standardized =
      (result.listSatisfaction - truth.satisfactionMean) / truth.satisfactionDeviation
    satisfaction += assumptions.satisfactionRate * (standardized - satisfaction)
    result.sessionSatisfaction = satisfaction
  }

  private mutating func remember(_ video: Int32, plan: RunPlan, scratch: inout RequestScratch) {
    let capacity = plan.platform.recentCapacity
    guard capacity > 0 else { return }
    if state.recent.count < capacity {
      state.recent.append(video)
    } else {
      scratch.marks[videoOffset + Int(state.recent[state.recentPosition])] = 0
      state.recent[state.recentPosition] = video
    }
    state.recentPosition = (state.recentPosition + 1) % capacity
    scratch.marks[videoOffset + Int(video)] = 1
  }

  /// Adds the list to the day, the session and its return.
  private mutating func account(plan: RunPlan, scratch: RequestScratch, result: RequestOutcome) {
    let day = day(plan)
    var signals = [Float](repeating: 0, count: FeedbackSignal.count)
    for feedback in scratch.feedback {
      feedback.add(to: &signals)
      if feedback.playSeconds > 0 {
        days[day].plays += 1
        if feedback.isPositiveInteraction { days[day].positivePlays += 1 }
      }
    }
    days[day].requests += 1
    days[day].appSeconds += result.appSeconds
    outcome.requests += 1
    outcome.appSeconds += result.appSeconds
    outcome.discountedReturn += discountPower * Double(plan.reward(signals))
    discountPower *= plan.discount
    session.record(signals: signals, impressions: scratch.feedback.count)
  }

  /// Leaves and schedules the next session, or schedules the next request.
  private mutating func move(
    plan: RunPlan, scratch: RequestScratch, result: inout RequestOutcome
  ) {
    let platform = plan.platform
    let assumptions = platform.assumptions
    let noise = sessionStreams.exits.gaussian()
    let stretch = exp(platform.fit.gapLocation + platform.fit.gapDeviation * noise)
    let gapSeconds = min(
      max(result.appSeconds * stretch, Self.gapSeconds.lowerBound), Self.gapSeconds.upperBound)
    let gap = Int64((gapSeconds * 1000).rounded())
    let watched = min(result.appSeconds, gapSeconds)
    if plan.records {
      result.feedbackMilliseconds = feedbackTimes(scratch.feedback, within: watched, of: result)
    }

    var logOdds = truth.exitIntercept
    if assumptions.satisfactionDrivesStaying { logOdds -= assumptions.stayingSlope * satisfaction }
    if assumptions.timeIsLimited {
      logOdds += assumptions.timeElasticity * log(result.appSeconds / platform.fit.listSeconds)
    }
    if assumptions.sessionFatigue {
      logOdds += assumptions.fatigueExit * usualLists(plan)
    }
    logOdds = max(logOdds, Self.leastLeavingLogOdds)
    result.leaves = sessionStreams.exits.uniform() < 1 / (1 + exp(-logOdds))
    guard result.leaves else {
      result.gapMilliseconds = gap
      now += gap
      session.hourOfDay = Float(platform.clock.hour(at: now))
      return
    }
    let end = now + Int64((watched * 1000).rounded())
    outcome.wallSeconds = Double(end - outcome.startMilliseconds) / 1000
    finished.append(outcome)
    let minutes = platform.returnGapMinutes(
      of: truth, satisfaction: satisfaction, using: &sessionStreams.returns)
    // The gap that cuts sessions runs from the last request, so 30 min after its list is enough.
    state.nextSessionMilliseconds = platform.clock.advance(
      from: end + 30 * 60_000, byActiveMinutes: minutes)
    state.lastSessionEndMilliseconds = end
    state.sessions += 1
    result.gapMilliseconds = state.nextSessionMilliseconds - now
  }

  /// When each response is complete, scaled into the time that the list had.
  private func feedbackTimes(
    _ feedback: [UserFeedback], within seconds: Double, of result: RequestOutcome
  ) -> [Int64] {
    let scale = seconds / result.appSeconds * 1000
    var elapsed = 0.0
    return feedback.map { item in
      elapsed += Double(item.playSeconds) + Self.browsingSeconds
      return now + Int64((elapsed * scale).rounded(.down))
    }
  }

  /// How long the session has taken, in lists of the usual length.
  private func usualLists(_ plan: RunPlan) -> Double {
    outcome.appSeconds / plan.platform.fit.listSeconds
  }

  private func day(_ plan: RunPlan) -> Int {
    Int((outcome.startMilliseconds - plan.startMilliseconds) / HourClock.dayMilliseconds)
  }
}

extension UserFeedback {
  /// Adds the signals v to a sum [V], as `signals` would.
  func add(to sum: inout [Float]) {
    sum[0] += playSeconds / 60
    sum[1] += playIntegrity
    if click { sum[2] += 1 }
    if longView { sum[3] += 1 }
    if like { sum[4] += 1 }
    if follow { sum[5] += 1 }
    if comment { sum[6] += 1 }
    if forward { sum[7] += 1 }
    if hate { sum[8] += 1 }
    if profileEnter { sum[9] += 1 }
    if commentStay { sum[10] += 1 }
    if finished { sum[11] += 1 }
    if skip { sum[12] += 1 }
  }
}
