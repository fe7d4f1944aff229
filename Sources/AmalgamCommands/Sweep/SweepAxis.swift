import PolicyArtifacts

/// A configuration key and the values that a sweep gives it.
struct SweepAxis: Codable, Equatable {
  /// The path of the key: `learners.batchRLMTF.perturbationBound`.
  var key: String
  /// The values as YAML, in the order given.
  var values: [String]

  /// Reads `KEY=VALUE,VALUE,…`; commas within brackets belong to a value.
  ///
  /// - Throws: `CommandFailure.usage`.
  init(_ text: String) throws {
    func refuse(_ why: String) -> CommandFailure { .usage("--over \(text): \(why)") }
    guard let equals = text.firstIndex(of: "="), equals > text.startIndex else {
      throw refuse("expected key.path=value,value,…")
    }
    key = String(text[..<equals])
    var (depth, parts) = (0, [""])
    for character in text[text.index(after: equals)...] {
      if "[{".contains(character) { depth += 1 }
      if "]}".contains(character) { depth -= 1 }
      if character == "," && depth == 0 {
        parts.append("")
      } else {
        parts[parts.count - 1].append(character)
      }
    }
    values = parts.map { String($0.drop { $0 == " " }) }
    guard values.allSatisfy({ !$0.isEmpty }) else { throw refuse("a value is empty") }
    for (index, value) in values.enumerated() where values[..<index].contains(value) {
      throw refuse("the value \(value) stands twice")
    }
  }

  /// The points of the full grid of some axes, the last of which varies fastest: a value an axis.
  static func grid(_ axes: [SweepAxis]) -> [[String]] {
    axes.reduce([[]]) { points, axis in
      points.flatMap { point in axis.values.map { point + [$0] } }
    }
  }
}

extension ConfigurationValue {
  /// The value at a path of keys, if there is one.
  func value(at path: String) -> ConfigurationValue? {
    path.split(separator: ".").reduce(ConfigurationValue?.some(self)) { $0?[String($1)] }
  }
}
