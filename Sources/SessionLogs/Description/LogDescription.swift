import EmbeddedAnalytics

/// What a log holds, in numbers.
public struct LogDescription: Sendable, Equatable, Codable {
  /// How a quantity spreads.
  public struct Spread: Sendable, Equatable, Codable {
    /// The mean.
    public let mean: Double
    /// The value that half of all do not exceed.
    public let median: Double
    /// The value that nine tenths of all do not exceed.
    public let ninetieth: Double
    /// The largest value.
    public let maximum: Double
  }

  /// A name with how often it occurs.
  public struct Share: Sendable, Equatable, Codable {
    /// The name; “none” where an event has none.
    public let name: String
    /// How many decisions have it.
    public let decisions: Int
    /// How far they explored; nil where the log knows no actions.
    public var actions: ActionCoverage?
  }

  /// An irregularity with what is done about it.
  public struct Oddity: Sendable, Equatable, Codable {
    /// Its name, as in `LogIrregularity`.
    public let kind: String
    /// How often it occurs.
    public let count: Int
    /// Where the first one stands.
    public let firstLine: Int
    /// The file that the line is in.
    public let file: String
    /// What preparation does with such an event.
    public let policy: String

    enum CodingKeys: String, CodingKey {
      case kind, count, file, policy
      case firstLine = "first_line"
    }
  }

  /// Decision events.
  public let decisions: Int
  /// Feedback events.
  public let feedback: Int
  /// Users who asked.
  public let users: Int
  /// Different items shown.
  public let items: Int
  /// Sessions, cut at the gap.
  public let sessions: Int
  /// Sessions cut by the log's end, or with feedback that may still arrive.
  public let truncatedSessions: Int
  /// The first decision, in milliseconds since 1970.
  public let firstTimeMilliseconds: Int64
  /// The last event, in milliseconds since 1970.
  public let lastTimeMilliseconds: Int64
  /// When the collection ended, in milliseconds since 1970.
  public let windowEndMilliseconds: Int64
  /// Requests of a session.
  public let requestsPerSession: Spread
  /// From a session's first to its last event.
  public let sessionMinutes: Spread
  /// Sessions of a user.
  public let sessionsPerUser: Spread
  /// Items of a shown list.
  public let itemsPerRequest: Spread
  /// Each signal's mean over the usable feedback events.
  public let signalMeans: [String: Double]
  /// The share of decisions whose log density is known.
  public let propensityCoverage: Double
  /// How much of the action space all decisions cover; nil where the log knows no actions.
  public let actions: ActionCoverage?
  /// Decisions by policy version, the most frequent first, at most 50.
  public let policyVersions: [Share]
  /// Decisions by arm, the most frequent first, at most 50.
  public let arms: [Share]
  /// What is odd.
  public let irregularities: [Oddity]

  enum CodingKeys: String, CodingKey {
    case decisions, feedback, users, items, sessions, actions, arms, irregularities
    case truncatedSessions = "truncated_sessions"
    case firstTimeMilliseconds = "first_time_ms"
    case lastTimeMilliseconds = "last_time_ms"
    case windowEndMilliseconds = "window_end_ms"
    case requestsPerSession = "requests_per_session"
    case sessionMinutes = "session_minutes"
    case sessionsPerUser = "sessions_per_user"
    case itemsPerRequest = "items_per_request"
    case signalMeans = "signal_means"
    case propensityCoverage = "propensity_coverage"
    case policyVersions = "policy_versions"
  }

