import DurableFiles
import Foundation
import Testing

/// `amalgam report` through the binary. `ReproduceTests` has it report the runs that it makes.
@Suite("report")
struct ReportVerbTests {
  /// What `report --json` prints.
  struct Written: Decodable {
    var page: String
    var figures: [String]
  }

  /// Reports a finished run of all methods, with a sweep beside it.
  static func reportsEveryMethod(_ run: String, methods: [String]) throws {
    let bound = "learners.batchRLMTF.perturbationBound"
    let sweep = try AmalgamProcess([
      "sweep", "--data", "\(run)/trajectories", "--output", "\(run)/sweeps/bound", "--over",
      "\(bound)=0.05,0.15", "--set", "training.stepCount=20", "--set", "training.batchSize=32",
      "--set", "learners.batchRLMTF.hidden=[8]", "--set",
      "learners.batchRLMTF.actionCandidates=4", "--set", "evaluation.rounds=50", "--set",
      "evaluation.hidden=[8]", "--set", "evaluation.fits=2",
    ])
    #expect(sweep.status == 0, "\(sweep.errors)")
    let process = try AmalgamProcess(["report", run, "--json"])
    #expect(process.status == 0, "\(process.errors)")
    let written = try process.decoded(Written.self)
    #expect(written.page == "\(run)/report/index.html")
    for figure in [
      "q-td3", "q-uwac_td3", "q-cql_sac", "q-batch_rl_mtf", "actions-watch_time",
      "actions-finished", "actions-skip", "actions-like", "exploration-watch_time",
      "sweep-1-perturbationBound", "td-error", "distance", "saturation", "tasks", "anchors",
    ] {
      #expect(written.figures.contains(figure), "\(figure)")
    }
    let pictures = try DurableFiles.names(inFolder: "\(run)/report/figures")
    #expect(
      pictures.sorted() == written.figures.flatMap { ["\($0).png", "\($0).svg"] }.sorted())
    let text = try DurableFiles.readText(written.page)
    for method in methods { #expect(text.contains(">\(method)</th>"), "\(method)") }
    for said in [
      "Simulated platform: no real user", "-648.162", "+2.55%", "Figure 5: grows exponentially",
      "stages/train-td3.json", "not distinguishable", "300 steps", " of 1500</td>",
      "Highest estimate at ",
    ] {
      #expect(text.contains(said), "\(said)")
    }
    #expect(!text.contains("http:") && !text.contains("https:") && !text.contains(run))
    try looksRight(written)
    try PrintedJSONTests.check("report", [run])
    // The same run gives the same page, in place of the former one.
    #expect(try AmalgamProcess(["report", run]).status == 0)
    #expect(try DurableFiles.readText(written.page) == text)
  }

  /// In Chromium: as wide as a phone and as a desk, and printed.
  private static func looksRight(_ written: Written) throws {
    for width in [500, 1280] {
      let (sight, messages) = try Chromium.look(at: written.page, width: width)
      #expect(messages.isEmpty, "\(messages)")
      #expect(sight.images == written.figures.count && sight.tables == 3)
      #expect(sight.broken.isEmpty && sight.withoutText == 0)
      #expect(sight.width <= sight.window, "wider than a window of \(sight.window)")
    }
    let printed = try Chromium.printed(written.page)
    #expect(printed.starts(with: Data("%PDF".utf8)) && printed.count > 20_000)
  }

  /// Reports a study of three seeds.
  static func reportsSeeds(_ study: String) throws {
    let process = try AmalgamProcess(["report", study, "--output", "\(study)/page"])
    #expect(process.status == 0, "\(process.errors)")
    #expect(process.output.contains("report: \(study)/page/index.html, "))
    let text = try DurableFiles.readText("\(study)/page/index.html")
    #expect(text.contains("seeds 1, 2, 3, each the whole chain"))
    #expect(text.contains("Means over 3 seeds"))
    #expect(text.contains("not in this run"))  // no TD3 among the main methods
    #expect(text.contains("seed-1/stages/train-batch_rl_mtf.json"))
    #expect(text.contains("behavior_cloning") && text.contains(", p 0."))
  }

  @Test("folders without a finished run and sweeps that cannot be read are told by name")
  func wrongInput() throws {
    let scratch = try ScratchFolder()
    let empty = scratch.file("empty")
    try DurableFiles.makeFolders(empty)
    try AmalgamProcess(["report", empty])
      .expectError(2, saying: empty, "results.json", "seeds.json", "amalgam reproduce")
    try DurableFiles.write("{\"schema\": 1", to: "\(empty)/results.json")
    try AmalgamProcess(["report", empty]).expectError(2, saying: "results.json")
    #expect(!DurableFiles.exists("\(empty)/report"))
  }

  @Test("without gnuplot the report fails, what to install is told, and what was there stays")
  func noGnuplot() throws {
    let scratch = try ScratchFolder()
    let run = scratch.file("run")
    try Self.writeSmallRun(run)
    #expect(try AmalgamProcess(["report", run]).status == 0)
    let before = try DurableFiles.readText("\(run)/report/index.html")
    let bare = scratch.file("bin")
    try DurableFiles.makeFolders(bare)
    for program in ["env"] {
      try FileManager.default.createSymbolicLink(
        atPath: "\(bare)/\(program)", withDestinationPath: "/usr/bin/\(program)")
    }
    try AmalgamProcess(["report", run], searchPath: bare)
      .expectError(1, saying: "gnuplot", "gnuplot-nox")
    #expect(try DurableFiles.readText("\(run)/report/index.html") == before)
    #expect(try DurableFiles.names(inFolder: run).sorted() == ["report", "results.json", "stages"])
    // A sweep that cannot be read, and a folder that is no report.
    try DurableFiles.makeFolders("\(run)/sweeps/broken")
    try DurableFiles.write("{\"schema\": 1}", to: "\(run)/sweeps/broken/sweep.json")
    try AmalgamProcess(["report", run])
      .expectError(2, saying: "sweeps/broken/sweep.json", "algorithm")
    try DurableFiles.remove("\(run)/sweeps")
    try AmalgamProcess(["report", run, "--output", "\(run)/stages"])
      .expectError(2, saying: "stages", "holds no report")
    try AmalgamProcess(["report", run, "--sweep", scratch.file("none")])
      .expectError(2, saying: "none/sweep.json")
  }

  /// The least that a finished run holds.
  private static func writeSmallRun(_ run: String) throws {
    try DurableFiles.makeFolders("\(run)/stages")
    let value = "{\"value\": 4, \"low\": 3.5, \"high\": 4.5}"
    try DurableFiles.write(
      """
      [{"method": "best_static", "sessionReturn": \(value), "appMinutes": \(value), \
      "positiveRate": \(value)}]
      """, to: "\(run)/stages/truth.json")
    try DurableFiles.write("{\"rows\": []}", to: "\(run)/stages/anchors.json")
    try DurableFiles.write(
      """
      {"schema": 1, "preset": "small", "seed": 1,
       "dataset": {"name": "<log> & 'more'", "impressions": 3, "users": 2},
       "multi_task": [], "training": [], "offline": [], "truth": [], "online": [], "actions": []}
      """, to: "\(run)/results.json")
  }
}
