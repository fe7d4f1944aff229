import DurableFiles
import Foundation
import Testing

@Suite("platform folders")
struct PlatformFolderTests {
  private let fixture: PlatformFixture

  init() throws { fixture = try PlatformFixture() }

  private func refused(
    _ parts: String..., sourceLocation: SourceLocation = #_sourceLocation,
    change: (inout [String: Any]) -> Void
  ) throws {
    let good = try fixture.description()
    var description = good
    change(&description)
    try fixture.write(description)
    let run = try fixture.run(["simulate", "check"], "--users", "2", "--days", "1")
    for part in [fixture.platform] + parts {
      run.expectError(2, saying: part, sourceLocation: sourceLocation)
    }
    try fixture.write(good)
  }

  @Test("lists of the wrong length are told by field, expected and found")
  func lengths() throws {
    for (field, expected) in [
      ("userIDs", "userIDs: expected 20, found 19"),
      ("videoIDs", "videoIDs: expected 90, found 89"),
      ("userHashes", "userIDs: expected 19, found 20"),
      ("activity", "activities of users: expected 20, found 19"),
      ("durationSeconds", "videoIDs: expected 89, found 90"),
      ("topics", "topics of videos: expected 90, found 89"),
      ("exposures", "exposures of videos: expected 90, found 89"),
      ("profileNames", "profiles: expected [20, "),
    ] {
      try refused(expected) { $0[field] = ($0[field] as? [Any])?.dropLast().map { $0 } }
    }
    try refused("different userIDs: expected 20, found 19") { description in
      var names = description["userIDs"] as? [String] ?? []
      names[3] = names[4]
      description["userIDs"] = names
    }
  }

  @Test("a fit of other tasks, types or hours, or out of range, is told by field")
  func fits() throws {
    func change(_ field: String, _ value: Any) -> (inout [String: Any]) -> Void {
      { description in
        var fit = description["fit"] as? [String: Any] ?? [:]
        fit[field] = value
        description["fit"] = fit
      }
    }
    for (field, count) in [
      ("intercepts", 11), ("userDeviations", 11), ("videoDeviations", 11), ("playCorrelations", 7),
      ("satisfactionMeans", 5), ("satisfactionDeviations", 5), ("arrivalShares", 24),
    ] {
      for found in [0, count - 1, count + 1] {
        try refused(
          "fit.\(field): expected \(count) numbers, found \(found)",
          change: change(field, [Double](repeating: 0.5, count: found)))
      }
    }
    try refused(
      "fit.playCorrelations[2]: expected a number in", "found 1.0",
      change: change("playCorrelations", [0, 0, 1, 0, 0, 0, 0]))
    try refused(
      "fit.arrivalShares: expected an hour",
      change: change("arrivalShares", [Double](repeating: 0, count: 24)))
    try refused("fit.listSeconds: expected", "found 0.0", change: change("listSeconds", 0))
    try refused("fit.gapLocation: expected", "1e+300", change: change("gapLocation", 1e300))
    try refused(
      "fit.gapDeviation: expected a number, found a string", change: change("gapDeviation", "x"))
    try refused("key 'fit' is missing") { $0["fit"] = nil }
  }

  @Test("settings out of range, broken JSON and tables that are no probabilities are told")
  func others() throws {
    try refused("candidateCount", "at most half of 90 videos") { $0["candidateCount"] = Int.max }
    try refused("video 0, duration: expected at most 86400.0 s") {
      $0["durationSeconds"] = [1e30] + [Double](repeating: 9, count: 89)
    }
    try refused("schema: expected 1, found 2") { $0["schema"] = 2 }
    try DurableFiles.write("{\n\"schema\": 1,\n,", to: fixture.platform + "/platform.json")
    try fixture.run(["simulate", "check"]).expectError(2, saying: "platform.json", "not valid JSON")
  }

  @Test("a table that holds no probability is told by user, video and task")
  func tables() throws {
    let path = fixture.platform + "/tables.safetensors"
    let file = try Safetensors.read(path)
    var tensors = try ["profiles", "scores", "responses"].map { ($0, try file.tensor($0)) }
    var responses = try tensors[2].1.floats()
    responses[(3 * 90 + 5) * 12 + 2] = .nan
    tensors[2].1 = Tensor(responses, shape: tensors[2].1.shape)
    try Safetensors.write(tensors, to: path)
    try fixture.run(["simulate", "check"]).expectError(
      2, saying: fixture.platform, "user 3, video 5, response of task 2: expected a probability",
      "found nan")
  }
}
