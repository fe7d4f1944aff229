import DurableFiles
import Foundation
import FusionMDP
import SessionLogs
import Testing

/// `amalgam VERB … > /dev/full`: a device on which every write finds the disk full.
@Suite("standard output on a full disk")
struct StandardOutputTests {
  private let platform: PlatformFixture
  private let policies: PolicyFixture

  init() throws {
    platform = try PlatformFixture()
    policies = try PolicyFixture()
  }

  /// Runs a verb that succeeds, but whose output nobody gets.
  private func fails(_ arguments: [String]) throws {
    let run = try AmalgamProcess(arguments, outputPath: "/dev/full")
    let call = arguments.prefix(2).joined(separator: " ")
    #expect(run.status == 1, "\(call): \(run.errors)")
    #expect(
      run.errors.contains("error: standard output: cannot be written"), "\(call): \(run.errors)")
  }

  @Test("help, the version and configurations")
  func help() throws {
    try fails(["--help"])
    try fails(["--version"])
    try fails(["train", "--data", "x", "--output", "y", "--print-config"])
    for verb in VerbDescription.all {
      try fails(verb.name.split(separator: " ").map(String.init) + ["--help"])
    }
  }

  @Test("the registry and ranking")
  func policy() throws {
    let (registry, fixed) = (policies.path("registry"), policies.path("fixed"))
    let request = try policies.goodRequest()
    for name in ["a", "b"] {
      try fails(["policy", "add", "--registry", registry, "--as", name, fixed])
      try fails(["policy", "release", "--registry", registry, name])
    }
    try fails(["policy", "list", "--registry", registry])
    try fails(["policy", "list", "--registry", registry, "--json"])
    try fails(["policy", "explain", "--registry", registry, request])
    try fails(["policy", "rollback", "--registry", registry])
    try fails(["rank", "--policy", fixed, request])
  }

  @Test("from the platform to a policy's value; what was written before stays")
  func path() throws {
    let (folder, log) = (platform.platform, platform.path("log"))
    let shards = platform.path("shards")
    for json in [[], ["--json"]] {
      for output in ["log", "run", "best"] { try DurableFiles.remove(platform.path(output)) }
      try fails(
        ["simulate", "run", "--platform", folder, "--days", "2", "--output", log] + json)
      try fails(["simulate", "check", "--platform", folder, "--users", "3", "--days", "1"] + json)
      try fails(
        ["simulate", "fit", "--platform", folder, "--users", "3", "--output", platform.path("fit")]
          + json)
      try fails(["logs", "validate", log] + json)
      try fails(["logs", "describe", log] + json)
      try fails(["prepare", log, "--output", shards] + json)
      try fails(
        [
          "train", "--data", shards + "/train", "--output", platform.path("run"), "--algorithm",
          "behavior_cloning", "--set", "training.stepCount=10", "--set", "training.batchSize=8",
          "--set", "learners.behaviorCloning.hidden=[8]",
        ] + json)
      try fails(
        [
          "evaluate", "--data", shards + "/test", "--policy", policies.path("fixed"), "--set",
          "evaluation.rounds=20", "--set", "evaluation.hidden=[8]", "--set", "evaluation.fits=2",
        ] + json)
      try fails(
        [
          "search", "--platform", folder, "--output", platform.path("best"), "--set",
          "search.sessionBudget=60", "--set", "search.usersPerPoint=10",
        ] + json)
      let fixed = policies.path("fixed")
      try fails(
        [
          "experiment", "--platform", folder, "--arm", "a=\(fixed)", "--arm", "b=\(fixed)",
          "--days", "1", "--baseline-days", "1",
        ] + json)
    }
    #expect(try AmalgamProcess(["logs", "validate", log]).status == 0)
    #expect(DurableFiles.exists(platform.path("run/policy/manifest.json")))
    #expect(DurableFiles.exists(platform.path("best/manifest.json")))
  }

  @Test("the multi-task model")
  func tasks() throws {
    let small = try SmallKuaiRand()
    let common = ["--data", small.data, "--model", small.scratch.file("m")]
    for json in [[], ["--json"]] {
      try fails(
        [
          "tasks", "train", "--data", small.data, "--output", small.scratch.file("m"), "--model",
          "shared_bottom", "--set", "epochs=1", "--set", "members=1",
        ] + json)
      try fails(["tasks", "evaluate"] + common + json)
    }
    try fails(
      ["tasks", "score"] + common
        + ["--users", "0", "--videos", "3", "--output", small.scratch.file("m.jsonl")])
  }
}
