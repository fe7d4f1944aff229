/// Where the value of one field comes from: a column of the source, or a constant, with what is
/// done to it.
///
/// In YAML either the column's name alone, or a mapping with these keys. Which keys a field takes
/// follows from what it holds; ``LogMapping/check()`` refuses the others.
public struct FieldSource: Codable, Sendable, Equatable {
  /// The column.
  public var column: String?
  /// The value of every row.
  public var constant: String?
  /// What stands where the column is empty.
  public var fallback: String?
  /// The unit of a time (`us`, `ms`, `s`, `min`, `iso8601`) or of a duration (`ms`, `s`, `min`).
  public var unit: String?
  /// The offset from UTC of ISO-8601 times that name none: `Z`, or for example `+08:00`.
  public var zone: String?
  /// What the number is multiplied by.
  public var scale: Double?
  /// What is added after that.
  public var offset: Double?
  /// The value is 1 where the number is at least this, else 0.
  public var atLeast: Double?
  /// The value is 1 where the text is one of these, else 0.
  public var values: [String]?
  /// Whether a propensity is a `density` or a `log_density`.
  public var form: String?
  /// What a density is of: the raw `weights`, or the normalized `action`.
  public var of: String?

  enum CodingKeys: String, CodingKey, CaseIterable {
    case column, constant, unit, zone, scale, offset, values, form, of
    case fallback = "default"
    case atLeast = "at_least"
  }

  /// A column as it stands.
  public init(_ column: String) { self.column = column }

  /// Reads a column's name, or a mapping.
  public init(from decoder: any Decoder) throws {
    if let name = try? decoder.singleValueContainer().decode(String.self) {
      column = name
      return
    }
    let container = try decoder.container(keyedBy: CodingKeys.self)
    column = try container.decodeIfPresent(String.self, forKey: .column)
    constant = try container.decodeIfPresent(String.self, forKey: .constant)
    fallback = try container.decodeIfPresent(String.self, forKey: .fallback)
    unit = try container.decodeIfPresent(String.self, forKey: .unit)
    zone = try container.decodeIfPresent(String.self, forKey: .zone)
    scale = try container.decodeIfPresent(Double.self, forKey: .scale)
    offset = try container.decodeIfPresent(Double.self, forKey: .offset)
    atLeast = try container.decodeIfPresent(Double.self, forKey: .atLeast)
    values = try container.decodeIfPresent([String].self, forKey: .values)
    form = try container.decodeIfPresent(String.self, forKey: .form)
    of = try container.decodeIfPresent(String.self, forKey: .of)
  }

  /// Writes a mapping with every key, those without a value as null: the keys that may be given.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(column, forKey: .column)
    try container.encode(constant, forKey: .constant)
    try container.encode(fallback, forKey: .fallback)
    try container.encode(unit, forKey: .unit)
    try container.encode(zone, forKey: .zone)
    try container.encode(scale, forKey: .scale)
    try container.encode(offset, forKey: .offset)
    try container.encode(atLeast, forKey: .atLeast)
    try container.encode(values, forKey: .values)
    try container.encode(form, forKey: .form)
    try container.encode(of, forKey: .of)
  }

  /// The keys that have a value.
  var given: [CodingKeys] {
    CodingKeys.allCases.filter { key in
      switch key {
      case .column: column != nil
      case .constant: constant != nil
      case .fallback: fallback != nil
      case .unit: unit != nil
      case .zone: zone != nil
      case .scale: scale != nil
      case .offset: offset != nil
      case .atLeast: atLeast != nil
      case .values: values != nil
      case .form: form != nil
      case .of: of != nil
      }
    }
  }
}

/// Where a list of values comes from: one column that holds it, or a column an element.
public struct ListSource: Codable, Sendable, Equatable {
  /// Columns whose names are a text and a number: `w_0` to `w_11`.
  public struct Numbered: Codable, Sendable, Equatable {
    /// What stands before the number.
    public var prefix: String
    /// The first number.
    public var from: Int
    /// The last number.
    public var to: Int

    /// As many columns as a list may have.
    static let most = 100_000

    /// The columns from the first to the last number.
    public init(prefix: String, from: Int, to: Int) {
      self.prefix = prefix
      self.from = from
      self.to = to
    }
  }

  /// A column with the list: a list of the file's format, or its JSON text.
  public var column: String?
  /// What parts the elements of a text that is no JSON.
  public var separator: String?
  /// The columns of the elements in order.
  public var columns: [String]?
  /// The same, for names that are numbered.
  public var numbered: Numbered?
  /// The names of the numbers of a state; those of the columns if there are some.
  public var names: [String]?
  /// The smallest raw weights, which become −1; without bounds weights stand in [−1, 1] already.
  public var lower: [Float]?
  /// The largest raw weights, which become 1.
  public var upper: [Float]?
  /// What is done with weights beyond the bounds: `refuse` them, the default, or `truncate` them.
  public var outside: String?

  enum CodingKeys: String, CodingKey, CaseIterable {
    case column, separator, columns, numbered, names, lower, upper, outside
  }

  /// A column with the list.
  public init(_ column: String) { self.column = column }

  /// Reads a column's name, or a mapping.
  public init(from decoder: any Decoder) throws {
    if let name = try? decoder.singleValueContainer().decode(String.self) {
      column = name
      return
    }
    let container = try decoder.container(keyedBy: CodingKeys.self)
    column = try container.decodeIfPresent(String.self, forKey: .column)
    separator = try container.decodeIfPresent(String.self, forKey: .separator)
    columns = try container.decodeIfPresent([String].self, forKey: .columns)
    numbered = try container.decodeIfPresent(Numbered.self, forKey: .numbered)
    names = try container.decodeIfPresent([String].self, forKey: .names)
    lower = try container.decodeIfPresent([Float].self, forKey: .lower)
    upper = try container.decodeIfPresent([Float].self, forKey: .upper)
    outside = try container.decodeIfPresent(String.self, forKey: .outside)
  }

  /// Writes a mapping with every key, those without a value as null: the keys that may be given.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(column, forKey: .column)
    try container.encode(separator, forKey: .separator)
    try container.encode(columns, forKey: .columns)
    try container.encode(numbered, forKey: .numbered)
    try container.encode(names, forKey: .names)
    try container.encode(lower, forKey: .lower)
    try container.encode(upper, forKey: .upper)
    try container.encode(outside, forKey: .outside)
  }

  /// The columns of the elements, if each has its own.
  var elementColumns: [String]? {
    if let columns { return columns }
    return numbered.map { n in n.from > n.to ? [] : (n.from...n.to).map { "\(n.prefix)\($0)" } }
  }

  /// Every column that is read.
  var allColumns: [String] { column.map { [$0] } ?? elementColumns ?? [] }

  /// The keys that have a value.
  var given: [CodingKeys] {
    CodingKeys.allCases.filter { key in
      switch key {
      case .column: column != nil
      case .separator: separator != nil
      case .columns: columns != nil
      case .numbered: numbered != nil
      case .names: names != nil
      case .lower: lower != nil
      case .upper: upper != nil
      case .outside: outside != nil
      }
    }
  }
}
