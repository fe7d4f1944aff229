/// One user behavior that the multi-task model predicts for each candidate.
public struct BehaviorTask: Sendable, Hashable {
  /// What values a prediction of the task may take.
  public enum Domain: String, Sendable, Hashable, CaseIterable {
    /// A number in [0, 1].
    case probability
    /// A finite number of seconds, 0 or more.
    case seconds

    /// Whether `score` is a value that a prediction of this domain can take.
    public func contains(_ score: Float) -> Bool {
      switch self {
      case .probability: score >= 0 && score <= 1
      case .seconds: score >= 0 && score.isFinite
      }
    }

    /// The domain in words, for messages.
    public var summary: String {
      switch self {
      case .probability: "a probability in [0, 1]"
      case .seconds: "seconds, finite and at least 0"
      }
    }
  }

  /// Whether the behavior says that the user is pleased or not.
  public enum Polarity: String, Sendable, Hashable, CaseIterable {
    case positive
    case negative
  }

  /// The name in logs, artifacts and messages.
  public let name: String
  /// What values a prediction may take.
  public let domain: Domain
  /// Whether more of it is better.
  public let polarity: Polarity

  /// A task with its name, domain and polarity.
  public init(name: String, domain: Domain, polarity: Polarity) {
    self.name = name
    self.domain = domain
    self.polarity = polarity
  }
}

/// The ordered list of tasks whose predictions are fused: K tasks, K weights.
public struct TaskSchema: Sendable, Hashable {
  /// The tasks; scores, weights and contributions follow this order.
  public let tasks: [BehaviorTask]

  /// A schema of these tasks.
  ///
  /// - Throws: `FusionError.invalidSchema` if there is no task, or a name is empty or repeated.
  public init(_ tasks: [BehaviorTask]) throws(FusionError) {
    guard !tasks.isEmpty else { throw .invalidSchema("there is no task") }
    var seen = Set<String>()
    for (index, task) in tasks.enumerated() {
      guard !task.name.isEmpty else { throw .invalidSchema("task \(index) has no name") }
      guard seen.insert(task.name).inserted else {
        throw .invalidSchema("the task name \"\(task.name)\" stands twice")
      }
    }
    self.tasks = tasks
  }

  private init(unchecked tasks: [BehaviorTask]) {
    self.tasks = tasks
  }

  /// No task: of a log that knows neither predictions nor weights. Nothing can be fused by it.
  public static let none = TaskSchema(unchecked: [])

  /// The number of tasks, K.
  public var count: Int { tasks.count }

  /// The names in order.
  public var names: [String] { tasks.map(\.name) }

  /// The position of the task called `name`.
  public func index(of name: String) -> Int? {
    tasks.firstIndex { $0.name == name }
  }

  /// The twelve tasks of this project (the paper has k = 12 and does not name them all).
  public static let standard = TaskSchema(unchecked: [
    BehaviorTask(name: "click", domain: .probability, polarity: .positive),
    BehaviorTask(name: "long_view", domain: .probability, polarity: .positive),
    BehaviorTask(name: "like", domain: .probability, polarity: .positive),
    BehaviorTask(name: "follow", domain: .probability, polarity: .positive),
    BehaviorTask(name: "comment", domain: .probability, polarity: .positive),
    BehaviorTask(name: "forward", domain: .probability, polarity: .positive),
    BehaviorTask(name: "hate", domain: .probability, polarity: .negative),
    BehaviorTask(name: "profile_enter", domain: .probability, polarity: .positive),
    BehaviorTask(name: "comment_stay", domain: .probability, polarity: .positive),
    BehaviorTask(name: "finished", domain: .probability, polarity: .positive),
    BehaviorTask(name: "skip", domain: .probability, polarity: .negative),
    BehaviorTask(name: "watch_time", domain: .seconds, polarity: .positive),
  ])
}
