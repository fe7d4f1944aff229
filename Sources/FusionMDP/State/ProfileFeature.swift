import SeededRandom

/// A value of a user's profile as a table or a request has it.
public enum ProfileValue: Sendable, Equatable, Hashable {
  /// A number; true is 1 and false 0. NaN counts as missing.
  case number(Double)
  /// A word of a category.
  case text(String)
  /// Nothing.
  case missing
}

/// One declared value of the profile, and the features that it becomes.
///
/// | type | features |
/// | --- | --- |
/// | number, boolean | one |
/// | category with `values` | one a value, and one for all others |
/// | category with `buckets` | one a bucket of the word's hash |
///
/// With `indicator` one more, which is 1 where the value is missing.
public struct ProfileFeature: Sendable, Equatable, Codable {
  /// What the value is.
  public enum Kind: String, Sendable, Equatable, Codable {
    case number, boolean, category
  }

  /// What a missing number becomes; a missing category sets none of its features.
  public enum Missing: String, Sendable, Equatable, Codable {
    /// `value`.
    case constant
    /// The mean over the training window, after the logarithm.
    case mean
  }

  /// The column of the profile, and the start of the features' names.
  public var name: String
  /// What the value is.
  public var type: Kind
  /// Whether a number x becomes sign(x)·log(1 + |x|).
  public var log: Bool
  /// What a missing number becomes.
  public var missing: Missing
  /// What stands for a missing number where `missing` is `constant`.
  public var value: Float
  /// Whether one more feature says that the value is missing.
  public var indicator: Bool
  /// The mean over the training window; fitted where `missing` is `mean`.
  public var mean: Float?
  /// The words of a category that have a feature each; fitted where only `top` is given.
  public var values: [String]?
  /// How many of the most frequent words of the training window get a feature.
  public var top: Int?
  /// How many features the hashes of the words share, instead of `values` and `top`.
  public var buckets: Int?

  /// A value of the profile.
  public init(
    name: String, type: Kind = .number, log: Bool = false, missing: Missing = .constant,
    value: Float = 0, indicator: Bool = false, mean: Float? = nil, values: [String]? = nil,
    top: Int? = nil, buckets: Int? = nil
  ) {
    self.name = name
    self.type = type
    self.log = log
    self.missing = missing
    self.value = value
    self.indicator = indicator
    self.mean = mean
    self.values = values
    self.top = top
    self.buckets = buckets
  }

  /// Reads a value of the profile; absent keys keep their defaults.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      name: try container.decode(String.self, forKey: .name),
      type: try container.decodeIfPresent(Kind.self, forKey: .type) ?? .number,
      log: try container.decodeIfPresent(Bool.self, forKey: .log) ?? false,
      missing: try container.decodeIfPresent(Missing.self, forKey: .missing) ?? .constant,
      value: try container.decodeIfPresent(Float.self, forKey: .value) ?? 0,
      indicator: try container.decodeIfPresent(Bool.self, forKey: .indicator) ?? false,
      mean: try container.decodeIfPresent(Float.self, forKey: .mean),
      values: try container.decodeIfPresent([String].self, forKey: .values),
      top: try container.decodeIfPresent(Int.self, forKey: .top),
      buckets: try container.decodeIfPresent(Int.self, forKey: .buckets))
  }

  /// The names of the features in order.
  var names: [String] {
    var names: [String]
    if type != .category {
      names = [name]
    } else if let buckets {
      names = (0..<buckets).map { "\(name)#\($0)" }
    } else {
      names = (values ?? []).map { "\(name)=\($0)" } + ["\(name)=other"]
    }
    if indicator { names.append("\(name)_missing") }
    return names
  }

  var isFitted: Bool {
    type == .category
      ? buckets != nil || values != nil : missing == .constant || mean != nil
  }

  /// The number that a number stands for in the state; nil where it is missing.
  func transformed(_ value: ProfileValue) throws(StateDefinitionError) -> Float? {
    switch value {
    case .missing: return nil
    case .text(let word):
      throw StateDefinitionError(
        key: "profile.\(name)", expected: "a \(type.rawValue)", found: "“\(word)”")
    case .number(let number):
      guard !number.isNaN else { return nil }
      let plain = Float(number)
      guard plain.isFinite else {
        throw StateDefinitionError(
          key: "profile.\(name)", expected: "a finite number", found: "\(number)")
      }
      guard type == .number else { return plain == 0 ? 0 : 1 }
      return log ? (plain < 0 ? -logarithm1p(-plain) : logarithm1p(plain)) : plain
    }
  }

  /// The word of a category; a number is its shortest decimals, without a fraction where it has
  /// none.
  static func word(of value: ProfileValue) -> String? {
    switch value {
    case .missing: nil
    case .text(let word): word
    case .number(let number):
      number.isNaN ? nil : Int64(exactly: number).map { "\($0)" } ?? "\(number)"
    }
  }

  /// Appends the features of a value.
  ///
  /// - Parameter words: where each of `values` stands among them.
  func append(
    _ raw: ProfileValue, words: [String: Int], to features: inout [Float]
  ) throws(StateDefinitionError) {
    let isMissing: Bool
    if type == .category {
      let word = Self.word(of: raw)
      isMissing = word == nil
      let start = features.count
      let width = buckets ?? ((values?.count ?? 0) + 1)
      for _ in 0..<width { features.append(0) }
      if let word {
        let place = buckets.map { Self.bucket(of: word, among: $0) } ?? words[word] ?? width - 1
        features[start + place] = 1
      }
    } else {
      let number = try transformed(raw)
      isMissing = number == nil
      features.append(number ?? (missing == .constant ? value : mean ?? 0))
    }
    if indicator { features.append(isMissing ? 1 : 0) }
  }

  /// The bucket of a word's hash, equal on every machine.
  static func bucket(of word: String, among buckets: Int) -> Int {
    Int(stableHash(word) % UInt64(buckets))
  }

  func check() throws(StateDefinitionError) {
    let key = "profile.\(name)"
    if name.isEmpty {
      throw StateDefinitionError(key: "profile", expected: "a name", found: "an empty one")
    }
    if !value.isFinite || mean?.isFinite == false {
      throw StateDefinitionError(key: key, expected: "finite numbers", found: "others")
    }
    let isCategory = type == .category
    guard isCategory == (values != nil || top != nil || buckets != nil) else {
      throw StateDefinitionError(
        key: key,
        expected: isCategory ? "values, top or buckets" : "none of values, top and buckets",
        found: isCategory ? "none of them" : "a \(type.rawValue) with them")
    }
    if log, type != .number {
      throw StateDefinitionError(
        key: key, expected: "log of a number only", found: "a \(type.rawValue)")
    }
    if isCategory, missing == .mean {
      throw StateDefinitionError(
        key: key, expected: "missing: constant of a category", found: "mean")
    }
    if buckets != nil, values != nil || top != nil {
      throw StateDefinitionError(
        key: key, expected: "buckets, or values and top", found: "both")
    }
    for (count, word) in [(buckets, "buckets"), (top, "top")] {
      if let count, !(1...65_535).contains(count) {
        throw StateDefinitionError(key: "\(key).\(word)", expected: "1 to 65535", found: "\(count)")
      }
    }
  }
}
