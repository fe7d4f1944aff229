package import SessionLogs

/// Takes the decisions of a service: a log.
///
/// The service waits for it, so a sink that is full holds requests back and loses none. It has to
/// bound its time by itself.
package protocol DecisionSink: Sendable {
  /// Takes a decision. Where it throws, the decision is lost, the service counts it, and nobody
  /// explores until a decision is taken again.
  func append(_ event: DecisionEvent) async throws

  /// Takes what a policy in the shadow would have done. It belongs in a log of its own: nobody saw
  /// the list.
  func append(_ decision: ShadowDecision) async throws
}

/// What a policy in the shadow would have done at a request whose list another one made.
package struct ShadowDecision: Sendable, Equatable {
  /// The request, whose decision event has user, time and state.
  package let requestID: String
  /// The policy in the shadow.
  package let version: String
  /// Its normalized action [K].
  package let action: [Float]
  /// The log density of the action in nats; nil if deterministic or unknown.
  package let logPropensity: Double?
  /// The ids of the items that it would have shown, best first.
  package let items: [String]
}
