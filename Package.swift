// swift-tools-version:6.2
import PackageDescription

let duckDB = Context.environment["DUCKDB_LIB"] ?? "\(Context.packageDirectory)/.deps/duckdb/lib"

let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .treatAllWarnings(as: .error),
  .strictMemorySafety(),
]

let linkDuckDB: [LinkerSetting] = [
  .unsafeFlags([
    "-L\(duckDB)", "-Xlinker", "--no-as-needed", "-lduckdb", "-Xlinker", "-rpath",
    "-Xlinker", duckDB,
  ])
]

// glibc has vector forms of exp, log and tanh for x86-64; elsewhere the scalar ones are used.
#if arch(x86_64) && os(Linux)
  let vectorFunctions: [LinkerSetting] = [.linkedLibrary("mvec"), .linkedLibrary("m")]
#else
  let vectorFunctions: [LinkerSetting] = [.linkedLibrary("m")]
#endif

let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let arguments = Target.Dependency.product(
  name: "ArgumentParser", package: "swift-argument-parser")

/// A module of this package: its name, what it may import, and nothing else.
func module(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

/// The tests of one module, which may see whatever that module sees.
func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(name: "\(name)Tests", dependencies: dependencies, swiftSettings: strict)
}

let package = Package(
  name: "amalgam",
  platforms: [.macOS(.v15)],
  products: [.executable(name: "amalgam", targets: ["amalgam"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.0.0"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.0.0"),
  ],
  targets: [
    // Layer 0: no knowledge of recommenders.
    module("SeededRandom"),
    .target(
      name: "CVectorMath", cSettings: [.unsafeFlags(["-O3", "-fno-math-errno"])],
      linkerSettings: vectorFunctions),
    .systemLibrary(name: "COneDNN", providers: [.apt(["libdnnl-dev"])]),
    module("DenseKernels", ["CVectorMath", "COneDNN"]),
    .target(name: "CFileExchange"),
    module("DurableFiles", ["CFileExchange"]),
    .target(name: "CDuckDB", linkerSettings: linkDuckDB),
    module("EmbeddedAnalytics", ["CDuckDB"]),

    // Layer 1: the mathematics and the domain.
    module("NeuralNetworks", ["DenseKernels", "SeededRandom"]),
    module("FusionMDP", ["SeededRandom"]),

    // Layer 2: one concern each.
    module("SessionLogs", ["FusionMDP", "EmbeddedAnalytics", "DurableFiles"]),
    module(
      "TrajectoryPreparation",
      ["SessionLogs", "FusionMDP", "SeededRandom", "EmbeddedAnalytics", "DurableFiles"]),
    module("MultiTaskModels", ["NeuralNetworks", "FusionMDP", "SeededRandom", "DenseKernels"]),
    module("UserSimulator", ["FusionMDP", "SeededRandom"]),
    module("FusionSearch", ["SeededRandom"]),
    module("OffPolicyEvaluation", ["NeuralNetworks", "FusionMDP", "SeededRandom", "DenseKernels"]),
    module(
      "PolicyArtifacts",
      ["NeuralNetworks", "FusionMDP", "SeededRandom", "DenseKernels", "DurableFiles", crypto]),

    module("UserStates", ["FusionMDP", "SeededRandom", grdb]),

    // Layer 3: learning and live tests.
    module(
      "BatchRL",
      [
        "PolicyArtifacts", "NeuralNetworks", "FusionMDP", "SeededRandom", "DenseKernels",
        "DurableFiles",
      ]),
    module("OnlineExperiments", ["SeededRandom"]),
    module(
      "RewardFitting",
      ["SessionLogs", "FusionMDP", "SeededRandom", "EmbeddedAnalytics", "DurableFiles"]),

    // Layer 4: what people read, and what answers requests.
    module("ExperimentReports", ["DurableFiles"]),
    module(
      "OnlineServing",
      [
        "FusionMDP", "PolicyArtifacts", "UserStates", "OnlineExperiments", "SessionLogs",
        "SeededRandom",
      ]),

    // Layer 5 and 6: the only place where all parts meet, and main.
    module(
      "AmalgamCommands",
      [
        "SeededRandom", "DenseKernels", "DurableFiles", "NeuralNetworks",
        "FusionMDP", "SessionLogs", "TrajectoryPreparation", "MultiTaskModels", "UserSimulator",
        "FusionSearch", "OffPolicyEvaluation", "PolicyArtifacts", "BatchRL", "OnlineExperiments",
        "ExperimentReports", "RewardFitting", arguments, crypto, yams,
      ]),
    .executableTarget(name: "amalgam", dependencies: ["AmalgamCommands"], swiftSettings: strict),

    tests("SeededRandom", ["SeededRandom"]),
    tests("DenseKernels", ["DenseKernels", "SeededRandom"]),
    tests("DurableFiles", ["DurableFiles"]),
    tests("EmbeddedAnalytics", ["EmbeddedAnalytics"]),
    tests("NeuralNetworks", ["NeuralNetworks", "DenseKernels", "SeededRandom", "DurableFiles"]),
    tests("FusionMDP", ["FusionMDP", "SeededRandom"]),
    tests(
      "SessionLogs",
      ["SessionLogs", "SeededRandom", "FusionMDP", "DurableFiles", "EmbeddedAnalytics"]),
    tests(
      "TrajectoryPreparation",
      [
        "TrajectoryPreparation", "SessionLogs", "FusionMDP", "SeededRandom", "DurableFiles",
        "EmbeddedAnalytics",
      ]),
    tests(
      "MultiTaskModels",
      ["MultiTaskModels", "NeuralNetworks", "FusionMDP", "SeededRandom", "DenseKernels"]),
    tests("UserSimulator", ["UserSimulator", "FusionMDP", "SeededRandom"]),
    tests(
      "FusionSearch",
      ["FusionSearch", "FusionMDP", "NeuralNetworks", "SeededRandom", "DenseKernels"]),
    tests(
      "OffPolicyEvaluation",
      ["OffPolicyEvaluation", "NeuralNetworks", "FusionMDP", "SeededRandom", "DenseKernels"]),
    tests(
      "PolicyArtifacts",
      [
        "PolicyArtifacts", "NeuralNetworks", "FusionMDP", "SeededRandom", "DenseKernels",
        "DurableFiles",
      ]),
    tests(
      "BatchRL",
      [
        "BatchRL", "PolicyArtifacts", "NeuralNetworks", "FusionMDP", "SeededRandom",
        "DenseKernels", "DurableFiles",
      ]),
    tests("UserStates", ["UserStates", "FusionMDP", "SeededRandom", grdb]),
    tests("OnlineExperiments", ["OnlineExperiments", "FusionMDP", "SeededRandom"]),
    tests(
      "RewardFitting",
      ["RewardFitting", "SessionLogs", "FusionMDP", "DurableFiles", "SeededRandom"]),
    tests(
      "OnlineServing",
      [
        "OnlineServing", "PolicyArtifacts", "UserStates", "OnlineExperiments", "SessionLogs",
        "FusionMDP", "SeededRandom", "NeuralNetworks", "DenseKernels",
      ]),
    tests("ExperimentReports", ["ExperimentReports", "DurableFiles", "FusionMDP"]),
    tests(
      "AmalgamCommands",
      [
        "amalgam", "AmalgamCommands", "DurableFiles", "FusionMDP", "SessionLogs",
        "PolicyArtifacts", "SeededRandom", "DenseKernels", "NeuralNetworks",
        "TrajectoryPreparation", "ExperimentReports", "UserSimulator",
      ]),
    .testTarget(name: "TidyTests", swiftSettings: strict),
  ]
)

// Development only: AMALGAM_TARGETS=A,B keeps these targets and what they need.
if let only = Context.environment["AMALGAM_TARGETS"] {
  var wanted = Set(only.split(separator: ",").map(String.init))
  var grown = true
  while grown {
    grown = false
    for target in package.targets where wanted.contains(target.name) {
      for case .byNameItem(let name, _) in target.dependencies where wanted.insert(name).inserted {
        grown = true
      }
    }
  }
  package.targets.removeAll { !wanted.contains($0.name) }
  package.products.removeAll()
  var packages = Set<String>()
  for target in package.targets {
    for case .productItem(_, let name?, _, _) in target.dependencies { packages.insert(name) }
  }
  package.dependencies.removeAll { dependency in
    guard case .sourceControl(_, let location, _) = dependency.kind else { return false }
    return !packages.contains { location.hasSuffix("/\($0)") }
  }
}
