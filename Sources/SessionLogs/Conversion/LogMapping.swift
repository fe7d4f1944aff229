/// How somebody's own tables become a session log: which column is which field, in which unit.
///
/// Two shapes of source: two tables, `decisions` and `feedback`; or one, `impressions`, in which
/// the rows of one request share a user and a time, or a request id. Keys are those of YAML.
public struct LogMapping: Codable, Sendable, Equatable {
  /// A task whose prediction is fused: its weight in `action`, its score in `task_scores`.
  public struct Task: Codable, Sendable, Equatable {
    /// Its name.
    public var name: String
    /// `probability` or `seconds`.
    public var domain: String
    /// `positive`, the default, or `negative`.
    public var polarity: String?

    /// A task.
    public init(name: String, domain: String, polarity: String? = nil) {
      self.name = name
      self.domain = domain
      self.polarity = polarity
    }

    enum CodingKeys: String, CodingKey { case name, domain, polarity }

    /// Writes every key, so that each is known.
    public func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(name, forKey: .name)
      try container.encode(domain, forKey: .domain)
      try container.encode(polarity, forKey: .polarity)
    }
  }

  /// States that are computed from the users' history, in a log that has none.
  public struct States: Codable, Sendable, Equatable {
    /// The YAML file of the state's definition, from the mapping's folder.
    public var definition: String
    /// A file of user profiles, from the mapping's folder.
    public var profiles: String?
    /// A file of items with their topics, from the mapping's folder.
    public var items: String?
    /// What the profiles call the user's id; `user_id`.
    public var userKey: String?
    /// What the items call the item's id; `item_id`.
    public var itemKey: String?
    /// The share of sessions, by start time, on which it is fitted; 0.9, as preparation splits.
    public var trainFraction: Double?

    enum CodingKeys: String, CodingKey {
      case definition, profiles, items
      case userKey = "user_key"
      case itemKey = "item_key"
      case trainFraction = "train_fraction"
    }

    /// Writes every key, so that each is known.
    public func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(definition, forKey: .definition)
      try container.encode(profiles, forKey: .profiles)
      try container.encode(items, forKey: .items)
      try container.encode(userKey, forKey: .userKey)
      try container.encode(itemKey, forKey: .itemKey)
      try container.encode(trainFraction, forKey: .trainFraction)
    }
  }

  /// How CSV is read.
  public struct CSV: Codable, Sendable, Equatable {
    /// What parts fields; a tab for `.tsv`, else a comma.
    public var delimiter: String?

    /// As the file's name says.
    public init() {}

    enum CodingKeys: String, CodingKey { case delimiter }

    /// Writes every key, so that each is known.
    public func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(delimiter, forKey: .delimiter)
    }
  }

  /// What is done with the second row of the same decision, or of the same item of a request.
  public enum Repeats: String, Codable, Sendable, CaseIterable {
    /// It is left out and counted.
    case drop
    /// It is an error.
    case refuse
    /// It is written as well; `logs validate` will tell. Not for impressions.
    case keep
  }

  /// What is done with a row that cannot be converted.
  public enum BadRows: String, Codable, Sendable, CaseIterable {
    /// Nothing is written.
    case refuse
    /// It is left out and counted, with all of its request where the rows make the list.
    case drop
  }

  /// The tasks, in the order of the weights and scores.
  public var tasks: [Task]?
  /// The table of decisions.
  public var decisions: TableMapping?
  /// The table of feedback.
  public var feedback: TableMapping?
  /// The one table of impressions, in place of the two.
  public var impressions: TableMapping?
  /// States that are computed.
  public var states: States?
  /// How CSV is read.
  public var csv = CSV()
  /// What is done with repeated rows.
  public var repeats = Repeats.drop
  /// What is done with rows that cannot be converted.
  public var badRows = BadRows.refuse
  /// When collection ended, in milliseconds since 1970, if that is after the last event.
  public var windowEndMilliseconds: Int64?

  enum CodingKeys: String, CodingKey {
    case tasks, decisions, feedback, impressions, states, csv, repeats
    case badRows = "bad_rows"
    case windowEndMilliseconds = "window_end_ms"
  }

  /// A mapping that maps nothing: what a file is laid over.
  public init() {}

  /// Writes every key, so that each is known.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(tasks, forKey: .tasks)
    try container.encode(decisions, forKey: .decisions)
    try container.encode(feedback, forKey: .feedback)
    try container.encode(impressions, forKey: .impressions)
    try container.encode(states, forKey: .states)
    try container.encode(csv, forKey: .csv)
    try container.encode(repeats, forKey: .repeats)
    try container.encode(badRows, forKey: .badRows)
    try container.encode(windowEndMilliseconds, forKey: .windowEndMilliseconds)
  }

  /// The table that decisions are read from, with the key that it stands under.
  var decisionTable: (key: String, table: TableMapping)? {
    impressions.map { ("impressions", $0) } ?? decisions.map { ("decisions", $0) }
  }

  /// The table that feedback is read from, with the key that it stands under.
  var feedbackTable: (key: String, table: TableMapping)? {
    impressions.map { ("impressions", $0) } ?? feedback.map { ("feedback", $0) }
  }

  /// The behaviors that are written: those of `FeedbackSignal` in its order, then the others by
  /// name.
  var behaviorNames: [String] {
    let given = feedbackTable?.table.behaviors ?? [:]
    let standard = LogSchema.standardBehaviors.filter { given[$0] != nil }
    return standard + given.keys.filter { !standard.contains($0) }.sorted()
  }
}

