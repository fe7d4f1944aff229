import FusionMDP

extension LogMapping {
  /// Checks what no single key shows: which fields a table needs and takes, which keys a field
  /// takes, and that sizes fit.
  /// - Throws: `ConversionError.mapping` naming the key.
  public func check() throws(ConversionError) {
    if impressions != nil {
      for (key, table) in [("decisions", decisions), ("feedback", feedback)] where table != nil {
        throw .mapping(key: key, expected: "nothing beside impressions", found: "a table")
      }
      if repeats == .keep {
        throw .mapping(
          key: "repeats", expected: "drop or refuse for impressions, whose items make one list",
          found: "keep")
      }
    } else {
      for (key, table) in [("decisions", decisions), ("feedback", feedback)] {
        if table == nil {
          throw .mapping(
            key: key, expected: "decisions and feedback, or impressions alone", found: "nothing")
        }
        if table?.files == nil {
          throw .mapping(
            key: "\(key).files", expected: "names that tell which files hold this table",
            found: "nothing")
        }
      }
    }
    if let fraction = states?.trainFraction, !(fraction > 0 && fraction <= 1) {
      throw .mapping(
        key: "states.train_fraction", expected: "more than 0, at most 1", found: "\(fraction)")
    }
    if let delimiter = csv.delimiter, delimiter.utf8.count != 1 {
      throw .mapping(key: "csv.delimiter", expected: "one ASCII character", found: "“\(delimiter)”")
    }
    if let impressions { try TableRole.impressions.check(impressions) }
    if let decisions { try TableRole.decisions.check(decisions) }
    if let feedback { try TableRole.feedback.check(feedback) }
    _ = try schema()
    _ = try weightBounds()
  }

  /// The tasks as the log declares them.
  func taskSchema() throws(ConversionError) -> TaskSchema {
    guard let tasks else { return .none }
    var all: [BehaviorTask] = []
    for (index, task) in tasks.enumerated() {
      guard let domain = BehaviorTask.Domain(rawValue: task.domain) else {
        throw .mapping(
          key: "tasks.\(index).domain", expected: "probability or seconds",
          found: "“\(task.domain)”")
      }
      guard let polarity = BehaviorTask.Polarity(rawValue: task.polarity ?? "positive") else {
        throw .mapping(
          key: "tasks.\(index).polarity", expected: "positive or negative",
          found: "“\(task.polarity ?? "")”")
      }
      all.append(BehaviorTask(name: task.name, domain: domain, polarity: polarity))
    }
    do {
      return try TaskSchema(all)
    } catch {
      throw .mapping(key: "tasks", expected: "tasks of different names", found: "\(error)")
    }
  }

  /// The schema of the log that results.
  func schema() throws(ConversionError) -> LogSchema {
    let tasks = try taskSchema()
    let source = decisionTable
    let (key, table) = (source?.key ?? "decisions", source?.table)
    var unknown = Set<LogSchema.Part>()
    if table?.state == nil { unknown.insert(.state) }
    if table?.action == nil { unknown.insert(.action) }
    if table?.taskScores == nil { unknown.insert(.taskScores) }
    if tasks.count == 0 && !unknown.isSuperset(of: [.action, .taskScores]) {
      throw .mapping(
        key: "tasks", expected: "the tasks that weights and predictions belong to",
        found: "nothing")
    }
    var stateNames: [String] = []
    if let state = table?.state {
      stateNames = state.names ?? state.elementColumns ?? []
      if stateNames.isEmpty {
        throw .mapping(
          key: "\(key).state.names", expected: "a name for each number of the list",
          found: "nothing")
      }
      if let columns = state.elementColumns, columns.count != stateNames.count {
        throw .mapping(
          key: "\(key).state.names", expected: "\(columns.count) names for as many columns",
          found: "\(stateNames.count)")
      }
    }
    if let columns = table?.taskScores?.elementColumns, columns.count != tasks.count {
      throw .mapping(
        key: "\(key).task_scores", expected: "\(tasks.count) columns for as many tasks",
        found: "\(columns.count)")
    }
    var actionSize: Int?
    if let columns = table?.action?.elementColumns { actionSize = columns.count }
    do {
      return try LogSchema(
        tasks: tasks, behaviors: behaviorNames, stateNames: stateNames, actionSize: actionSize,
        unknown: unknown, windowEndMilliseconds: windowEndMilliseconds)
    } catch {
      throw .mapping(
        key: "behaviors, state or window_end_ms", expected: "a schema", found: "\(error)")
    }
  }

