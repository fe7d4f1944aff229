import DurableFiles
import Foundation
import FusionMDP
import PolicyArtifacts
import SessionLogs
import Testing
import TrajectoryPreparation

/// A log's lines as events in memory, read without the engine, and the states that stand in them.
private struct LoggedStates {
  var log = RecordedLog()
  /// The state in each decision's line [N][S].
  var states: [[Float]] = []

  /// - Parameters:
  ///   - profiles: the profile of each user, in the order of the declaration.
  ///   - topics: the topic of each item.
  init(
    folder: String, encoder: StateEncoder, profiles: [String: [ProfileValue]] = [:],
    topics: [String: String] = [:]
  ) throws {
    var requestTimes: [String: Int64] = [:]
    for line in try Self.objects(folder + "/decisions.jsonl") {
      let user = try #require(line["user_id"] as? String)
      let time = try Self.integer(line["time_ms"])
      requestTimes[try #require(line["request_id"] as? String)] = time
      log.decisions.append(
        .init(
          user: user, timeMilliseconds: time,
          impressions: try #require(line["shown"] as? [String]).count))
      states.append(try #require(line["state"] as? [Double]).map { Float($0) })
    }
    for line in try Self.objects(folder + "/feedback.jsonl") {
      let request = try #require(line["request_id"] as? String)
      let requested = try #require(requestTimes[request])
      let arrived = try Self.integer(line["arrival_time_ms"])
      // What arrives after the deadline of an hour is used by nobody.
      if arrived - requested > 3_600_000 { continue }
      let feedback = UserFeedback(
        playSeconds: try Self.float(line["play_time_seconds"]),
        durationSeconds: try Self.float(line["duration_seconds"]))
      log.feedback.append(
        .init(
          user: try #require(line["user_id"] as? String), arrivalMilliseconds: arrived,
          interaction: Interaction(
            timeMilliseconds: try Self.integer(line["time_ms"]),
            requestTimeMilliseconds: requested, playSeconds: feedback.playSeconds,
            playIntegrity: feedback.playIntegrity,
            behaviors: try encoder.behaviorNames.map { try Self.float(line[$0]) },
            topic: topics[try #require(line["item_id"] as? String)])))
    }
    for (user, values) in profiles {
      log.profiles.append(.init(user: user, timeMilliseconds: nil, values: values))
    }
  }

  /// How many states differ in any bit from what the encoder makes of the events.
  func differences(_ encoder: StateEncoder) throws -> Int {
    zip(try log.states(encoder), states).count { $0.map(\.bitPattern) != $1.map(\.bitPattern) }
  }

  private static func objects(_ path: String) throws -> [[String: Any]] {
    try DurableFiles.readText(path).split(separator: "\n").map { line in
      try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    }
  }

  private static func integer(_ value: Any?) throws -> Int64 {
    try #require(value as? NSNumber).int64Value
  }

  private static func float(_ value: Any?) throws -> Float {
    Float(try #require(value as? NSNumber).doubleValue)
  }
}

@Suite("declared states, from a log to the policy")
struct DeclaredStateVerbTests {
  private let scratch: ScratchFolder
  private let examples = RepositoryFolder.path + "/Examples"

  init() throws { scratch = try ScratchFolder() }

  /// The generic feed with computed states, converted and prepared.
  private func preparedFeed() throws {
    let feed = examples + "/generic-feed"
    let converted = try AmalgamProcess([
      "logs", "convert", feed + "/decisions.csv", feed + "/feedback.jsonl.gz", "--mapping",
      feed + "/mapping-with-states.yaml", "--output", scratch.file("log"),
    ])
    #expect(converted.status == 0, "\(converted.errors)")
    let prepared = try AmalgamProcess([
      "prepare", scratch.file("log"), "--output", scratch.file("data"),
    ])
    #expect(prepared.status == 0, "\(prepared.errors)")
  }

  private func train(_ run: String) throws -> AmalgamProcess {
    try AmalgamProcess([
      "train", "--data", scratch.file("data/train"), "--config",
      examples + "/generic-feed/train.yaml", "--algorithm", "behavior_cloning", "--set",
      "training.stepCount=2", "--set", "training.reportInterval=1", "--set",
      "learners.behaviorCloning.hidden=[8]", "--output", scratch.file(run),
    ])
  }

  /// Changes `manifest.json` of the training set.
  private func changeManifest(_ change: (inout [String: Any]) throws -> Void) throws {
    let path = scratch.file("data/train/manifest.json")
    let read = try JSONSerialization.jsonObject(with: Data(DurableFiles.read(path)))
    var object = try #require(read as? [String: Any])
    try change(&object)
    try JSONSerialization.data(withJSONObject: object).write(to: URL(fileURLWithPath: path))
  }

  @Test("the artifact's encoder gives the logged states bit for bit from the log's events")
  func parity() throws {
    try preparedFeed()
    let trained = try train("run")
    #expect(trained.status == 0, "\(trained.errors)")
    let manifest = try PolicyArtifact.load(scratch.file("run/policy")).manifest
    let encoder = try #require(manifest.stateEncoder)
    let schema = try LogSchema(readingFile: scratch.file("log/schema.json"))
    #expect(encoder.names == schema.stateNames)
    #expect(encoder.definition == schema.stateDefinition)
    let logged = try LoggedStates(folder: scratch.file("log"), encoder: encoder)
    #expect(logged.states.count == 1463 && Set(logged.states).count > 1000)
    #expect(try logged.differences(encoder) == 0)
    // The comparison sees a definition that differs in one number.
    var other = encoder.definition
    other.history.decays[0] = 2
    #expect(try logged.differences(StateEncoder(other)) > 1000)
  }

  @Test("a folder without a definition trains as ever; one of other states is refused")
  func otherFolders() throws {
    try preparedFeed()
    try changeManifest { $0["state_definition"] = nil }
    #expect(try train("without").status == 0)
    #expect(try PolicyArtifact.load(scratch.file("without/policy")).manifest.stateEncoder == nil)
    try changeManifest { manifest in
      manifest["state_definition"] = ["history": ["windows": [3], "behaviors": ["click"]]]
    }
    try train("other").expectError(
      2, saying: "data/train/manifest.json: state_definition: feature 0", "“last_5_click” expected",
      "“last_3_click”")
    try changeManifest { manifest in
      manifest["state_definition"] = ["profile": [["name": "age", "missing": "mean"]]]
    }
    try train("unfitted").expectError(2, saying: "manifest.json", "profile.age", "fitted")
    #expect(!DurableFiles.exists(scratch.file("other")))
  }

  @Test("a slice of KuaiRand's log gets the states that a replay in memory gives, scaled")
  func kuaiRand() throws {
    let data = RepositoryFolder.path + "/Data/kuairand-pure"
    let slice = scratch.file("log_standard_slice.csv")
    let rows = try unpacked(data + "/log_standard_4_25_to_5_08_pure.csv.gz").prefix(4001)
    try DurableFiles.write(rows.joined(separator: "\n") + "\n", to: slice)
    let converted = try AmalgamProcess([
      "logs", "convert", slice, "--mapping", examples + "/kuairand/mapping-with-states.yaml",
      "--output", scratch.file("log"),
    ])
    #expect(converted.status == 0, "\(converted.errors)")
    let schema = try LogSchema(readingFile: scratch.file("log/schema.json"))
    let encoder = try StateEncoder(try #require(schema.stateDefinition))
    let users = try table(data + "/user_features_pure.csv.gz")
    var profiles: [String: [ProfileValue]] = [:]
    for user in users {
      profiles[try #require(user["user_id"])] = encoder.definition.profile.map { feature in
        guard let text = user[feature.name], !text.isEmpty else { return .missing }
        return feature.type == .category
          ? .text(text) : Double(text).map { .number($0) } ?? .missing
      }
    }
    let videos = try table(data + "/video_features_basic_pure.csv.gz")
    let topics = Dictionary(
      uniqueKeysWithValues: videos.compactMap { video in
        video["tag"].flatMap { tag in tag.isEmpty ? nil : (video["video_id"] ?? "", tag) }
      })
    let logged = try LoggedStates(
      folder: scratch.file("log"), encoder: encoder, profiles: profiles, topics: topics)
    #expect(logged.states.count > 3800)
    #expect(try logged.differences(encoder) == 0)
    // The scale is that of the first nine tenths: there, what varies has mean 0 and deviation 1.
    let order = logged.log.decisions.indices.sorted {
      logged.log.decisions[$0].timeMilliseconds < logged.log.decisions[$1].timeMilliseconds
    }
    let training = order.prefix(order.count * 9 / 10)
    let place = try #require(encoder.names.firstIndex(of: "history_log_count"))
    let values = training.map { Double(logged.states[$0][place]) }
    let mean = values.reduce(0, +) / Double(values.count)
    let square = values.reduce(0) { $0 + $1 * $1 } / Double(values.count)
    #expect(abs(mean) < 0.02 && abs(square - mean * mean - 1) < 0.05)
    #expect(logged.states.allSatisfy { $0.allSatisfy { abs($0) <= StateNormalizer.clip } })
  }

  /// The lines of a compressed file.
  private func unpacked(_ path: String) throws -> [Substring] {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    let output = scratch.file("unpacked")
    process.arguments = ["-c", "gzip -dc \"$0\" > \"$1\"", path, output]
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    return try DurableFiles.readText(output).split(separator: "\n")
  }

  /// The rows of a compressed CSV file, whose fields may stand in quotes.
  private func table(_ path: String) throws -> [[String: String]] {
    let rows = try unpacked(path).map { line in
      var fields = [""]
      var isQuoted = false
      for character in line {
        switch character {
        case "\"": isQuoted.toggle()
        case "," where !isQuoted: fields.append("")
        case "\r": continue
        default: fields[fields.count - 1].append(character)
        }
      }
      return fields
    }
    return rows.dropFirst().map { Dictionary(uniqueKeysWithValues: zip(rows[0], $0)) }
  }
}
