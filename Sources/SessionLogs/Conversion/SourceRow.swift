import EmbeddedAnalytics
import Foundation

/// What is wrong with one value of a row.
struct FieldFailure: Error {
  var column: String?
  var field: String
  var expected: String
  var found: String
}

/// One row of the source, whose texts are read as what the fields need.
struct SourceRow {
  /// The mapped columns of one chunk of the relation.
  struct Chunk {
    let places: [String: Int]
    let texts: [[String]]
    let columns: [ResultColumn]

    /// - Parameter prefix: of the relation's column names.
    init(_ chunk: ColumnarResult, _ columnNames: [String], prefix: String = "c") throws {
      var places: [String: Int] = [:]
      for (index, name) in columnNames.enumerated() { places[name] = index }
      self.places = places
      texts = try columnNames.indices.map { try chunk.strings("\(prefix)\($0)") }
      columns = try columnNames.indices.map { try chunk.column("\(prefix)\($0)") }
    }
  }

  let chunk: Chunk
  let row: Int

  /// What stands in a column; nil where there is nothing.
  func text(ofColumn name: String) -> String? {
    guard let place = chunk.places[name] else { preconditionFailure("“\(name)” is not read") }
    let text = chunk.texts[place][row]
    return text.isEmpty || chunk.columns[place].isNull(row) ? nil : text
  }

  /// What stands for a field, by column, constant or default.
  func optionalText(_ source: FieldSource) -> String? {
    if let constant = source.constant { return constant }
    return source.column.flatMap { text(ofColumn: $0) } ?? source.fallback
  }

  func text(
    _ source: FieldSource, _ field: String, _ expected: String
  ) throws(FieldFailure) -> String {
    guard let text = optionalText(source) else {
      throw FieldFailure(
        column: source.column, field: field, expected: expected, found: "nothing")
    }
    return text
  }

  // MARK: Numbers

  /// A finite number in decimal digits. What `Double` reads beyond that (hexadecimal digits,
  /// `inf`, `nan`) the engine does not, and nobody means.
  static func number(_ text: String) -> Double? {
    guard text.utf8.allSatisfy({ Self.numberBytes.contains($0) }), let value = Double(text) else {
      return nil
    }
    return value.isFinite ? value : nil
  }

  private static let numberBytes = "0123456789+-.eE".utf8

  /// A number, or true and false as 1 and 0.
  private static func numberOrTruth(_ text: String) -> Double? {
    switch text {
    case "true", "True", "TRUE": 1
    case "false", "False", "FALSE": 0
    default: number(text)
    }
  }

  /// What a time in a unit is multiplied by.
  static func millisecondsPerUnit(_ unit: String?) -> Double {
    switch unit {
    case "us": 0.001
    case "s": 1000
    case "min": 60_000
    default: 1
    }
  }

  private func failure(
    _ source: FieldSource, _ field: String, _ expected: String, _ text: String
  ) -> FieldFailure {
    FieldFailure(
      column: source.column, field: field, expected: expected, found: "“\(text.prefix(60))”")
  }

  /// Milliseconds since 1970.
  func time(_ source: FieldSource, _ field: String) throws(FieldFailure) -> Int64 {
    let unit = source.unit ?? "ms"
    let expected: String =
      switch unit {
      case "us": "microseconds since 1970"
      case "s": "seconds since 1970"
      case "min": "minutes since 1970"
      case "iso8601":
        "a time as 2022-04-25T10:00:00" + (source.zone == nil ? " with Z or +08:00" : "")
      default: "milliseconds since 1970"
      }
    let text = try text(source, field, expected)
    if unit == "iso8601" {
      let zone = source.zone.flatMap(TimeText.offset)
      guard let value = TimeText.milliseconds(text, zone: zone), value >= 0 else {
        throw failure(source, field, expected, text)
      }
      return value
    }
    if unit == "ms", let value = Int64(text), (0...LineCheck.timeLimit).contains(value) {
      return value
    }
    guard let value = SourceRow.number(text), value >= 0 else {
      throw failure(source, field, expected, text)
    }
    let milliseconds = (value * SourceRow.millisecondsPerUnit(source.unit)).rounded()
    guard milliseconds <= Double(LineCheck.timeLimit) else {
      throw failure(source, field, expected, text)
    }
    return Int64(milliseconds)
  }

  /// Seconds, at least 0.
  func seconds(_ source: FieldSource, _ field: String) throws(FieldFailure) -> Float {
    let unit = source.unit ?? "s"
    let expected =
      (unit == "ms" ? "milliseconds" : unit == "min" ? "minutes" : "seconds") + ", at least 0"
    let text = try text(source, field, expected)
    let factor = unit == "ms" ? 0.001 : unit == "min" ? 60 : 1.0
    // Thousandths are divided and not multiplied, for the nearest number to the decimal.
    guard let value = SourceRow.number(text), value >= 0 else {
      throw failure(source, field, expected, text)
    }
    let seconds = Float(unit == "ms" ? value / 1000 : value * factor)
    guard seconds.isFinite else { throw failure(source, field, expected, text) }
    return seconds
  }

  func position(_ source: FieldSource, _ field: String) throws(FieldFailure) -> Int {
    let expected = "a rank, a whole number from 0"
    let text = try text(source, field, expected)
    guard let value = SourceRow.number(text),
      let position = Int(exactly: value + (source.offset ?? 0)),
      (0...1_000_000).contains(position)
    else { throw failure(source, field, expected, text) }
    return position
  }

  /// A number at least 0, or whether the text or number fulfils the condition.
  func behavior(_ source: FieldSource, _ field: String) throws(FieldFailure) -> Float {
    let expected =
      source.values == nil ? "a finite number, at least 0" : "a category"
    let text = try text(source, field, expected)
    if let values = source.values { return values.contains(text) ? 1 : 0 }
    guard let number = SourceRow.numberOrTruth(text) else {
      throw failure(source, field, "a finite number", text)
    }
    let value = number * (source.scale ?? 1) + (source.offset ?? 0)
    if let least = source.atLeast { return value >= least ? 1 : 0 }
    guard value >= 0, Float(value).isFinite else { throw failure(source, field, expected, text) }
    return Float(value)
  }

  /// The log density in nats; nil where the column is empty.
  /// - Parameter logVolume: what is added to the log density of raw weights.
  func logPropensity(
    _ source: FieldSource, _ field: String, logVolume: Double
  ) throws(FieldFailure) -> Double? {
    guard let text = optionalText(source) else { return nil }
    let isDensity = source.form == "density"
    let expected = isDensity ? "a density above 0, or nothing" : "a finite log density, or nothing"
    guard let number = SourceRow.number(text), !isDensity || number > 0 else {
      throw failure(source, field, expected, text)
    }
    return (isDensity ? log(number) : number) + (source.of == "weights" ? logVolume : 0)
  }
}