  /// Describes a log, which must have passed ``LineValidation``.
  /// - Parameters:
  ///   - sessionGapMinutes: a longer pause ends a session.
  ///   - feedbackDeadlineMinutes: feedback that arrives later after its request is late.
  ///   - spillFolder: where the engine may put what does not fit into memory.
  /// - Throws: the analytics engine's error.
  public init(
    of log: SessionLogFolder, sessionGapMinutes: Double = 30,
    feedbackDeadlineMinutes: Double = 60, threads: Int = 2, spillFolder: String? = nil
  ) throws {
    let database = try AnalyticsDatabase(
      AnalyticsOptions(threads: threads, temporaryFolder: spillFolder))
    let tables = try LogTables(
      of: log, in: database,
      window: LogWindow(
        sessionGapMinutes: sessionGapMinutes, feedbackDeadlineMinutes: feedbackDeadlineMinutes),
      withStates: false)
    try tables.cutSessions()
    let totals = try database.query(LogDescription.totalsSQL)
    func total(_ name: String) throws -> Int64 { try totals.int64s(name)[0] }
    decisions = Int(try total("decisions"))
    feedback = Int(try total("feedback"))
    users = Int(try total("users"))
    items = Int(try total("items"))
    sessions = Int(try total("sessions"))
    truncatedSessions = Int(try total("truncated"))
    firstTimeMilliseconds = try total("first_ms")
    lastTimeMilliseconds = try total("last_ms")
    windowEndMilliseconds = tables.windowEndMilliseconds
    propensityCoverage = try totals.doubles("coverage")[0]
    func spread(_ value: String, _ rows: String) throws -> Spread {
      let row = try database.query(
        """
        SELECT coalesce(avg(v), 0)::DOUBLE, coalesce(quantile_disc(v, 0.5), 0)::DOUBLE,
          coalesce(quantile_disc(v, 0.9), 0)::DOUBLE, coalesce(max(v), 0)::DOUBLE
        FROM (SELECT \(value) AS v FROM \(rows))
        """)
      let values = try row.names.map { try row.doubles($0)[0] }
      return Spread(
        mean: values[0], median: values[1], ninetieth: values[2], maximum: values[3])
    }
    requestsPerSession = try spread("length", "sessions")
    sessionMinutes = try spread("(end_ms - start_ms) / 60000.0::DOUBLE", "sessions")
    sessionsPerUser = try spread("count(*)", "sessions GROUP BY user_id")
    itemsPerRequest = try spread("item_count", "kept_decisions")
    let means = try database.query(
      "SELECT \(tables.signals.indices.map { "avg(signal_\($0))::DOUBLE AS signal_\($0)" }.joined(separator: ", "))"
        + " FROM judged_feedback WHERE verdict IS NULL")
    var signalMeans: [String: Double] = [:]
    for (index, name) in tables.signals.enumerated() {
      let mean = try means.doubles("signal_\(index)")[0]
      if mean.isFinite { signalMeans[name] = mean }
    }
    self.signalMeans = signalMeans
    actions = try ActionCoverage.byGroup(nil, log.schema, database).first?.value
    policyVersions = try LogDescription.shares(of: "policy_version", log.schema, database)
    arms = try LogDescription.shares(of: "arm", log.schema, database)
    irregularities = try tables.irregularities().entries.map {
      Oddity(
        kind: $0.kind.rawValue, count: $0.count, firstLine: $0.firstLine, file: $0.file,
        policy: $0.kind.policy)
    }
  }

  private static let totalsSQL = """
    SELECT (SELECT count(*) FROM decisions) AS decisions,
      (SELECT count(*) FROM judged_feedback) AS feedback,
      (SELECT count(DISTINCT user_id) FROM decisions) AS users,
      (SELECT count(DISTINCT item) FROM (SELECT unnest(shown) AS item FROM decisions)) AS items,
      (SELECT count(*) FROM sessions) AS sessions,
      (SELECT count(*) FROM sessions WHERE truncated) AS truncated,
      (SELECT coalesce(min(time_ms), 0) FROM decisions) AS first_ms,
      (SELECT coalesce(greatest((SELECT max(time_ms) FROM decisions),
        (SELECT max(time_ms) FROM judged_feedback)), 0)) AS last_ms,
      \(propensityCoverageSQL) AS coverage
    """

  /// The share of decisions whose log density is known.
  static let propensityCoverageSQL =
    "(SELECT coalesce(avg((log_propensity IS NOT NULL)::INTEGER), 0) FROM decisions)"

  private static func shares(
    of column: String, _ schema: LogSchema, _ database: AnalyticsDatabase
  ) throws -> [Share] {
    let rows = try database.query(
      """
      SELECT coalesce(\(column), 'none') AS name, count(*) AS n FROM decisions
      GROUP BY name ORDER BY n DESC, name LIMIT 50
      """)
    let names = try rows.strings("name")
    let coverage = try ActionCoverage.byGroup(column, among: names, schema, database)
    return zip(names, try rows.int64s("n")).map {
      Share(name: $0, decisions: Int($1), actions: coverage[$0])
    }
  }
}
