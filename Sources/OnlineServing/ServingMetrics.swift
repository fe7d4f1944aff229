/// What a service has done since it was made. A value: read it as often as wanted.
package struct ServingMetrics: Sendable, Equatable {
  /// The time of one stage over all requests, in nanoseconds.
  package struct Stage: Sendable, Equatable {
    /// The sum.
    package var nanoseconds: UInt64 = 0
    /// The longest.
    package var longest: UInt64 = 0

    mutating func add(_ duration: UInt64) {
      nanoseconds += duration
      longest = max(longest, duration)
    }
  }

  /// Requests answered.
  package var requests = 0
  /// Those of them that the fallback answered, by reason.
  package var fallbacks: [FallbackReason: Int] = [:]
  /// Requests by what decided, as decision events name it.
  package var byVersion: [String: Int] = [:]
  /// Requests whose user explored.
  package var explored = 0
  /// Decisions that the sink refused: they are lost.
  package var failedLogs = 0
  /// Decisions that no event can hold: the request lacked tasks, or had no candidate with usable
  /// scores.
  package var unloggable = 0
  /// Whether exploration rests because the sink refused the latest decision.
  package var explorationRests = false
  /// Decisions of policies in the shadow.
  package var shadows = 0
  /// Requests at which the policy in the shadow could not decide.
  package var failedShadows = 0
  /// Decisions of the shadow that the sink refused.
  package var failedShadowLogs = 0
  /// Calls of the user store that have not answered yet.
  package var pendingStoreCalls = 0
  /// The user store, with the state.
  package var state = Stage()
  /// The policy's decision.
  package var policy = Stage()
  /// Scores checked and fused and the best selected, by the fallback too.
  package var fusion = Stage()
  /// The sink.
  package var log = Stage()
  /// The policy in the shadow and its log.
  package var shadow = Stage()
  /// All of a request.
  package var total = Stage()

  /// Nothing done.
  package init() {}

  /// Requests that the fallback answered.
  package var fallbackCount: Int { fallbacks.values.reduce(0, +) }
}
