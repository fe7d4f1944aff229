import DurableFiles
import Foundation
import FusionMDP
import SessionLogs
import Testing

@Suite("reward fit")
struct RewardVerbTests {
  private let scratch: ScratchFolder

  init() throws { scratch = try ScratchFolder() }

  /// A log of these users, a session of one request every six hours, in which clicks and the next
  /// session's play go together.
  @discardableResult
  private func log(_ name: String, users: Int, sessions: Int = 10) throws -> String {
    let path = scratch.file(name)
    let writer = try SessionLogWriter(
      folder: path,
      schema: try LogSchema(
        tasks: TaskSchema([
          BehaviorTask(name: "click", domain: .probability, polarity: .positive)
        ]),
        stateNames: ["s"], windowEndMilliseconds: 1_000_000_000_000))
    for user in 0..<users {
      var clicked = false
      for session in 0..<sessions {
        let number = user * sessions + session
        let play = Float((number * 7) % 5) + (clicked ? 90 : 30)
        clicked = (number * number + user) % 3 == 0
        let time = Int64(session) * 21_600_000 + Int64(user) * 1000
        try writer.write(
          DecisionEvent(
            requestID: "r\(number)", userID: "u\(user)", timeMilliseconds: time,
            policyVersion: "p", state: [1], action: [0], logPropensity: nil, shown: ["a"],
            taskScores: [0.5]))
        try writer.write(
          FeedbackEvent(
            requestID: "r\(number)", userID: "u\(user)", itemID: "a", position: 0,
            timeMilliseconds: time, arrivalTimeMilliseconds: time,
            feedback: UserFeedback(
              playSeconds: play, durationSeconds: 200, click: clicked,
              like: (number * 5) % 7 == 0)))
      }
    }
    try writer.finish()
    return path
  }

  private static let signals = ["--set", "signals=[play_minutes,click,like]"]

  @Test("the weights are a configuration that training reads, with their intervals beside them")
  func weights() throws {
    let (yaml, report) = (scratch.file("reward.yaml"), scratch.file("reward.json"))
    let fitted = try AmalgamProcess(
      ["reward", "fit", try log("log", users: 12), "--output", yaml, "--report", report]
        + Self.signals)
    #expect(fitted.status == 0, "\(fitted.errors)")
    for part in ["next_session", "next_days", "pooled", "within", "VIF", "click"] {
      #expect(fitted.output.contains(part), "\(part)")
    }
    let read = try AmalgamProcess([
      "train", "--data", "x", "--output", "y", "--config", yaml, "--print-config",
    ])
    #expect(read.status == 0, "\(read.errors)")
    let text = try DurableFiles.readText(yaml)
    let click = try #require(text.firstMatch(of: /\n  click: ([0-9.]+)  # \S+ \[\S+, \S+\]\n/))
    #expect(read.output.contains("click: \(click.1)\n") && Float(click.1) ?? 0 > 0)
    #expect(read.output.contains("\n  skip: 0"))
    let whole = try AmalgamProcess(
      ["reward", "fit", scratch.file("log"), "--json"] + Self.signals)
    #expect(try DurableFiles.readText(report) == whole.output)
  }

  @Test("one user, no user who comes again and an unknown signal are errors with their status")
  func refusals() throws {
    let output = scratch.file("reward.yaml")
    let one = try AmalgamProcess(
      ["reward", "fit", try log("one", users: 1), "--output", output] + Self.signals)
    one.expectError(1, saying: "at least 2 users")
    let once = try AmalgamProcess(
      ["reward", "fit", try log("once", users: 30, sessions: 1)] + Self.signals)
    once.expectError(1, saying: "30 without a next session")
    let log = try log("log", users: 4)
    try AmalgamProcess(["reward", "fit", log, "--set", "signals=[share]"])
      .expectError(2, saying: "share", "play_minutes")
    try AmalgamProcess(["reward", "fit", log, "--set", "horizonDays=0"])
      .expectError(2, saying: "horizonDays")
    try AmalgamProcess(["reward", "fit", log, "--estimate", "neither"])
      .expectError(2, saying: "neither")
    let missing = scratch.file("none.csv")
    try AmalgamProcess([
      "reward", "fit", log, "--set", "controls.activity=file", "--set",
      "controls.activityFile=\(missing)", "--set", "controls.activityColumn=n",
    ]).expectError(2, saying: missing)
    #expect(!DurableFiles.exists(output))
  }

  @Test("activity comes from a file's column; users who are not in it count as 0 and are told")
  func activity() throws {
    let file = scratch.file("activity.csv")
    try DurableFiles.write(
      "user_id,days\n" + (0..<11).map { "u\($0),\($0 * $0)\n" }.joined(), to: file)
    let fitted = try AmalgamProcess(
      [
        "reward", "fit", try log("log", users: 12), "--set", "controls.activity=file", "--set",
        "controls.activityFile=\(file)", "--set", "controls.activityColumn=days",
      ] + Self.signals)
    #expect(fitted.status == 0, "\(fitted.errors)")
    #expect(fitted.output.contains("log_activity"))
    #expect(fitted.output.contains("1 users are not in"))
  }

  @Test("a transform and the play quantile are configured, and a policy keeps them")
  func transforms() throws {
    let data = scratch.file("data")
    let prepared = try AmalgamProcess([
      "prepare", try log("log", users: 12), "--output", data, "--set", "playQuantile.knots=4",
    ])
    #expect(prepared.status == 0, "\(prepared.errors)")
    let trained = try AmalgamProcess([
      "train", "--data", data + "/train", "--algorithm", "behavior_cloning", "--output",
      scratch.file("run"), "--set", "training.stepCount=2", "--set", "training.reportInterval=1",
      "--set", "learners.behaviorCloning.hidden=[8]", "--set",
      "rewardWeights.play_minutes={weight: 0.5, upper: 10, log: 2}", "--set",
      "rewardWeights.play_quantile=0.25", "--set",
      "fusion={formula: log_sum, tasks: [{name: click, domain: probability, polarity: positive, "
        + "lower: 0, upper: 2, bias: 0.45}]}",
    ])
    #expect(trained.status == 0, "\(trained.errors)")
    let manifest = try DurableFiles.readText(scratch.file("run/policy/manifest.json"))
    #expect(manifest.contains("\"play_quantile\" : 0.25") && manifest.contains("\"upper\" : 10"))
    try AmalgamProcess([
      "train", "--data", data + "/train", "--output", scratch.file("other"), "--set",
      "rewardWeights.play_minutes={weight: 0.5, most: 10}",
    ]).expectError(2, saying: "most")
  }
}
