import DurableFiles
import Foundation
import Testing

@Suite("reproduce", .serialized)
struct ReproduceTests {
  private static let data = "\(RepositoryFolder.path)/Data/kuairand-pure"

  private func arguments(_ output: String) -> [String] {
    ["reproduce", "--preset", "tiny", "--data", Self.data, "--output", output]
  }

  private func json(_ path: String) throws -> [String: Any] {
    let object = try JSONSerialization.jsonObject(with: Data(DurableFiles.read(path)))
    return try #require(object as? [String: Any])
  }

  private func methods(_ results: [String: Any], _ section: String) throws -> [String] {
    let rows = try #require(results[section] as? [[String: Any]])
    return rows.compactMap { $0["method"] as? String }
  }

  /// What must be the same bits in two runs with one seed: everything but speeds.
  private func comparable(_ path: String) throws -> NSDictionary {
    var results = try json(path)
    let training = try #require(results["training"] as? [[String: Any]])
    results["training"] = training.map { row in
      var row = row
      row["steps_per_second"] = nil
      return row
    }
    return results as NSDictionary
  }

  @Test("the tiny preset takes the log to a released policy; interrupted, it ends in the same bits")
  func tinyPreset() throws {
    let scratch = try ScratchFolder()
    let whole = scratch.file("whole")
    let first = try AmalgamProcess(arguments(whole))
    #expect(first.status == 0, "\(first.errors)")
    #expect(first.output.contains("SIMULATED PLATFORM"))
    let results = try json("\(whole)/results.json")
    #expect(results["schema"] as? Int == 1)
    #expect(try #require(results["multi_task"] as? [Any]).count == 12)
    let measured = ["best_static", "behavior_cloning", "batch_rl_mtf", "oracle"]
    #expect(try methods(results, "truth") == measured)
    #expect(try methods(results, "online") == measured)
    #expect(Set(try methods(results, "offline")) == Set(measured.dropLast()))
    #expect(Set(try methods(results, "actions")) == Set(measured.dropLast() + ["behavior"]))

    // The first round explores around the static weights, the second around what the first learned.
    #expect(try distanceToStatic("\(whole)/rounds/1/logs", run: whole) < 0.09)
    #expect(try distanceToStatic("\(whole)/logs", run: whole) > 0.11)

    let list = try AmalgamProcess(["policy", "list", "--registry", "\(whole)/registry"])
    #expect(list.output.contains("* batch_rl_mtf"))
    #expect(list.output.contains("conservative"))

    let unread = try AmalgamProcess(arguments(whole) + ["--resume"], outputPath: "/dev/full")
    #expect(unread.status == 1)
    #expect(unread.errors.contains("standard output: cannot be written"), "\(unread.errors)")

    let interrupted = scratch.file("interrupted")
    #expect(
      try AmalgamProcess.interrupted(
        arguments(interrupted), after: "\(interrupted)/stages/prepare-round-1.json") == 130)
    #expect(!DurableFiles.exists("\(interrupted)/results.json"))
    let refused = try AmalgamProcess(arguments(interrupted))
    #expect(refused.status == 2)
    #expect(refused.errors.contains("--resume"))
    let resumed = try AmalgamProcess(arguments(interrupted) + ["--resume"])
    #expect(resumed.status == 0, "\(resumed.errors)")
    for method in ["best_static", "behavior_cloning", "batch_rl_mtf"] {
      let weights = "policies/\(method)/weights.safetensors"
      #expect(
        try DurableFiles.read("\(whole)/\(weights)")
          == DurableFiles.read("\(interrupted)/\(weights)"), "\(method)")
    }
    #expect(
      try comparable("\(whole)/results.json") == comparable("\(interrupted)/results.json"))
    try severalSeeds(first: whole, output: scratch.file("study"))
  }

  /// The methods of `--methods all`, with whether logged sessions are asked about them.
  private static let everyMethod: [(name: String, isEvaluated: Bool)] = [
    ("best_static", true), ("evolution_strategy", false), ("cross_entropy", false),
    ("grid", false), ("behavior_cloning", true), ("td3", true), ("uwac_td3", true),
    ("td3_bc", true), ("cql_sac", true), ("iql", true), ("batch_rl_mtf", true),
    ("batch_rl_mtf_re", true), ("batch_rl_mtf_rtime", false), ("batch_rl_mtf_rintegrity", false),
    ("batch_rl_mtf_rinteraction", false), ("batch_rl_mtf_gamma_0", false),
    ("batch_rl_mtf_shuffled", false), ("oracle", false),
  ]

  @Test("all methods see equally many sessions and steps and stand in one test")
  func allMethods() throws {
    let scratch = try ScratchFolder()
    let run = scratch.file("run")
    let process = try AmalgamProcess(
      arguments(run) + ["--methods", "all", "--set", "exploration.rounds=1"])
    #expect(process.status == 0, "\(process.errors)")
    let results = try json("\(run)/results.json")
    let names = Self.everyMethod.map(\.name)
    #expect(try methods(results, "truth") == names)
    #expect(try methods(results, "online") == names)
    let told = try DocumentationPage("Methods.md").firstCells(ofTable: "method | in | what it is")
    #expect(told == names)
    let evaluated = Self.everyMethod.filter(\.isEvaluated).map(\.name)
    #expect(Set(try methods(results, "offline")) == Set(evaluated))
    let training = try methods(results, "training").map {
      try json("\(run)/stages/train-\($0).json")
    }
    #expect(Set(training.map { $0["steps"] as? Int }) == [300])
    #expect(Set(training.map { $0["sessions"] as? Int }).count == 1)
    #expect(training.allSatisfy { ($0["reports"] as? [Any])?.count == 15 })
    let distributions = Set(try methods(results, "actions"))
    #expect(
      distributions == Set(names.dropLast(2) + ["behavior", "behavior_random"]))

    let stages = Set(
      try DurableFiles.names(inFolder: "\(run)/stages").map { file in
        let stage = file.replacing(".json", with: "")
        let parts = stage.split(separator: "-", maxSplits: 1).map(String.init)
        return parts.count == 2 && names.contains(parts[1]) ? "\(parts[0])-METHOD" : stage
      })
    let listed = try DocumentationPage("FileFormats.md")
      .firstCells(ofTable: "stage | what it leaves beside its record")
    #expect(stages.sorted() == listed.sorted())

    func manifest(_ method: String) throws -> [String: Any] {
      try json("\(run)/policies/\(method)/manifest.json")
    }
    func configuration(_ method: String) throws -> [String: Any] {
      try #require(manifest(method)["configuration"] as? [String: Any])
    }
    func reward(_ method: String) throws -> [String: Double] {
      try #require(manifest(method)["reward"] as? [String: Double])
    }
    let standard = try reward("batch_rl_mtf")
    for (method, signal) in [
      ("rtime", "play_minutes"), ("rintegrity", "play_integrity"), ("rinteraction", "like"),
    ] {
      let emphasized = try reward("batch_rl_mtf_\(method)")
      let ratio = try #require(emphasized[signal]) / #require(standard[signal])
      #expect(abs(ratio - 3) < 1e-6, "\(method)")
      #expect(emphasized["click"] == standard["click"], "\(method)")
    }
    #expect(try configuration("batch_rl_mtf_gamma_0")["discount"] as? Double == 0)
    #expect(try #require(configuration("batch_rl_mtf")["discount"] as? Double) > 0.9)
    // What differs in data or reward alone must not come out as the same policy.
    let weights = try names.filter { $0.hasPrefix("batch_rl_mtf") && !$0.hasSuffix("shuffled") }
      .map { try DurableFiles.read("\(run)/policies/\($0)/weights.safetensors") }
    #expect(Set(weights).count == weights.count)
    try ReportVerbTests.reportsEveryMethod(run, methods: names)
  }

  @Test("a learner that diverges is a finding: told, measured, and not released")
  func divergence() throws {
    let scratch = try ScratchFolder()
    let run = scratch.file("run")
    let process = try AmalgamProcess(
      arguments(run) + [
        "--methods", "all", "--set", "exploration.rounds=1", "--set",
        "learners.batchRLMTF.criticLearningRate=1e20",
      ])
    #expect(process.status == 0, "\(process.errors)")
    let record = try json("\(run)/stages/train-batch_rl_mtf.json")
    let divergence = try #require(record["divergence"] as? String)
    #expect(divergence.contains("training diverged at step"))
    #expect(try methods(json("\(run)/results.json"), "online") == Self.everyMethod.map(\.name))
    let list = try AmalgamProcess(["policy", "list", "--registry", "\(run)/registry"])
    #expect(list.output.contains("* best_static"), "\(list.output)")
  }

  /// How far the weights of the action-noise group lie from the static ones, a weight, on average.
  private func distanceToStatic(_ logs: String, run: String) throws -> Double {
    let search = try json("\(run)/stages/search.json")
    let center = try #require(search["action"] as? [Double])
    var distances: [Double] = []
    for line in try DurableFiles.readText("\(logs)/decisions.jsonl").split(separator: "\n") {
      let object = try JSONSerialization.jsonObject(with: Data(line.utf8))
      let decision = try #require(object as? [String: Any])
      guard decision["arm"] as? String == "action_noise" else { continue }
      let action = try #require(decision["action"] as? [Double])
      distances += zip(action, center).map { abs($0 - $1) }
    }
    return distances.reduce(0, +) / Double(distances.count)
  }

  /// A study whose first seed is there already, finished with two threads; the others are run side
  /// by side on one thread each, once stopped in the middle.
  private func severalSeeds(first: String, output: String) throws {
    try DurableFiles.makeFolders(output)
    try FileManager.default.copyItem(atPath: first, toPath: "\(output)/seed-1")
    let study = arguments(output) + ["--seeds", "3", "--resume"]
    #expect(
      try AmalgamProcess.interrupted(study, after: "\(output)/seed-3/stages/platform.json") == 130)
    #expect(!DurableFiles.exists("\(output)/seeds.json"))
    let process = try AmalgamProcess(study)
    #expect(process.status == 0, "\(process.errors)")
    #expect(process.errors.contains("seeds: done in"))
    #expect(try DurableFiles.readText("\(output)/seed-2.log").contains("train-batch_rl_mtf"))
    // Two threads in one process, one in a process of its own: the same bits.
    let alone = try AmalgamProcess(
      arguments("\(output)/alone") + ["--seed", "3", "--methods", "main"])
    #expect(alone.status == 0, "\(alone.errors)")
    #expect(
      try comparable("\(output)/alone/results.json")
        == comparable("\(output)/seed-3/results.json"))
    try compares(process, output)
  }

  /// What the seeds say together.
  private func compares(_ process: AmalgamProcess, _ output: String) throws {
    #expect(process.output.contains("seeds 1, 2, 3: lifts over best_static"))
    let study = try json("\(output)/seeds.json")
    #expect(study["seeds"] as? [Int] == [1, 2, 3])
    let rows = try #require(study["rows"] as? [[String: Any]])
    #expect(
      rows.compactMap { $0["method"] as? String } == ["behavior_cloning", "batch_rl_mtf", "oracle"])
    for row in rows {
      let lift = try #require(row["session_return"] as? [String: Any])
      let values = try #require(lift["values"] as? [Double])
      #expect(values.count == 3)
      let mean = try #require(lift["mean"] as? Double)
      #expect(abs(mean - (values[0] + values[1] + values[2]) / 3) < 1e-12)
      // Student's t with two degrees of freedom: 4.30265 deviations of a mean of three.
      let low = try #require(lift["low"] as? Double)
      let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      #expect(abs(mean - low - 4.30265 * (squares / 2 / 3).squareRoot()) < 1e-4)
    }
    try ReportVerbTests.reportsSeeds(output)
  }

  @Test("wrong requests are usage errors that name what is wrong")
  func usageErrors() throws {
    let scratch = try ScratchFolder()
    let output = scratch.file("run")
    try AmalgamProcess(["reproduce", "--preset", "huge", "--output", output])
      .expectError(2, saying: "huge", "tiny, small or paper")
    try AmalgamProcess(arguments(output) + ["--set", "platform.user=5"])
      .expectError(2, saying: "unknown key 'user'", "platform")
    try AmalgamProcess(arguments(output) + ["--methods", "some"])
      .expectError(2, saying: "methods", "some")
    try AmalgamProcess(arguments(output) + ["--set", "tasks.ranker=forest"])
      .expectError(2, saying: "tasks.ranker", "forest")
    try AmalgamProcess(arguments(output) + ["--set", "evaluation.fits=1"])
      .expectError(2, saying: "evaluation.fits", "at least 2", "found 1")
    try AmalgamProcess(arguments(output) + ["--data", scratch.file("nowhere")])
      .expectError(2, saying: "data", "nowhere", "no such folder")
    #expect(!DurableFiles.exists(output))
  }
}
