import DurableFiles
import Foundation
import Testing

/// `amalgam sweep` on small made-up shards, through the binary.
@Suite("sweep")
struct SweepVerbTests {
  private let scratch: ScratchFolder
  private var data: String { scratch.file("data") }

  /// Training and test shards as another program would write them: 40 and 12 sessions of 3 steps.
  init() throws {
    scratch = try ScratchFolder()
    for (part, sessions) in [("train", 40), ("test", 12)] {
      let folder = scratch.file("data/\(part)")
      try DurableFiles.makeFolders(folder)
      let count = 3 * sessions
      func wave(_ size: Int, _ frequency: Float) -> [Float] {
        (0..<count * size).map { sin(frequency * Float($0)) }
      }
      try Safetensors.write(
        [
          ("states", Tensor(wave(4, 0.7), shape: [count, 4])),
          ("actions", Tensor(wave(12, 1.3), shape: [count, 12])),
          ("rewards", Tensor(wave(1, 2.1))),
          ("session_offsets", Tensor((0...sessions).map { Int64($0) * 3 })),
          ("session_end", Tensor([UInt8](repeating: 0, count: sessions))),
        ], to: folder + "/0.safetensors")
      try DurableFiles.write(
        #"{"format": "amalgam trajectories", "version": 1}"#, to: folder + "/manifest.json")
    }
  }

  private static let sizes = [
    "training.batchSize=16", "training.reportInterval=4", "training.checkpointInterval=20",
    "learners.batchRLMTF.hidden=[8]", "learners.batchRLMTF.actionCandidates=4",
    "evaluation.rounds=20", "evaluation.batchSize=16", "evaluation.hidden=[8]",
    "evaluation.fits=2",
  ].flatMap { ["--set", $0] }

  private func arguments(_ output: String, _ over: [String], steps: Int = 12) -> [String] {
    ["sweep", "--data", data, "--output", scratch.file(output), "--seed", "4"]
      + over.flatMap { ["--over", $0] } + Self.sizes + ["--set", "training.stepCount=\(steps)"]
  }

  private func sweep(
    _ output: String, _ over: [String], _ more: [String] = []
  ) throws -> AmalgamProcess {
    try AmalgamProcess(arguments(output, over) + more)
  }

  private func json(_ text: String) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  private static let bound = "learners.batchRLMTF.perturbationBound"
  private static let rate = "learners.batchRLMTF.criticLearningRate"

  @Test("several keys make the full grid, one result a point, each as `train` would have it")
  func grid() throws {
    let process = try sweep(
      "run", ["\(Self.bound)=0.05,0.3", "learners.batchRLMTF.hidden=[8],[6,5]"])
    #expect(process.status == 0, "\(process.errors)")
    #expect(process.output.contains("(1) \(Self.bound)"))
    #expect(process.output.contains("[6,5]") && process.output.contains("conservative"))
    let results = try json(DurableFiles.readText(scratch.file("run/sweep.json")))
    #expect(results["schema"] as? Int == 1 && results["seed"] as? Int == 4)
    #expect(results["algorithm"] as? String == "batch_rl_mtf")
    #expect(results["keys"] as? [String] == [Self.bound, "learners.batchRLMTF.hidden"])
    let points = try #require(results["points"] as? [[String: Any]])
    let settings = points.compactMap { $0["settings"] as? [String: Any] }
    #expect(settings.compactMap { $0[Self.bound] as? Double } == [0.05, 0.05, 0.3, 0.3])
    #expect(
      settings.compactMap { $0["learners.batchRLMTF.hidden"] as? [Int] } == [
        [8], [6, 5], [8], [6, 5],
      ])
    #expect(points.compactMap { $0["number"] as? Int } == [0, 1, 2, 3])
    #expect(points.allSatisfy { $0["steps"] as? Int == 12 })
    #expect(points.allSatisfy { $0["divergence"] is NSNull && $0["truth"] is NSNull })
    let values = points.compactMap { $0["q_mean"] as? Double }
    #expect(Set(values).count == 4)
    for point in points {
      let offline = try #require(point["offline"] as? [[String: Any]])
      #expect(offline.compactMap { $0["estimator"] as? String } == ["fitted Q", "conservative"])
      for estimate in offline {
        let value = try #require(estimate["value"] as? Double)
        #expect(try #require(estimate["low"] as? Double) <= value)
        #expect(estimate.keys.contains("effective_sample_size"))
      }
    }
    #expect(
      try DurableFiles.names(inFolder: scratch.file("run/stages"))
        == (0..<4).map { "point-\($0).json" })
    #expect(try DurableFiles.names(inFolder: scratch.file("run/training")).isEmpty)

