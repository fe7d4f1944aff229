import DurableFiles

/// What was predicted of every released policy, beside what was observed: `ledger.jsonl` of a
/// registry, one entry a line, appended and never changed.
///
/// An estimator earns trust only by being right about policies that were then released; the ledger
/// is where that can be looked up. A registry without the file has an empty ledger.
public struct PolicyLedger: Sendable {
  /// The file's name in the registry's folder.
  public static let fileName = "ledger.jsonl"
  /// The layout of a line.
  public static let schema = 1

  /// The file.
  public let path: String

  /// The ledger of the registry in `folder`.
  public init(registry folder: String) { path = "\(folder)/\(Self.fileName)" }

  /// A number with its interval.
  public struct Estimate: Sendable, Equatable, Codable {
    /// The value.
    public var value: Double
    /// Lower end of its interval, which covers 95 % unless the evaluation was asked for another share.
    public var low: Double?
    /// Upper end of it.
    public var high: Double?

    /// An estimate.
    public init(value: Double, low: Double? = nil, high: Double? = nil) {
      self.value = value
      self.low = low
      self.high = high
    }
  }

  /// One estimator's word before the release.
  public struct PredictedValue: Sendable, Equatable, Codable {
    /// Which estimator.
    public var estimator: String
    /// Mean discounted return of a session under the policy.
    public var sessionReturn: Estimate
    /// That less what it was compared with, in the same unit.
    public var difference: Estimate?

    /// A prediction.
    public init(estimator: String, sessionReturn: Estimate, difference: Estimate? = nil) {
      self.estimator = estimator
      self.sessionReturn = sessionReturn
      self.difference = difference
    }

    enum CodingKeys: String, CodingKey {
      case estimator, difference
      case sessionReturn = "session_return"
    }
  }

  /// What was said of a policy when it was released.
  public struct Prediction: Sendable, Equatable, Codable {
    /// One an estimator; empty where nobody asked one.
    public var estimates: [PredictedValue]
    /// What the release gate said.
    public var verdict: String?
    /// What it was compared with.
    public var against: String?

    /// A prediction.
    public init(estimates: [PredictedValue], verdict: String? = nil, against: String? = nil) {
      self.estimates = estimates
      self.verdict = verdict
      self.against = against
    }
  }

  /// What a released policy was seen to do.
  public struct Observation: Sendable, Equatable, Codable {
    /// What was measured.
    public enum Metric: String, Sendable, Codable, CaseIterable {
      /// Mean discounted return of a session, the unit of predictions.
      case sessionReturn = "session_return"
      /// Minutes in the app per user and day over the reference arm's, as a fraction.
      case appTimeLift = "ad_time_lift"
      /// Share of plays with a positive interaction over the reference arm's, as a fraction.
      case positiveRateLift = "upi_rate_lift"
    }

    /// What was measured.
    public var metric: Metric
    /// The number.
    public var observed: Estimate
    /// Sessions (of a return) or users (of a lift) that it comes from.
    public var count: Int
    /// γ of a session return.
    public var discount: Double?

    /// An observation.
    public init(metric: Metric, observed: Estimate, count: Int, discount: Double? = nil) {
      self.metric = metric
      self.observed = observed
      self.count = count
      self.discount = discount
    }
  }

  /// A line.
  public struct Entry: Sendable, Equatable {
    /// What a line tells.
    public enum Content: Sendable, Equatable {
      case prediction(Prediction)
      case observation(Observation)
    }

    /// The version in the registry.
    public var version: String
    /// The SHA-256 of its manifest: which policy had this name.
    public var manifestSHA256: String
    /// When the line was written, in milliseconds since 1970, where somebody looked at a clock.
    public var recordedMilliseconds: Int64?
    /// Where the numbers come from: `manifest`, or a file or folder.
    public var source: String
    /// What it tells.
    public var content: Content

    /// An entry.
    public init(
      version: String, manifestSHA256: String, recordedMilliseconds: Int64? = nil, source: String,
      content: Content
    ) {
      self.version = version
      self.manifestSHA256 = manifestSHA256
      self.recordedMilliseconds = recordedMilliseconds
      self.source = source
      self.content = content
    }
  }

  /// All entries, oldest first.
  ///
  /// - Throws: `PolicyArtifactError.malformedLedger` naming the line; `DurableFileError`.
  public func entries() throws -> [Entry] {
    guard DurableFiles.exists(path) else { return [] }
    let bytes = try DurableFiles.read(path)
    let newline = UInt8(ascii: "\n")
    guard bytes.last == newline || bytes.isEmpty else {
      throw PolicyArtifactError.malformedLedger(
        path: path, line: 1 + bytes.count { $0 == newline },
        reason: "the line has no end; it was cut off while it was written")
    }
    return try bytes.split(separator: newline, omittingEmptySubsequences: false).dropLast()
      .enumerated().map { index, line in try Self.entry(Array(line), path, line: index + 1) }
  }

  /// Appends an entry, after reading what is there: nothing is put behind a damaged line.
  ///
  /// - Throws: as `entries()`, and `DurableFileError`; then the ledger is as it was.
  public func append(_ entry: Entry) throws {
    _ = try entries()
    try DurableFiles.appendLine(Self.line(of: entry), to: path)
  }
}
