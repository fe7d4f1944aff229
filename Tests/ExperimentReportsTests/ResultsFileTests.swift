import DurableFiles
import ExperimentReports
import Foundation
import Testing

@Suite("results.json, schema 1")
struct ResultsFileTests {
  static let results = ReproductionResults(
    preset: "small", seed: 18_446_744_073_709_551_615,
    dataset: DatasetSummary(name: "kuairand-pure", impressions: 1_436_609, users: 27_285),
    multiTask: [
      TaskQuality(task: "click", auc: 0.752, logLoss: 0.5875, calibrationError: 0.01),
      TaskQuality(task: "watch_time", auc: nil, logLoss: nil, calibrationError: nil),
    ],
    training: [
      TrainingSummary(
        method: "BatchRL-MTF", steps: 20_000, stepsPerSecond: 312.5, qMean: [0.5, 1.25],
        qDeviation: [0.125, 0.25])
    ],
    offline: [
      OfflineEstimate(
        method: "BatchRL-MTF", estimator: "conservative", value: 4.125, low: 4, high: 4.25,
        effectiveSampleSize: 812.5),
      OfflineEstimate(
        method: "best \"static\" weights", estimator: "fitted Q", value: 3.5, low: 3.25,
        high: 3.75, effectiveSampleSize: nil),
    ],
    truth: [TrueValue(method: "BatchRL-MTF", sessionReturn: 4, low: 3.875, high: 4.125)],
    online: [
      OnlineResult(
        method: "best static weights", adTimeMinutes: 61.5, adTime: .undefined, upiRate: 0.03125,
        upi: .undefined),
      OnlineResult(
        method: "BatchRL-MTF", adTimeMinutes: 63,
        adTime: LiftResult(lift: 0.0244140625, low: 0.015625, high: 0.03125, pValue: 1e-06),
        upiRate: nil, upi: LiftResult(lift: -0.125, low: nil, high: nil, pValue: 0.5)),
    ],
    actions: [
      ActionDistribution(
        method: "behavior", task: "click", edges: [-1, 0, 1], counts: [3, 4])
    ])

  /// The layout is a public contract: this text changes only with the schema's number.
  static let golden = """
    {
      "schema": 1,
      "preset": "small",
      "seed": 18446744073709551615,
      "dataset": {
        "name": "kuairand-pure",
        "impressions": 1436609,
        "users": 27285
      },
      "multi_task": [
        {
          "task": "click",
          "auc": 0.752,
          "log_loss": 0.5875,
          "calibration_error": 0.01
        },
        {
          "task": "watch_time",
          "auc": null,
          "log_loss": null,
          "calibration_error": null
        }
      ],
      "training": [
        {
          "method": "BatchRL-MTF",
          "steps": 20000,
          "steps_per_second": 312.5,
          "q_mean": [0.5, 1.25],
          "q_deviation": [0.125, 0.25]
        }
      ],
      "offline": [
        {
          "method": "BatchRL-MTF",
          "estimator": "conservative",
          "value": 4.125,
          "low": 4.0,
          "high": 4.25,
          "effective_sample_size": 812.5
        },
        {
          "method": "best \\"static\\" weights",
          "estimator": "fitted Q",
          "value": 3.5,
          "low": 3.25,
          "high": 3.75,
          "effective_sample_size": null
        }
      ],
      "truth": [
        {
          "method": "BatchRL-MTF",
          "session_return": 4.0,
          "low": 3.875,
          "high": 4.125
        }
      ],
      "online": [
        {
          "method": "best static weights",
          "ad_time_minutes": 61.5,
          "ad_time_lift": null,
          "ad_time_low": null,
          "ad_time_high": null,
          "ad_time_p": null,
          "upi_rate": 0.03125,
          "upi_rate_lift": null,
          "upi_rate_low": null,
          "upi_rate_high": null,
          "upi_rate_p": null
        },
        {
          "method": "BatchRL-MTF",
          "ad_time_minutes": 63.0,
          "ad_time_lift": 0.0244140625,
          "ad_time_low": 0.015625,
          "ad_time_high": 0.03125,
          "ad_time_p": 1e-06,
          "upi_rate": null,
          "upi_rate_lift": -0.125,
          "upi_rate_low": null,
          "upi_rate_high": null,
          "upi_rate_p": 0.5
        }
      ],
      "actions": [
        {
          "method": "behavior",
          "task": "click",
          "histogram": {
            "edges": [-1.0, 0.0, 1.0],
            "counts": [3, 4]
          }
        }
      ]
    }

    """

  static func read(_ text: String) throws -> ReproductionResults {
    try ResultsFile.results(from: Data(text.utf8), named: "results.json")
  }

  @Test("the text is the documented layout, key by key")
  func goldenText() throws {
    #expect(try ResultsFile.text(of: Self.results) == Self.golden)
  }