    let trained = try AmalgamProcess(
      [
        "train", "--data", data + "/train", "--output", scratch.file("train"), "--seed", "4",
        "--json", "--set", "\(Self.bound)=0.3", "--set", "training.stepCount=12",
      ]
        + Self.sizes.filter { $0 != "--set" && !$0.hasPrefix("evaluation") }.flatMap {
          ["--set", $0]
        })
    #expect(trained.status == 0, "\(trained.errors)")
    let reports = try #require(try json(trained.output)["reports"] as? [[String: Any]])
    let decisions = try #require(reports.last?["decision_values"] as? [String: Any])
    #expect(decisions["mean"] as? Double == values[2])
    #expect(decisions["deviation"] as? Double == points[2]["q_deviation"] as? Double)
  }

  @Test("a sweep that was interrupted goes on and ends in the same bits")
  func resumes() throws {
    let over = ["\(Self.bound)=0.05,0.1,0.2,0.3"]
    let whole = try AmalgamProcess(arguments("whole", over, steps: 300))
    #expect(whole.status == 0, "\(whole.errors)")
    let cut = arguments("cut", over, steps: 300)
    #expect(
      try AmalgamProcess.interrupted(cut, after: scratch.file("cut/stages/point-1.json")) == 130)
    #expect(!DurableFiles.exists(scratch.file("cut/sweep.json")))
    #expect(DurableFiles.exists(scratch.file("cut/stages/point-0.json")))
    try AmalgamProcess(cut).expectError(2, saying: "--resume")
    try AmalgamProcess(arguments("cut", over, steps: 301) + ["--resume"])
      .expectError(2, saying: "differs")
    let resumed = try AmalgamProcess(cut + ["--resume"])
    #expect(resumed.status == 0, "\(resumed.errors)")
    #expect(
      try DurableFiles.read(scratch.file("cut/sweep.json"))
        == DurableFiles.read(scratch.file("whole/sweep.json")))
    // What is finished is not made again.
    let again = try AmalgamProcess(cut + ["--resume", "--json"])
    #expect(again.output == (try DurableFiles.readText(scratch.file("whole/sweep.json"))))
  }

  @Test("a point that diverges is recorded, and the others stand")
  func divergence() throws {
    let process = try sweep("run", ["\(Self.rate)=0.0002,1e20"], ["--json"])
    #expect(process.status == 0, "\(process.errors)")
    let points = try #require(try json(process.output)["points"] as? [[String: Any]])
    #expect(points[0]["divergence"] is NSNull)
    #expect((points[0]["offline"] as? [Any])?.count == 2)
    #expect(try #require(points[1]["divergence"] as? String).contains("step"))
    #expect((points[1]["offline"] as? [Any])?.isEmpty == true)
    #expect(try #require(points[1]["steps"] as? Int) < 12)
    let text = try sweep("run", ["\(Self.rate)=0.0002,1e20"], ["--resume"])
    #expect(text.status == 0 && text.output.contains("point 1 diverged: "), "\(text.output)")
  }

  @Test("another algorithm and other kinds of values, and what has no critic has no Q")
  func kinds() throws {
    let process = try sweep(
      "run", ["algorithm=behavior_cloning,batch_rl_mtf", "seed=1,2"],
      ["--json", "--set", "learners.behaviorCloning.hidden=[8]"])
    #expect(process.status == 0, "\(process.errors)")
    let points = try #require(try json(process.output)["points"] as? [[String: Any]])
    let settings = points.compactMap { $0["settings"] as? [String: Any] }
    #expect(settings.compactMap { $0["seed"] as? Int } == [1, 2, 1, 2])
    #expect(settings.first?["algorithm"] as? String == "behavior_cloning")
    #expect(points[0]["q_mean"] is NSNull && points[2]["q_mean"] is Double)
  }

  @Test("on a platform each point has its true value")
  func truth() throws {
    let fixture = try PlatformFixture()
    let log = fixture.path("log")
    let served = try fixture.run(
      ["simulate", "run"], "--policy", "mixed", "--days", "1", "--output", log)
    #expect(served.status == 0, "\(served.errors)")
    let shards = fixture.path("shards")
    #expect(try AmalgamProcess(["prepare", log, "--output", shards]).status == 0)
    let call =
      [
        "sweep", "--data", shards, "--platform", fixture.platform, "--json", "--over",
        "\(Self.bound)=0.05,0.3",
      ] + Self.sizes + ["--set", "training.stepCount=5", "--set", "truth.days=1"]
    let process = try AmalgamProcess(call + ["--output", fixture.path("run")])
    #expect(process.status == 0, "\(process.errors)")
    let points = try #require(try json(process.output)["points"] as? [[String: Any]])
    for point in points {
      let truth = try #require(point["truth"] as? [String: Any])
      let value = try #require(truth["session_return"] as? Double)
      #expect(try #require(truth["low"] as? Double) < value)
      #expect(try #require(truth["high"] as? Double) > value)
    }
    // The made-up shards have other states than the platform.
    try sweep("other", ["\(Self.bound)=0.1"], ["--platform", fixture.platform])
      .expectError(2, saying: "the platform has states of", "has 4 and 12")
    try PrintedJSONTests.check(
      "sweep", call.dropFirst().filter { $0 != "--json" } + ["--output", fixture.path("printed")])
  }

  @Test(
    "what cannot be swept is a usage error that names the key, before anything is written",
    arguments: [
      ("learners.batchRLMTF.bound=0.1", "unknown key 'bound'"),
      ("\(bound)=0.1,wide", "--over \(bound)=wide: learners.batchRLMTF.perturbationBound: found"),
      ("\(bound)=0.1,9", "--over \(bound)=9: learners.batchRLMTF.perturbationBound"),
      ("\(bound)=.nan", "expected a finite number, found nan"),
      ("\(bound)=0.1,,0.2", "a value is empty"), ("\(bound)=0.1,0.1", "stands twice"),
      (bound, "expected key.path=value"), ("truth.days=1,2", "all points share"),
      ("training.stepCount=0", "stepCount is 0"),
      ("algorithm=sarsa", "sarsa"),
    ])
  func refused(over: String, words: String) throws {
    try sweep("none", [over]).expectError(2, saying: words)
    #expect(!DurableFiles.exists(scratch.file("none")))
  }

  @Test("missing keys, data and platforms are usage errors")
  func missing() throws {
    try sweep("none", []).expectError(2, saying: "--over")
    try sweep("none", ["\(Self.bound)=0.1", "\(Self.bound)=0.2"])
      .expectError(2, saying: "the key stands twice")
    try sweep("none", ["\(Self.bound)=0.1"], ["--platform", scratch.file("nowhere")])
      .expectError(2, saying: "nowhere", "platform.json")
    try DurableFiles.remove(data + "/test")
    try sweep("none", ["\(Self.bound)=0.1"]).expectError(2, saying: "data/test")
    #expect(!DurableFiles.exists(scratch.file("none")))
  }
}
