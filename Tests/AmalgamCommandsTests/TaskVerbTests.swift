import DurableFiles
import Foundation
import Testing

@Suite("tasks")
struct TaskVerbTests {
  @Test("a stored model scores the same bits for the same seed", arguments: ["ple", "mmoe"])
  func sameBits(model: String) throws {
    let small = try SmallKuaiRand()
    for (name, seed) in [("a", "3"), ("b", "3"), ("c", "4")] {
      let trained = try small.train(name, ["--model", model, "--seed", seed])
      #expect(trained.status == 0, "\(trained.errors)")
      #expect(try small.score(name).status == 0)
    }
    let weights = try Data(
      contentsOf: URL(fileURLWithPath: small.scratch.file("a/weights.safetensors")))
    let again = try Data(
      contentsOf: URL(fileURLWithPath: small.scratch.file("b/weights.safetensors")))
    #expect(weights == again)
    #expect(try small.text("a.jsonl") == small.text("b.jsonl"))
    #expect(try small.text("a.jsonl") != small.text("c.jsonl"))
    let lines = try small.text("a.jsonl").split(separator: "\n")
    #expect(lines.count == 6)
    let first = try #require(
      try JSONSerialization.jsonObject(with: Data(lines[1].utf8)) as? [String: Double])
    #expect(first.count == 14 && first["user_id"] == 0 && first["video_id"] == 7)
    #expect((0...1).contains(try #require(first["click"])))
    #expect(try #require(first["watch_time"]) >= 0)
  }

  @Test("evaluation gives every task with its interval, beside the baseline")
  func evaluates() throws {
    let small = try SmallKuaiRand()
    try PrintedJSONTests.check(
      "tasks train",
      [
        "--data", small.data, "--output", small.scratch.file("m"), "--model", "shared_bottom",
        "--set", "epochs=1", "--set", "batchSize=64",
      ])
    let arguments = ["tasks", "evaluate", "--data", small.data, "--model", small.scratch.file("m")]
    let found = try AmalgamProcess(arguments + ["--json"])
    #expect(found.status == 0, "\(found.errors)")
    let tasks = try #require(
      try JSONSerialization.jsonObject(with: Data(found.output.utf8)) as? [[String: Any]])
    #expect(tasks.count == 12)
    #expect(tasks[0]["task"] as? String == "click" && tasks[0]["rows"] as? Int == 150)
    let (low, high) = (tasks[0]["auc_low"] as? Double, tasks[0]["auc_high"] as? Double)
    #expect(try #require(low) < (try #require(high)))
    #expect(tasks[0]["baseline_auc"] is Double && tasks[11]["rmse"] is Double)
    try PrintedJSONTests.check("tasks evaluate", Array(arguments.dropFirst(2)))
    let table = try AmalgamProcess(arguments)
    #expect(table.status == 0 && table.output.contains("watch_time"))
    let none = try AmalgamProcess(arguments + ["--evaluate-through", "20220504"])
    none.expectError(2, saying: "no later day")
  }

  @Test("what cannot be trained is told, and nothing is written")
  func refusals() throws {
    let small = try SmallKuaiRand(hates: false)
    try small.train("m").expectError(1, saying: "task hate", "450", "both 0 and 1")
    try small.train("m", ["--model", "forest"]).expectError(2, saying: "forest", "mmoe")
    try small.train("m", ["--set", "sampleSpaces.like=sleep"])
      .expectError(2, saying: "sleep", "objective.spaces")
    try small.train("m", ["--set", "ple.width=0"]).expectError(2, saying: "width", "found 0")
    try small.train("m", ["--set", "lossWeights.like=-1"]).expectError(2, saying: "weights")
    try AmalgamProcess(
      ["tasks", "train", "--data", small.scratch.file("none"), "--output", small.scratch.file("m")]
    ).expectError(2, saying: "log_standard", "no such file")
    #expect(!FileManager.default.fileExists(atPath: small.scratch.file("m")))
    try small.train("data").expectError(2, saying: "holds no model")
    let spaced = try small.train("m", ["--set", "lossWeights.hate=0"])
    #expect(spaced.status == 0, "\(spaced.errors)")
    let found = try AmalgamProcess(
      ["tasks", "evaluate", "--data", small.data, "--model", small.scratch.file("m"), "--json"])
    #expect(found.status == 0 && found.output.contains("\"hate\""), "\(found.errors)")
  }

  @Test("a task without positives has null for what is undefined, and every key")
  func noPositives() throws {
    let small = try SmallKuaiRand(hates: false)
    #expect(try small.train("m", ["--model", "mmoe", "--set", "lossWeights.hate=0"]).status == 0)
    let found = try AmalgamProcess(
      ["tasks", "evaluate", "--data", small.data, "--model", small.scratch.file("m"), "--json"])
    #expect(found.status == 0, "\(found.errors)")
    let tasks = try #require(
      try JSONSerialization.jsonObject(with: Data(found.output.utf8)) as? [[String: Any]])
    let hate = try #require(tasks.first { $0["task"] as? String == "hate" })
    let like = try #require(tasks.first { $0["task"] as? String == "like" })
    #expect(hate["positives"] as? Int == 0 && hate.keys.sorted() == like.keys.sorted())
    for key in ["auc", "auc_low", "auc_high", "baseline_auc", "constant_log_loss", "mean_ratio"] {
      #expect(hate[key] is NSNull && like[key] is Double, "\(key)")
    }
    #expect(hate["log_loss"] is Double && hate["calibration_error"] is Double)
  }

  @Test("an edited model.json is refused by file, field, expected and found")
  func editedManifest() throws {
    let small = try SmallKuaiRand()
    #expect(try small.train("m", ["--model", "ple", "--set", "members=1"]).status == 0)
    let path = small.scratch.file("m/model.json")
    let good = try String(contentsOfFile: path, encoding: .utf8)
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(good.utf8)) as? [String: Any])
    func refuse(_ parts: String..., change: (inout [String: Any]) -> Void) throws {
      var edited = object
      change(&edited)
      try JSONSerialization.data(withJSONObject: edited).write(to: URL(fileURLWithPath: path))
      let run = try small.score("m")
      for part in ["model.json: "] + parts { run.expectError(2, saying: part) }
    }
    func options(_ keys: [String], _ value: Any) -> (inout [String: Any]) -> Void {
      { $0["options"] = Self.replacing(keys[...], in: $0["options"] ?? [:], by: value) }
    }
    let sizes = ["architecture", "progressiveExtraction", "_0"]
    try refuse("categoryBuckets: expected ", "numbers, found 1") { $0["categoryBuckets"] = [3] }
    try refuse("categoryBuckets[0]: expected 0 to 1000000, found -1") {
      $0["categoryBuckets"] = ($0["categoryBuckets"] as? [Int])?.map { _ in -1 }
    }
    try refuse("categoryBuckets: expected vectors of [") {
      $0["categoryBuckets"] = ($0["categoryBuckets"] as? [Int])?.map { _ in 1_000_000 }
    }
    try refuse(
      "options.members: expected 1, as weights.safetensors holds, found 4096",
      change: options(["members"], 4096))
    try refuse(
      "options.embeddingDimension", "found [", change: options(["embeddingDimension"], 4096))
    // Networks of these sizes would not fit into memory: they are compared before they are made.
    for name in ["levels", "width", "sharedExperts", "taskExperts"] {
      try refuse(
        "options.architecture: expected sizes of ", "found sizes of ",
        change: options(sizes + [name], 4096))
    }
    try refuse("found 5000", change: options(sizes + ["levels"], 5000))
    try refuse("expected 1 to 4096, found 0", change: options(sizes + ["width"], 0))
    try refuse(
      "options.epochs: expected a whole number, found a string", change: options(["epochs"], "x"))
    try refuse("lastTrainingDate: expected a day as 20220504, found 5") {
      $0["lastTrainingDate"] = 5
    }
    try refuse("numberNames: the model was trained on other features", "found 1 names") {
      $0["numberNames"] = ($0["numberNames"] as? [String])?.prefix(1).map { $0 }
    }
    try refuse("tasks: expected [", "found [\"click\"]") { $0["tasks"] = ["click"] }
    try refuse("key 'tasks' is missing") { $0["tasks"] = nil }

    try Data(good.replacing("20220504", with: "19700101").utf8)
      .write(to: URL(fileURLWithPath: path))
    try AmalgamProcess(
      ["tasks", "evaluate", "--data", small.data, "--model", small.scratch.file("m")]
    ).expectError(2, saying: "model.json: lastTrainingDate: expected a day of the log")
  }

  /// A JSON object with another value under a path of keys.
  private static func replacing(_ keys: ArraySlice<String>, in object: Any, by value: Any) -> Any {
    guard let key = keys.first, var members = object as? [String: Any] else { return value }
    members[key] = replacing(keys.dropFirst(), in: members[key] ?? [:], by: value)
    return members
  }

  @Test("damaged weights are refused by file and tensor")
  func damagedWeights() throws {
    let small = try SmallKuaiRand()
    #expect(try small.train("m", ["--model", "shared_bottom", "--set", "members=1"]).status == 0)
    let path = small.scratch.file("m/weights.safetensors")
    let file = try Safetensors.read(path)
    let good = try file.names.map { ($0, try file.tensor($0)) }
    func refuse(_ name: String, _ parts: String, _ change: (Tensor) throws -> Tensor) throws {
      try Safetensors.write(
        good.map { ($0.0, $0.0 == name ? try change($0.1) : $0.1) }, to: path)
      try small.score("m").expectError(2, saying: "weights.safetensors", parts)
    }
    try refuse("encoder.category0", "encoder.category0: expected values of at least 0") { _ in
      Tensor([-1, 2] as [Int64])
    }
    try refuse("seconds0.inputs", "seconds0: expected rising inputs") { tensor in
      Tensor(try tensor.floats().reversed())
    }
    try refuse("member0.linear.layer0.bias", "not finite") { tensor in
      Tensor([Float](repeating: .nan, count: tensor.count), shape: tensor.shape)
    }
  }

  @Test("a damaged or foreign model is refused by file")
  func damage() throws {
    let small = try SmallKuaiRand()
    #expect(try small.train("m", ["--model", "shared_bottom", "--set", "members=1"]).status == 0)
    let path = small.scratch.file("m/model.json")
    let good = try String(contentsOfFile: path, encoding: .utf8)
    func refuse(_ text: String, _ parts: String) throws {
      try Data(text.utf8).write(to: URL(fileURLWithPath: path))
      try small.score("m").expectError(2, saying: "model.json", parts)
    }
    try refuse(
      good.replacing("\"version\" : 1", with: "\"version\" : 9"), "version: expected 1, found 9")
    try refuse(good.replacing("user.count", with: "user.mood"), "other features")
    try refuse(good.replacing("\"members\" : 1", with: "\"members\" : 0"), "members")
    try refuse(String(good.prefix(100)), "model.json")
    try Data(good.replacing("\"members\" : 1", with: "\"members\" : 2").utf8)
      .write(to: URL(fileURLWithPath: path))
    #expect(try small.score("m").status != 0)
    try Data(good.utf8).write(to: URL(fileURLWithPath: path))
    #expect(try small.score("m").status == 0)
    try small.score("m", ["--hour", "24"]).expectError(2, saying: "--hour 24")
  }
}
