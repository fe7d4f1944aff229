import ArgumentParser
import OffPolicyEvaluation

/// The estimators by the names that flags and configurations call them: those of results in lower
/// case, joined by underscores.
extension EstimatorKind: Codable {
  /// Its name in flags and configurations: `linear_fitted_q`.
  var key: String {
    String(rawValue.lowercased().map { $0 == " " || $0 == "-" ? "_" : $0 })
  }

  /// The estimator of that name.
  init?(key: String) {
    guard let found = Self.allCases.first(where: { $0.key == key }) else { return nil }
    self = found
  }

  /// Reads its name.
  ///
  /// - Throws: `DecodingError` for an unknown one.
  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let key = try container.decode(String.self)
    guard let found = Self(key: key) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "expected one of \(Self.keys)")
    }
    self = found
  }

  /// Writes its name.
  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(key)
  }

  /// All names, for messages.
  static var keys: String { allCases.map(\.key).joined(separator: ", ") }
}

extension Estimand {
  /// Its name in results: `session_value`.
  var key: String { rawValue.replacing(" ", with: "_") }
}

/// A bandwidth as configurations write it: `automatic`, or the deviation.
extension KernelBandwidth: Codable {
  private static let automaticName = "automatic"

  /// Reads `automatic` or a number.
  ///
  /// - Throws: `DecodingError` for anything else.
  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let deviation = try? container.decode(Double.self) {
      self = .fixed(deviation)
    } else if try container.decode(String.self) == Self.automaticName {
      self = .automatic
    } else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "expected \(Self.automaticName) or a number above 0")
    }
  }

  /// Writes what is read.
  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .automatic: try container.encode(Self.automaticName)
    case .fixed(let deviation): try container.encode(deviation)
    }
  }
}

extension FittedQConfiguration.ResamplingUnit: Codable {}

/// How the intervals of weighted estimators are made, by the names that flags and configurations call
/// them.
enum IntervalChoice: String, Codable, CaseIterable, ExpressibleByArgument {
  case studentT = "student_t"
  case bootstrap
  case empiricalBernstein = "empirical_bernstein"

  /// The method, with its defaults.
  var method: IntervalMethod {
    switch self {
    case .studentT: .studentT
    case .bootstrap: EstimatorConfiguration().interval
    case .empiricalBernstein: .empiricalBernstein(range: nil)
    }
  }
}