  /// The bounds of raw weights; nil where weights are normalized already.
  func weightBounds() throws(ConversionError) -> FusionWeightBounds? {
    guard let (key, table) = decisionTable, let action = table.action else { return nil }
    if (action.lower == nil) != (action.upper == nil) {
      throw .mapping(
        key: "\(key).action", expected: "lower and upper, or none of them", found: "one of them")
    }
    let choices = ["refuse", "truncate"]
    if let outside = action.outside, action.lower == nil || !choices.contains(outside) {
      throw .mapping(
        key: "\(key).action.outside", expected: "refuse or truncate, beside lower and upper",
        found: "“\(outside)”")
    }
    if let propensity = table.logPropensity, (action.lower == nil) != (propensity.of == nil) {
      throw .mapping(
        key: "\(key).log_propensity.of",
        expected: action.lower == nil
          ? "nothing, as weights without bounds are the action"
          : "weights or action: what the density is of",
        found: propensity.of.map { "“\($0)”" } ?? "nothing")
    }
    guard let lower = action.lower, let upper = action.upper else { return nil }
    do {
      return try FusionWeightBounds(lower: lower, upper: upper, schema: try taskSchema())
    } catch let error as ConversionError {
      throw error
    } catch {
      throw .mapping(
        key: "\(key).action", expected: "bounds of every task's weight", found: "\(error)")
    }
  }
}

/// Which fields a table needs and takes.
enum TableRole: String {
  case decisions, feedback, impressions

  private typealias Key = TableMapping.CodingKeys

  private var needed: [Key] {
    switch self {
    case .decisions: [.requestID, .userID, .time, .policyVersion, .shown]
    case .feedback: [.requestID, .itemID, .time, .playTime]
    case .impressions: [.userID, .time, .policyVersion, .itemID, .playTime]
    }
  }

  private var optional: [Key] {
    switch self {
    case .decisions: [.experiment, .arm, .state, .action, .logPropensity, .taskScores]
    case .feedback: [.userID, .position, .arrivalTime, .duration]
    case .impressions:
      [
        .requestID, .experiment, .arm, .state, .action, .logPropensity, .taskScores, .position,
        .feedbackTime, .arrivalTime, .duration,
      ]
    }
  }

  func check(_ table: TableMapping) throws(ConversionError) {
    let given = Set(
      table.scalars.filter { $0.source != nil }.map(\.key)
        + table.lists.filter { $0.source != nil }.map(\.key))
    for key in needed where !given.contains(key) {
      throw .mapping(
        key: "\(rawValue).\(key.rawValue)", expected: "a column or a constant", found: "nothing")
    }
    let fields = needed + optional
    for key in Key.allCases where given.contains(key) && !fields.contains(key) {
      throw .mapping(
        key: "\(rawValue).\(key.rawValue)",
        expected: "one of \(fields.map(\.rawValue).sorted().joined(separator: ", "))",
        found: "a field of another table")
    }
    let hasBehaviors = table.behaviors?.isEmpty == false
    if (self == .decisions) == hasBehaviors {
      throw .mapping(
        key: "\(rawValue).behaviors",
        expected: self == .decisions ? "nothing" : "at least one behavior",
        found: hasBehaviors ? "behaviors" : "nothing")
    }
    if table.logPropensity != nil && table.action == nil {
      throw .mapping(
        key: "\(rawValue).action", expected: "the weights that log_propensity is of",
        found: "nothing")
    }
    for (key, source) in table.scalars {
      if let source { try check(source, at: "\(rawValue).\(key.rawValue)", form(of: key)) }
    }
    for (name, source) in (table.behaviors ?? [:]).sorted(by: { $0.key < $1.key }) {
      try check(source, at: "\(rawValue).behaviors.\(name)", .behavior)
    }
    for (key, source) in table.lists {
      if let source { try check(source, at: "\(rawValue).\(key.rawValue)", key) }
    }
  }

  private enum Form { case text, time, seconds, position, propensity, behavior }

