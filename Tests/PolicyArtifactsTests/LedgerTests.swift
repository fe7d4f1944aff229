import DurableFiles
import FusionMDP
import PolicyArtifacts
import Testing

@Suite("ledger of a registry")
struct LedgerTests {
  /// A registry with the versions a and b.
  private func withVersions(_ body: (PolicyRegistry) throws -> Void) throws {
    try RegistryTests.withRegistry { registry in
      for version in ["a", "b"] {
        try registry.add(SamplePolicies.artifact(SamplePolicies.fixed), as: version)
      }
      try body(registry)
    }
  }

  private let prediction = PolicyLedger.Prediction(
    estimates: [
      PolicyLedger.PredictedValue(
        estimator: "conservative",
        sessionReturn: PolicyLedger.Estimate(value: 2.5, low: 2, high: 3),
        difference: PolicyLedger.Estimate(value: 0.25, low: 0.125, high: 0.375))
    ], verdict: "release", against: "a")
  private let observation = PolicyLedger.Observation(
    metric: .sessionReturn, observed: PolicyLedger.Estimate(value: 2.75, low: 2.5, high: 3),
    count: 100, discount: 0.95)

  @Test("a release predicts what it is told, or else what the manifest says")
  func predictions() throws {
    try withVersions { registry in
      #expect(try registry.ledger.entries().isEmpty)
      try registry.release("a")
      try registry.release("b", prediction: (prediction, source: "x.json"), recordedMilliseconds: 7)
      try registry.release("b")  // current already: nothing is written
      try registry.observe(observation, of: "b", source: "log", recordedMilliseconds: 9)
      let entries = try registry.ledger.entries()
      #expect(entries.map(\.version) == ["a", "b", "b"])
      #expect(entries.map(\.source) == ["manifest", "x.json", "log"])
      #expect(entries.map(\.recordedMilliseconds) == [nil, 7, 9])
      #expect(entries[1].content == .prediction(prediction))
      #expect(entries[2].content == .observation(observation))
      guard case .prediction(let known) = entries[0].content else {
        Issue.record("\(entries[0])")
        return
      }
      #expect(known.estimates.map(\.estimator) == ["fitted_q"])
      #expect(known.estimates[0].sessionReturn.high == 4.25)
      #expect(try registry.events.last?.manifestSHA256 == entries[1].manifestSHA256)
    }
  }

  @Test("only what was released can be observed")
  func unreleased() throws {
    try withVersions { registry in
      #expect(
        throws: PolicyArtifactError.neverReleased(registry: registry.folder, version: "a")
      ) { try registry.observe(observation, of: "a", source: "log") }
      #expect(throws: PolicyArtifactError.self) {
        try registry.observe(observation, of: "c", source: "log")
      }
      #expect(!DurableFiles.exists(registry.ledger.path))
    }
  }

  @Test("a damaged line is told by its number, and nothing is released or noted behind it")
  func damaged() throws {
    try withVersions { registry in
      try registry.release("a")
      let path = registry.ledger.path
      let good = try DurableFiles.readText(path)
      let cases = [
        (good + "{\"kind\": \"pred", 2, "has no end"), (good + "no JSON\n" + good, 2, "not valid"),
        (good + "\n", 2, ""), (String(good.dropLast()), 1, "has no end"),
        (good.replacing("\"schema\":1", with: "\"schema\":2"), 1, "schema: expected 1, found 2"),
        (good.replacing(",\"version\":\"a\"", with: ""), 1, "key 'version' is missing"),
        (good.replacing("\"kind\":\"prediction\"", with: "\"kind\":\"hope\""), 1, "kind"),
      ]
      for (text, line, words) in cases {
        try DurableFiles.write(text, to: path)
        let error = #expect(throws: PolicyArtifactError.self) { try registry.ledger.entries() }
        guard case .malformedLedger(path, line, let reason)? = error else {
          Issue.record("\(text): \(String(describing: error))")
          continue
        }
        #expect(reason.contains(words), "\(reason)")
        #expect(error?.description.hasPrefix("\(path):\(line): ") == true)
        #expect(throws: PolicyArtifactError.self) { try registry.release("b") }
        #expect(try registry.current == "a")
        #expect(try DurableFiles.readText(path) == text)
      }
    }
  }

  @Test(
    "a disk that is full within the ledger's line leaves all as it was", arguments: [0, 1, 100])
  func fullDisk(room: Int) throws {
    try withVersions { registry in
      try registry.release("a")
      let before = try DurableFiles.readText(registry.ledger.path)
      #expect(throws: DurableFileError.self) {
        try SimulatedFullDisk.after(bytes: room) { try registry.release("b") }
      }
      #expect(try DurableFiles.readText(registry.ledger.path) == before)
      #expect(try registry.current == "a")
    }
  }

  @Test(
    "a disk that is full after the ledger's line leaves what is current, and a prediction too many")
  func fullDiskAfterLedger() throws {
    try withVersions { registry in
      try registry.release("a")
      let events = try registry.events
      // Both versions are the same policy with a name of one letter, so that their lines are as long.
      let line = try DurableFiles.readText(registry.ledger.path).utf8.count
      #expect(throws: DurableFileError.self) {
        try SimulatedFullDisk.after(bytes: line + 20) { try registry.release("b") }
      }
      #expect(try registry.current == "a")
      #expect(try registry.events == events)
      #expect(try registry.ledger.entries().map(\.version) == ["a", "b"])
      #expect(
        throws: PolicyArtifactError.neverReleased(registry: registry.folder, version: "b")
      ) { try registry.observe(observation, of: "b", source: "log") }
      // The next try predicts anew and releases.
      try registry.release("b")
      #expect(try registry.current == "b")
      #expect(try registry.ledger.entries().map(\.version) == ["a", "b", "b"])
    }
  }
}