  @Test("what is written reads back the same")
  func roundTrip() throws {
    #expect(try Self.read(Self.golden) == Self.results)
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("amalgam-results-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appendingPathComponent("results.json").path
    try ResultsFile.write(Self.results, to: path)
    #expect(try ResultsFile.read(path) == Self.results)
  }

  @Test("a name with control characters reads back the same")
  func escapes() throws {
    var results = Self.results
    results.preset = "a\u{1}b\\c\"d\n\té漢"
    #expect(try Self.read(ResultsFile.text(of: results)) == results)
  }

  @Test("a number that is not finite is refused with its place")
  func notFinite() {
    var results = Self.results
    results.training[0].qMean[1] = .infinity
    #expect(
      throws: ResultsError.notFinite(path: "training[0].q_mean[1]", found: .infinity)
    ) { try ResultsFile.text(of: results) }
  }

  @Test("a histogram with as many edges as counts is refused")
  func wrongHistogram() {
    var results = Self.results
    results.actions[0].edges = [0, 1]
    #expect(
      throws: ResultsError.wrongHistogram(path: "actions[0].histogram", edges: 2, counts: 2)
    ) { try ResultsFile.text(of: results) }
  }

  @Test("an unknown key, at any depth, is an error that names it")
  func unknownKey() {
    #expect(
      throws: ResultsError.unknownKey(
        file: "results.json", path: "top level", key: "presets")
    ) {
      try Self.read(
        Self.golden.replacingOccurrences(of: "\"preset\":", with: "\"presets\": 1, \"preset\":"))
    }
    #expect(
      throws: ResultsError.unknownKey(
        file: "results.json", path: "actions[0].histogram", key: "bins")
    ) {
      try Self.read(
        Self.golden.replacingOccurrences(of: "\"counts\":", with: "\"bins\": 2, \"counts\":"))
    }
  }

  @Test("a missing key, even one that may be null, is an error that names it")
  func missingKey() {
    #expect(
      throws: ResultsError.missingKey(
        file: "results.json", path: "offline[1]", key: "effective_sample_size")
    ) {
      try Self.read(
        Self.golden.replacingOccurrences(
          of: "3.75,\n      \"effective_sample_size\": null", with: "3.75"))
    }
  }

  @Test("another schema, another kind of value and cut text are errors")
  func broken() {
    #expect(throws: ResultsError.unknownSchema(file: "results.json", found: 2)) {
      try Self.read(
        Self.golden.replacingOccurrences(of: "\"schema\": 1", with: "\"schema\": 2"))
    }
    do {
      _ = try Self.read(
        Self.golden.replacingOccurrences(of: "\"value\": 3.5", with: "\"value\": \"high\""))
      Issue.record("a text in place of a number was read")
    } catch {
      #expect("\(error)".contains("results.json, offline[1].value"), "\(error)")
    }
    do {
      _ = try Self.read(String(Self.golden.dropLast(300)))
      Issue.record("cut text was read")
    } catch {
      #expect("\(error)".contains("results.json: expected JSON"), "\(error)")
    }
  }
}

@Suite("The terminal's table")
struct TerminalTableTests {
  @Test("rows are aligned, ASCII, and say that the platform is simulated")
  func table() {
    let lines = TerminalTable(ResultsFileTests.results).lines
    #expect(
      Array(lines[2..<7]) == [
        "OFFLINE: estimated from logged test sessions (value [95 % interval])",
        "method                         conservative              fitted Q",
        "---------------------  --------------------  --------------------",
        "BatchRL-MTF            4.125 [4.000, 4.250]                     -",
        "best \"static\" weights                     -  3.500 [3.250, 3.750]",
      ])
    #expect(lines.allSatisfy { $0.allSatisfy(\.isASCII) })
    #expect(lines.contains { $0.hasPrefix("SIMULATED PLATFORM: no real users") })
    let head = lines.first { $0.hasPrefix("method") && $0.contains("ADTime") } ?? ""
    let reference = lines.first { $0.hasPrefix("best static weights") } ?? ""
    let treated = lines.last { $0.hasPrefix("BatchRL-MTF") } ?? ""
    #expect(head.count == reference.count && head.count == treated.count)
    #expect(reference.contains("reference") && reference.contains("3.125%"))
    #expect(treated.contains("+2.44% [+1.56, +3.12]") && treated.contains("<0.0001"))
    #expect(treated.contains("-12.50% [unbounded]"))
  }

  @Test("parts that were not run leave no empty table")
  func partial() {
    let results = ReproductionResults(
      preset: "tiny", seed: 1, dataset: DatasetSummary(name: "log", impressions: 2, users: 1))
    #expect(
      TerminalTable(results).lines == [
        "preset tiny, seed 1, data log: 2 impressions, 1 users"
      ])
  }
}