  private func form(of key: Key) -> Form {
    switch key {
    case .time, .feedbackTime, .arrivalTime: .time
    case .playTime, .duration: .seconds
    case .position: .position
    case .logPropensity: .propensity
    default: .text
    }
  }

  private func check(
    _ source: FieldSource, at path: String, _ form: Form
  ) throws(ConversionError) {
    let allowed: [FieldSource.CodingKeys] =
      switch form {
      case .text: [.column, .constant, .fallback]
      case .time: [.column, .unit, .zone]
      case .seconds: [.column, .constant, .fallback, .unit]
      case .position: [.column, .offset]
      case .propensity: [.column, .constant, .form, .of]
      case .behavior: [.column, .constant, .fallback, .scale, .offset, .atLeast, .values]
      }
    for key in source.given where !allowed.contains(key) {
      throw .mapping(
        key: "\(path).\(key.rawValue)",
        expected: "one of \(allowed.map(\.rawValue).joined(separator: ", "))",
        found: "a key that this field does not take")
    }
    if (source.column == nil) == (source.constant == nil) {
      throw .mapping(
        key: path, expected: allowed.contains(.constant) ? "a column or a constant" : "a column",
        found: source.column == nil ? "none" : "both")
    }
    if source.atLeast != nil && source.values != nil {
      throw .mapping(key: path, expected: "at_least or values", found: "both")
    }
    if source.values != nil && (source.scale != nil || source.offset != nil) {
      throw .mapping(
        key: "\(path).\(source.scale != nil ? "scale" : "offset")",
        expected: "nothing beside values, which are texts", found: "a number")
    }
    func among(_ key: String, _ value: String?, _ choices: [String]) throws(ConversionError) {
      if let value, choices.contains(value) { return }
      throw .mapping(
        key: "\(path).\(key)", expected: "one of \(choices.joined(separator: ", "))",
        found: value.map { "“\($0)”" } ?? "nothing")
    }
    switch form {
    case .time:
      try among("unit", source.unit ?? "ms", ["us", "ms", "s", "min", "iso8601"])
      if let zone = source.zone, source.unit != "iso8601" || TimeText.offset(of: zone) == nil {
        throw .mapping(
          key: "\(path).zone", expected: "Z or an offset as +08:00, beside unit iso8601",
          found: "“\(zone)”")
      }
    case .seconds: try among("unit", source.unit ?? "s", ["ms", "s", "min"])
    case .propensity:
      try among("form", source.form, ["density", "log_density"])
      if source.of != nil { try among("of", source.of, ["weights", "action"]) }
    default: break
    }
  }

  private func check(
    _ source: ListSource, at path: String, _ key: Key
  ) throws(ConversionError) {
    var allowed: [ListSource.CodingKeys] = [.column, .columns, .numbered]
    // The scores of several shown items in one field are lists of lists.
    if !(self == .decisions && key == .taskScores) { allowed.append(.separator) }
    if key == .state { allowed.append(.names) }
    if key == .action { allowed += [.lower, .upper, .outside] }
    for given in source.given where !allowed.contains(given) {
      throw .mapping(
        key: "\(path).\(given.rawValue)",
        expected: "one of \(allowed.map(\.rawValue).joined(separator: ", "))",
        found: "a key that this field does not take")
    }
    let places = [source.column != nil, source.columns != nil, source.numbered != nil]
    if places.filter({ $0 }).count != 1 {
      throw .mapping(
        key: path, expected: "one of column, columns, numbered",
        found: "\(places.filter { $0 }.count) of them")
    }
    if let numbers = source.numbered {
      let (span, isTooFar) = numbers.to.subtractingReportingOverflow(numbers.from)
      if isTooFar || span >= ListSource.Numbered.most {
        throw .mapping(
          key: "\(path).numbered", expected: "at most \(ListSource.Numbered.most) columns",
          found: "\(numbers.from) to \(numbers.to)")
      }
    }
    if source.elementColumns?.isEmpty == true {
      throw .mapping(key: path, expected: "at least one column", found: "none")
    }
    if let separator = source.separator, separator.isEmpty || source.column == nil {
      throw .mapping(
        key: "\(path).separator", expected: "a text that parts the elements of a column",
        found: "“\(separator)”")
    }
  }
}
