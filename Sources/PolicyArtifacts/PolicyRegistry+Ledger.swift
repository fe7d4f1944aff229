extension PolicyRegistry {
  /// What was predicted of released versions, and observed.
  public var ledger: PolicyLedger { PolicyLedger(registry: folder) }

  /// Notes in the ledger what a version was seen to do.
  ///
  /// - Throws: `PolicyArtifactError.unknownVersion`, `.neverReleased` for a version that was
  ///   never released, and what `PolicyLedger.append` throws.
  public func observe(
    _ observation: PolicyLedger.Observation, of version: String, source: String,
    recordedMilliseconds: Int64? = nil
  ) throws {
    try requireVersion(version)
    let isReleased = try history().events.contains { $0.version == version }
    guard isReleased else {
      throw PolicyArtifactError.neverReleased(registry: folder, version: version)
    }
    try ledger.append(
      PolicyLedger.Entry(
        version: version, manifestSHA256: try manifestHash(of: version),
        recordedMilliseconds: recordedMilliseconds, source: source,
        content: .observation(observation)))
  }
}

extension PolicyManifest {
  /// The evaluation records as a prediction of the session return.
  var prediction: PolicyLedger.Prediction {
    PolicyLedger.Prediction(
      estimates: evaluation.map {
        PolicyLedger.PredictedValue(
          estimator: $0.estimator,
          sessionReturn: PolicyLedger.Estimate(value: $0.value, low: $0.low, high: $0.high))
      })
  }
}
