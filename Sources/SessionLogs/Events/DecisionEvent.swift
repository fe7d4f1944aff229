/// What the service decided for one request, with the state it decided on.
///
/// Shapes: `state` [S], `action` [A], `shown` [l], `taskScores` [l·K].
public struct DecisionEvent: Sendable, Equatable {
  /// Unique in the log.
  public var requestID: String
  /// Who asked.
  public var userID: String
  /// When, in milliseconds since 1970.
  public var timeMilliseconds: Int64
  /// Which policy decided.
  public var policyVersion: String
  /// The experiment that the user was in, if any.
  public var experiment: String?
  /// The arm of the experiment, or the group of the exploration.
  public var arm: String?
  /// The state as the service computed it: what is trained on.
  public var state: [Float]
  /// The normalized fusion weights, each in [−1, 1].
  public var action: [Float]
  /// The log density of `action` under what was deployed, in nats; nil if unknown.
  public var logPropensity: Double?
  /// The ids of the items shown, in rank order.
  public var shown: [String]
  /// The ranker's predictions for the items shown, item by item.
  public var taskScores: [Float]

  /// A decision.
  public init(
    requestID: String, userID: String, timeMilliseconds: Int64, policyVersion: String,
    experiment: String? = nil, arm: String? = nil, state: [Float], action: [Float],
    logPropensity: Double?, shown: [String], taskScores: [Float]
  ) {
    self.requestID = requestID
    self.userID = userID
    self.timeMilliseconds = timeMilliseconds
    self.policyVersion = policyVersion
    self.experiment = experiment
    self.arm = arm
    self.state = state
    self.action = action
    self.logPropensity = logPropensity
    self.shown = shown
    self.taskScores = taskScores
  }

  /// The fields of a line, in the order in which the writer puts them.
  static let fieldNames = [
    "request_id", "user_id", "time_ms", "policy_version", "experiment", "arm", "state", "action",
    "log_propensity", "shown", "task_scores",
  ]
}
