import Foundation
import Testing

/// Counts that would overflow, or fill all memory before anything is done.
@Suite("counts that are too large")
struct LargeCountTests {
  private static let huge = [Int.max, 1 << 62]

  @Test("every configured count is refused by its key before it is used", arguments: huge)
  func keys(count: Int) throws {
    let fixture = try PlatformFixture()
    let evaluate = ["evaluate", "--data", "x", "--policy", "x"]
    let train = ["train", "--data", "x", "--output", fixture.path("out")]
    let search = ["search", "--platform", fixture.platform, "--output", fixture.path("out")]
    let reproduce = ["reproduce", "--preset", "tiny", "--output", fixture.path("out")]
    for (call, keys) in [
      (["logs", "validate", "x"], ["threads"]),
      (evaluate, ["threads", "evaluation.rounds", "evaluation.batchSize"]),
      (evaluate, ["evaluation.policySamples", "evaluation.fits"]),
      (train, ["training.batchSize", "learners.batchRLMTF.latentsPerAction"]),
      (train, ["learners.batchRLMTF.targetCandidates", "learners.batchRLMTF.actionCandidates"]),
      (search, ["threads", "warmupDays", "search.sessionBudget", "search.usersPerPoint"]),
      (search, ["search.evolutionStrategy.pairs", "search.evolutionStrategy.usersPerPoint"]),
      (search, ["search.crossEntropy.population", "search.grid.levels"]),
      (reproduce, ["threads", "exploration.days", "platform.users", "platform.warmupDays"]),
      (reproduce, ["experiment.baselineDays", "oracle.population", "training.batchSize"]),
    ] {
      for key in keys {
        try AmalgamProcess(call + ["--set", "\(key)=\(count)"]).expectError(
          2, saying: String(key.split(separator: ".").last ?? ""), "\(count)", "expected")
      }
    }
    for (call, key) in [
      (evaluate, "evaluation.hidden"), (train, "learners.batchRLMTF.hidden"),
      (train, "learners.behaviorCloning.hidden"),
    ] {
      try AmalgamProcess(call + ["--set", "\(key)=[8, \(count)]"])
        .expectError(2, saying: "hidden", "\(count)", "16384")
    }
    let log = try AmalgamProcess(["prepare", "x", "--output", "y", "--set", "threads=\(count)"])
    #expect(log.status == 2)
  }

  @Test("every flag that counts is refused by its name before it is used", arguments: huge)
  func flags(count: Int) throws {
    let fixture = try PlatformFixture()
    let run = ["simulate", "run", "--output", fixture.path("out")]
    let fit = ["simulate", "fit", "--output", fixture.path("out")]
    let experiment = ["experiment", "--arm", "a=x", "--arm", "b=y"]
    for (verb, flags) in [
      (run, ["--days", "--warmup-days", "--threads", "--users"]),
      (["simulate", "check"], ["--days", "--threads", "--users"]),
      (fit, ["--threads", "--users"]),
      (experiment, ["--days", "--baseline-days", "--warmup-days", "--threads"]),
    ] {
      for flag in flags {
        try fixture.run(verb, flag, "\(count)")
          .expectError(2, saying: "\(flag) \(count): expected at most ")
      }
    }
  }

  @Test("a platform on which users tire of leaving comes to an end")
  func endlessSessions() throws {
    let fixture = try PlatformFixture()
    var description = try fixture.description()
    var assumptions = description["assumptions"] as? [String: Any] ?? [:]
    assumptions["fatigueExit"] = -1
    description["assumptions"] = assumptions
    try fixture.write(description)
    let run = try fixture.run(["simulate", "check"], "--users", "1", "--days", "1")
    #expect(run.status == 0, "\(run.errors)")
  }
}
