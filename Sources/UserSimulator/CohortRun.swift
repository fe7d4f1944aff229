import FusionMDP
import SeededRandom

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// What is the same for all users of a run.
struct RunPlan: Sendable {
  let platform: SimulatedPlatform
  let policy: any FusionPolicy
  let days: Int
  let startMilliseconds: Int64
  let root: RandomStream
  let reward: SatisfactionReward
  let discount: Double
  let records: Bool

  var endMilliseconds: Int64 { startMilliseconds + Int64(days) * HourClock.dayMilliseconds }
}

/// A cohort of users that advance request by request, so that the policy decides for a batch.
///
/// A user's streams depend on the run's seed, the user, the session's and the request's number only:
/// two policies meet the same candidates, moods and gaps wherever their users' paths agree.
struct CohortRun {
  private let plan: RunPlan
  private var slots: [UserSlot]
  private var scratch: RequestScratch
  private var policyStream: RandomStream
  private(set) var records: [ServedRequest] = []

  init(plan: RunPlan, cohort: Int, members: [Int], states: [UserState]) {
    self.plan = plan
    policyStream = plan.root.child("policy", cohort)
    scratch = RequestScratch(
      members: members.count, videos: plan.platform.data.videos.count,
      topics: plan.platform.topicCount)
    slots = members.indices.map { index in
      UserSlot(plan: plan, index: index, user: members[index], state: states[index])
    }
    for slot in slots {
      for video in slot.state.recent {
        scratch.marks[slot.videoOffset + Int(video)] = 1
      }
    }
  }

  /// Serves every session that begins before the end of the run, to its end.
  mutating func run() {
    var active = slots.indices.filter { slots[$0].beginSession(plan) }
    while !active.isEmpty {
      let decisions = decide(active)
      let weights = plan.platform.configuration.bounds.denormalized(decisions.actions)
      let actionSize = plan.policy.actionSize
      var staying: [Int] = []
      staying.reserveCapacity(active.count)
      for (row, index) in active.enumerated() {
        let outcome = slots[index].serve(
          weights: Array(weights[row * actionSize..<(row + 1) * actionSize]), plan: plan,
          scratch: &scratch)
        if plan.records { record(row, slot: index, decisions: decisions, outcome: outcome) }
        if !outcome.leaves || slots[index].beginSession(plan) { staying.append(index) }
      }
      active = staying
    }
  }

  /// What the cohort's users have become, in the order of its members.
  func finish() -> (states: [UserState], days: [UserDay], sessions: [SessionOutcome]) {
    (slots.map(\.state), slots.flatMap(\.days), slots.flatMap(\.finished))
  }

  private var states: [Float] = []

  private mutating func decide(_ active: [Int]) -> PolicyDecisions {
    let encoder = plan.platform.encoder
    states.removeAll(keepingCapacity: true)
    for index in active { slots[index].encodeState(encoder, plan: plan, into: &states) }
    let requests = PolicyRequests(
      states: states, stateSize: encoder.stateSize, userHashes: active.map { slots[$0].hash })
    let decisions = plan.policy.decide(requests, using: &policyStream)
    precondition(
      decisions.actions.count == active.count * plan.policy.actionSize,
      "\(plan.policy.name): \(decisions.actions.count) numbers for \(active.count) actions")
    return decisions
  }

  private mutating func record(
    _ row: Int, slot index: Int, decisions: PolicyDecisions, outcome: RequestOutcome
  ) {
    let stateSize = plan.platform.encoder.stateSize
    let actionSize = plan.policy.actionSize
    let propensity = decisions.logPropensities.map { $0[row] }
    records.append(
      ServedRequest(
        user: slots[index].user, userHash: slots[index].hash, session: outcome.session,
        ordinal: outcome.ordinal, timeMilliseconds: outcome.timeMilliseconds,
        state: Array(states[row * stateSize..<(row + 1) * stateSize]),
        action: Array(decisions.actions[row * actionSize..<(row + 1) * actionSize]),
        logPropensity: propensity.flatMap { $0.isNaN ? nil : $0 },
        shown: scratch.shown.map(Int.init), taskScores: scratch.shownScores,
        feedback: scratch.feedback, feedbackMilliseconds: outcome.feedbackMilliseconds,
        appSeconds: outcome.appSeconds,
        truth: ServedRequest.Truth(
          type: slots[index].truth.type, listSatisfaction: outcome.listSatisfaction,
          sessionSatisfaction: outcome.sessionSatisfaction, leaves: outcome.leaves,
          gapMilliseconds: outcome.gapMilliseconds)))
  }
}

/// What one request came to.
struct RequestOutcome {
  var session = 0
  var ordinal = 0
  var timeMilliseconds: Int64 = 0
  var feedbackMilliseconds: [Int64] = []
  var appSeconds = 0.0
  var listSatisfaction = 0.0
  var sessionSatisfaction = 0.0
  var leaves = false
  var gapMilliseconds: Int64 = 0
}

/// Memory that requests of a cohort reuse.
struct RequestScratch {
  /// 1 where a member has lately seen a video [members·V].
  var marks: [UInt8]
  /// How often a topic was shown in a member's session [members·topics].
  var topicCounts: [UInt16]
  var candidates: [Int32] = []
  var scores: [Float] = []
  var shown: [Int32] = []
  var shownScores: [Float] = []
  var feedback: [UserFeedback] = []
  var signals = [Float](repeating: 0, count: FeedbackSignal.count)

  init(members: Int, videos: Int, topics: Int) {
    marks = [UInt8](repeating: 0, count: members * videos)
    topicCounts = [UInt16](repeating: 0, count: members * topics)
  }
}