/// The fields of one table. Which may stand in which table is told by ``LogMapping/check()``.
public struct TableMapping: Codable, Sendable, Equatable {
  /// Names of files that hold this table; `*` stands for anything. Needed where there are two.
  public var files: [String]?
  /// The id of the request.
  public var requestID: FieldSource?
  /// Who asked.
  public var userID: FieldSource?
  /// When it was asked; of feedback, when it happened.
  public var time: FieldSource?
  /// Which policy decided.
  public var policyVersion: FieldSource?
  /// The experiment that the user was in.
  public var experiment: FieldSource?
  /// Its arm.
  public var arm: FieldSource?
  /// The state that was decided on.
  public var state: ListSource?
  /// The weights that were used.
  public var action: ListSource?
  /// How likely they were.
  public var logPropensity: FieldSource?
  /// The items shown, in rank order.
  public var shown: ListSource?
  /// The predictions for the items.
  public var taskScores: ListSource?
  /// The item.
  public var itemID: FieldSource?
  /// Its rank in the list, from 0.
  public var position: FieldSource?
  /// When the feedback of an impression happened.
  public var feedbackTime: FieldSource?
  /// When the service learned of the feedback.
  public var arrivalTime: FieldSource?
  /// How long the item was played.
  public var playTime: FieldSource?
  /// How long the item is.
  public var duration: FieldSource?
  /// The behaviors, by name.
  public var behaviors: [String: FieldSource]?

  enum CodingKeys: String, CodingKey, CaseIterable {
    case files, time, experiment, arm, state, action, shown, position, duration, behaviors
    case requestID = "request_id"
    case userID = "user_id"
    case policyVersion = "policy_version"
    case logPropensity = "log_propensity"
    case taskScores = "task_scores"
    case itemID = "item_id"
    case feedbackTime = "feedback_time"
    case arrivalTime = "arrival_time"
    case playTime = "play_time"
  }

  /// A table without fields.
  public init() {}

  /// Writes every key, so that each is known.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(files, forKey: .files)
    for (key, source) in scalars { try container.encode(source, forKey: key) }
    for (key, source) in lists { try container.encode(source, forKey: key) }
    try container.encode(behaviors, forKey: .behaviors)
  }

  /// The fields of one value.
  var scalars: [(key: CodingKeys, source: FieldSource?)] {
    [
      (.requestID, requestID), (.userID, userID), (.time, time), (.policyVersion, policyVersion),
      (.experiment, experiment), (.arm, arm), (.logPropensity, logPropensity), (.itemID, itemID),
      (.position, position), (.feedbackTime, feedbackTime), (.arrivalTime, arrivalTime),
      (.playTime, playTime), (.duration, duration),
    ]
  }

  /// The fields that are lists.
  var lists: [(key: CodingKeys, source: ListSource?)] {
    [(.state, state), (.action, action), (.shown, shown), (.taskScores, taskScores)]
  }

  /// Every column that is read, each once, in order of first use.
  var columns: [String] {
    var seen = Set<String>()
    let all =
      scalars.compactMap { $0.source?.column } + lists.flatMap { $0.source?.allColumns ?? [] }
      + (behaviors ?? [:]).sorted { $0.key < $1.key }.compactMap { $0.value.column }
    return all.filter { seen.insert($0).inserted }
  }
}
