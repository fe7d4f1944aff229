import DurableFiles
import Foundation
import FusionMDP
import SessionLogs
import Testing

/// A limit on the size of files stands for a full disk: the write fails in the middle of a file.
/// (`DurableFiles` is tested with ENOSPC itself.)
@Suite("a full disk")
struct FullDiskTests {
  private let scratch: ScratchFolder

  init() throws { scratch = try ScratchFolder() }

  /// 40 sessions of two requests, each session a day after the one before it.
  private func writeLog() throws {
    let writer = try SessionLogWriter(
      folder: scratch.file("log"),
      schema: LogSchema(stateNames: ["a", "b"], windowEndMilliseconds: 4_000_000_000))
    for request in 0..<80 {
      let time = Int64(request / 2 * 86_400_000 + request % 2 * 60_000)
      let user = "u\(request / 2)"
      try writer.write(
        DecisionEvent(
          requestID: "r\(request)", userID: user, timeMilliseconds: time, policyVersion: "p",
          state: [1, 2], action: [Float](repeating: 0, count: 12), logPropensity: nil,
          shown: ["x"], taskScores: [Float](repeating: 0.5, count: 12)))
      try writer.write(
        FeedbackEvent(
          requestID: "r\(request)", userID: user, itemID: "x", position: 0,
          timeMilliseconds: time + 1000, arrivalTimeMilliseconds: time + 1000,
          feedback: UserFeedback(playSeconds: 30, durationSeconds: 60, click: true)))
    }
    try writer.finish()
  }

  @Test("prepare leaves nothing half-written, and the old result where there was one")
  func prepare() throws {
    try writeLog()
    let call = ["prepare", scratch.file("log"), "--output", scratch.file("out")]
    let before = try scratch.listing()
    // Shards of 72 transitions are larger than 4 blocks; their headers alone are not.
    for blocks in [2, 4] {
      let run = try AmalgamProcess(call, fileSizeLimit: blocks)
      #expect(run.status == 1, "\(run.errors)")
      #expect(run.errors.contains("(EFBIG)"), "\(run.errors)")
      #expect(try scratch.listing() == before)
    }
    #expect(try AmalgamProcess(call).status == 0)
    let after = try scratch.listing()
    #expect(try AmalgamProcess(call, fileSizeLimit: 4).status == 1)
    #expect(try scratch.listing() == after)
  }

  @Test("train fails in order, and goes on with --resume when there is room")
  func train() throws {
    try writeLog()
    let prepared = try AmalgamProcess([
      "prepare", scratch.file("log"), "--output", scratch.file("out"),
    ])
    #expect(prepared.status == 0)
    let call = [
      "train", "--algorithm", "behavior_cloning", "--data", scratch.file("out/train"), "--output",
      scratch.file("run"), "--resume", "--set", "training.stepCount=20", "--set",
      "training.batchSize=8", "--set", "learners.behaviorCloning.hidden=[16]",
    ]
    // Room for the configuration, not for the checkpoint.
    let full = try AmalgamProcess(call, fileSizeLimit: 8)
    #expect(full.status == 1 && full.errors.contains("(EFBIG)"), "\(full.errors)")
    #expect(try !scratch.listing().contains { $0.contains(".partial") })
    #expect(!DurableFiles.exists(scratch.file("run/policy")))
    #expect(!DurableFiles.exists(scratch.file("run/stages/train.json")))
    let resumed = try AmalgamProcess(call)
    #expect(resumed.status == 0, "\(resumed.errors)")
    #expect(DurableFiles.exists(scratch.file("run/policy/manifest.json")))
  }
}
