// Reads the layout of results.json, schema 1. Every key must be there, and no other.

/// What `DecodingError` has no case for.
enum StrictDecodingError: Error {
  case unknownKey(path: [any CodingKey], key: String)
  case unknownSchema(found: Int)
}

private struct AnyKey: CodingKey {
  let stringValue: String
  var intValue: Int? { nil }
  init(stringValue: String) { self.stringValue = stringValue }
  init?(intValue: Int) { nil }
}

extension Decoder {
  /// A container whose keys are exactly those of `Keys`.
  fileprivate func strictContainer<Keys: CodingKey & CaseIterable>(
    _: Keys.Type
  ) throws -> KeyedDecodingContainer<Keys> {
    let known = Set(Keys.allCases.map(\.stringValue))
    let found = try container(keyedBy: AnyKey.self).allKeys.map(\.stringValue)
    if let unknown = found.filter({ !known.contains($0) }).min() {
      throw StrictDecodingError.unknownKey(path: codingPath, key: unknown)
    }
    return try container(keyedBy: Keys.self)
  }
}

extension KeyedDecodingContainer {
  /// A number, or nil for a `null`; the key itself must be there.
  fileprivate func nullable(_ key: Key) throws -> Double? {
    try decode(Double?.self, forKey: key)
  }
}

extension ReproductionResults: Decodable {
  private enum Keys: String, CodingKey, CaseIterable {
    case schema, preset, seed, dataset, multiTask = "multi_task", training, offline, truth
    case online, actions
  }

  package init(from decoder: any Decoder) throws {
    let schema = try decoder.container(keyedBy: Keys.self).decode(Int.self, forKey: .schema)
    guard schema == Self.schema else {
      throw StrictDecodingError.unknownSchema(found: schema)
    }
    let values = try decoder.strictContainer(Keys.self)
    self.init(
      preset: try values.decode(String.self, forKey: .preset),
      seed: try values.decode(UInt64.self, forKey: .seed),
      dataset: try values.decode(DatasetSummary.self, forKey: .dataset),
      multiTask: try values.decode([TaskQuality].self, forKey: .multiTask),
      training: try values.decode([TrainingSummary].self, forKey: .training),
      offline: try values.decode([OfflineEstimate].self, forKey: .offline),
      truth: try values.decode([TrueValue].self, forKey: .truth),
      online: try values.decode([OnlineResult].self, forKey: .online),
      actions: try values.decode([ActionDistribution].self, forKey: .actions))
  }
}

extension DatasetSummary: Decodable {
  private enum Keys: String, CodingKey, CaseIterable { case name, impressions, users }

  package init(from decoder: any Decoder) throws {
    let values = try decoder.strictContainer(Keys.self)
    self.init(
      name: try values.decode(String.self, forKey: .name),
      impressions: try values.decode(Int.self, forKey: .impressions),
      users: try values.decode(Int.self, forKey: .users))
  }
}

extension TaskQuality: Decodable {
  private enum Keys: String, CodingKey, CaseIterable {
    case task, auc, logLoss = "log_loss", calibrationError = "calibration_error"
  }

  package init(from decoder: any Decoder) throws {
    let values = try decoder.strictContainer(Keys.self)
    self.init(
      task: try values.decode(String.self, forKey: .task), auc: try values.nullable(.auc),
      logLoss: try values.nullable(.logLoss),
      calibrationError: try values.nullable(.calibrationError))
  }
}

extension TrainingSummary: Decodable {
  private enum Keys: String, CodingKey, CaseIterable {
    case method, steps, stepsPerSecond = "steps_per_second", qMean = "q_mean"
    case qDeviation = "q_deviation"
  }

  package init(from decoder: any Decoder) throws {
    let values = try decoder.strictContainer(Keys.self)
    self.init(
      method: try values.decode(String.self, forKey: .method),
      steps: try values.decode(Int.self, forKey: .steps),
      stepsPerSecond: try values.decode(Double.self, forKey: .stepsPerSecond),
      qMean: try values.decode([Double].self, forKey: .qMean),
      qDeviation: try values.decode([Double].self, forKey: .qDeviation))
  }
}

extension OfflineEstimate: Decodable {
  private enum Keys: String, CodingKey, CaseIterable {
    case method, estimator, value, low, high, effectiveSampleSize = "effective_sample_size"
  }

  package init(from decoder: any Decoder) throws {
    let values = try decoder.strictContainer(Keys.self)
    self.init(
      method: try values.decode(String.self, forKey: .method),
      estimator: try values.decode(String.self, forKey: .estimator),
      value: try values.decode(Double.self, forKey: .value),
      low: try values.decode(Double.self, forKey: .low),
      high: try values.decode(Double.self, forKey: .high),
      effectiveSampleSize: try values.nullable(.effectiveSampleSize))
  }
}

extension TrueValue: Decodable {
  private enum Keys: String, CodingKey, CaseIterable {
    case method, sessionReturn = "session_return", low, high
  }

  package init(from decoder: any Decoder) throws {
    let values = try decoder.strictContainer(Keys.self)
    self.init(
      method: try values.decode(String.self, forKey: .method),
      sessionReturn: try values.decode(Double.self, forKey: .sessionReturn),
      low: try values.decode(Double.self, forKey: .low),
      high: try values.decode(Double.self, forKey: .high))
  }
}

extension OnlineResult: Decodable {
  private enum Keys: String, CodingKey, CaseIterable {
    case method, adTimeMinutes = "ad_time_minutes", adTimeLift = "ad_time_lift"
    case adTimeLow = "ad_time_low", adTimeHigh = "ad_time_high", adTimeP = "ad_time_p"
    case upiRate = "upi_rate", upiRateLift = "upi_rate_lift", upiRateLow = "upi_rate_low"
    case upiRateHigh = "upi_rate_high", upiRateP = "upi_rate_p"
  }

  package init(from decoder: any Decoder) throws {
    let values = try decoder.strictContainer(Keys.self)
    self.init(
      method: try values.decode(String.self, forKey: .method),
      adTimeMinutes: try values.decode(Double.self, forKey: .adTimeMinutes),
      adTime: LiftResult(
        lift: try values.nullable(.adTimeLift), low: try values.nullable(.adTimeLow),
        high: try values.nullable(.adTimeHigh), pValue: try values.nullable(.adTimeP)),
      upiRate: try values.nullable(.upiRate),
      upi: LiftResult(
        lift: try values.nullable(.upiRateLift), low: try values.nullable(.upiRateLow),
        high: try values.nullable(.upiRateHigh), pValue: try values.nullable(.upiRateP)))
  }
}

extension ActionDistribution: Decodable {
  private enum Keys: String, CodingKey, CaseIterable { case method, task, histogram }
  private enum HistogramKeys: String, CodingKey, CaseIterable { case edges, counts }

  package init(from decoder: any Decoder) throws {
    let values = try decoder.strictContainer(Keys.self)
    let histogram = try values.superDecoder(forKey: .histogram)
      .strictContainer(HistogramKeys.self)
    self.init(
      method: try values.decode(String.self, forKey: .method),
      task: try values.decode(String.self, forKey: .task),
      edges: try histogram.decode([Double].self, forKey: .edges),
      counts: try histogram.decode([Int].self, forKey: .counts))
  }
}
