import BatchRL
import DurableFiles
import ExperimentReports
import UserSimulator

/// What a finished run of `reproduce` left, with one seed or several.
struct FinishedRun {
  /// One seed.
  struct Seed {
    /// Its folder, as a reader of the report knows it: below the run's.
    var name: String
    var results: ReproductionResults
    var truth: [Reproduction.TrueRow]
    var anchors: PlatformCheck
    /// Training by method, in the order of training.
    var training: [Reproduction.StoredSummary]
    /// What searches spent, by method.
    var searches: [(method: String, found: PlatformSearch.Found)]
  }

  let path: String
  let seeds: [Seed]

  /// Reads a run's folder.
  ///
  /// - Throws: `CommandFailure.usage` for a folder without a finished run; what reading its files
  ///   throws, which names the file.
  init(path: String) throws {
    self.path = path
    let study = "\(path)/seeds.json"
    if DurableFiles.exists(study) {
      let numbers = try JSONFile.read(SeedStudy.self, from: study, inSnakeCase: true).seeds
      seeds = try numbers.map { try Self.seed("\(path)/seed-\($0)", name: "seed-\($0)/") }
    } else if DurableFiles.exists("\(path)/results.json") {
      seeds = [try Self.seed(path, name: "")]
    } else {
      throw CommandFailure.usage(
        "\(path): neither results.json nor seeds.json is there; expected the folder of a finished "
          + "`amalgam reproduce`")
    }
    let methods = seeds.map { $0.truth.map(\.method) }
    guard let first = methods.first, !first.isEmpty, methods.allSatisfy({ $0 == first }) else {
      throw CommandFailure.usage(
        "\(path): expected the same methods in every seed, found \(methods)")
    }
  }

  private static func seed(_ path: String, name: String) throws -> Seed {
    func stage<Found: Decodable>(_ stage: String, _ type: Found.Type) throws -> Found {
      try JSONFile.read(type, from: "\(path)/stages/\(stage).json")
    }
    let results = try ResultsFile.read("\(path)/results.json")
    return Seed(
      name: name, results: results,
      truth: try stage("truth", [Reproduction.TrueRow].self),
      anchors: try stage("anchors", PlatformCheck.self),
      training: try results.training.map {
        try stage("train-\($0.method)", Reproduction.StoredSummary.self)
      },
      searches: try results.truth.compactMap { row in
        guard let method = Reproduction.Method(rawValue: row.method),
          let name = method.searchStage, DurableFiles.exists("\(path)/stages/\(name).json")
        else { return nil }
        return (row.method, try stage(name, PlatformSearch.Found.self))
      })
  }

  /// The methods, the reference first.
  var methods: [String] { seeds[0].truth.map(\.method) }

  /// What is measured of a method, once a seed.
  enum Measure: String {
    case conservative = "V̂ (conservative)"
    case fitted = "V̂ (fitted Q)"
    case sessionReturn = "true session return"
    case appMinutes = "true app time"
    case positiveRate = "true UPIRate"
    case onlineAppTime = "A/B ADTime"
    case onlinePositiveRate = "A/B UPIRate"
    case finalValue = "Q at the end of training"
    case finalDeviation = "deviation of Q"
    case saturation = "share of weights at the bounds"

    /// Whether it is a lift over the reference, as a fraction.
    var isLift: Bool {
      switch self {
      case .sessionReturn, .appMinutes, .positiveRate, .onlineAppTime, .onlinePositiveRate: true
      case .conservative, .fitted, .finalValue, .finalDeviation, .saturation: false
      }
    }
  }

  /// A measure of a method in each seed; nil where it is not known.
  func values(_ method: Reproduction.Method, _ measure: Measure) -> [Double?] {
    seeds.map { value(of: method.rawValue, measure, in: $0) }
  }

  private func value(of method: String, _ measure: Measure, in seed: Seed) -> Double? {
    func offline(_ estimator: String) -> Double? {
      seed.results.offline.first { $0.method == method && $0.estimator == estimator }?.value
    }
    func gain(
      _ gain: KeyPath<Reproduction.TrueRow, Reproduction.TrueRow.Value?>,
      of value: KeyPath<Reproduction.TrueRow, Reproduction.TrueRow.Value>
    ) -> Double? {
      guard let row = seed.truth.first(where: { $0.method == method }),
        let base = seed.truth.first?[keyPath: value].value, base != 0
      else { return nil }
      return row[keyPath: gain].map { $0.value / base }
    }
    let online = seed.results.online.first { $0.method == method }
    let report = seed.training.first { $0.method == method }?.reports.last
    switch measure {
    case .conservative: return offline("conservative")
    case .fitted: return offline("fitted Q")
    case .sessionReturn: return gain(\.sessionReturnGain, of: \.sessionReturn)
    case .appMinutes: return gain(\.appMinutesGain, of: \.appMinutes)
    case .positiveRate: return gain(\.positiveRateGain, of: \.positiveRate)
    case .onlineAppTime: return online?.adTime.lift
    case .onlinePositiveRate: return online?.upi.lift
    case .finalValue: return report?.decisionValues?.mean
    case .finalDeviation: return report?.decisionValues?.deviation
    case .saturation: return report?.decisions.saturationShare
    }
  }
}
