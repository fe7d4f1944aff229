import DurableFiles
import Foundation
import FusionMDP
import SessionLogs
import Testing

/// Measures; `Docs/FileFormats.md` has the numbers. It asserts only what no machine's load changes.
@Suite("A log of segments: speed", .serialized)
struct SegmentedLogSpeedTests {
  /// Twelve tasks, thirty state features, ten items shown: a line of about 1.9 kB.
  private static func decision(_ id: String) -> DecisionEvent {
    DecisionEvent(
      requestID: id, userID: "user", timeMilliseconds: 1_700_000_000_000, policyVersion: "p",
      state: (0..<30).map { Float($0) / 7 }, action: (0..<12).map { Float($0) / 13 },
      logPropensity: -1.25, shown: (0..<10).map { "item \($0)" },
      taskScores: (0..<120).map { Float($0) / 121 })
  }

  @Test(
    "decisions a second by policy and number of callers",
    arguments: [
      SegmentedLogOptions.SyncPolicy.everyWrite, .interval(milliseconds: 10),
      .interval(milliseconds: 100),
    ], [1, 16, 256])
  func throughput(policy: SegmentedLogOptions.SyncPolicy, callers: Int) async throws {
    let folder = try TemporaryFolder()
    let writer = try SegmentedLogWriter(
      folder: folder.path, schema: LogSchema(stateNames: (0..<30).map { "s\($0)" }),
      options: SegmentedLogOptions(syncPolicy: policy)
    ) { 0 }
    let event = Self.decision("request")
    let count = (policy == .everyWrite ? (callers == 1 ? 300 : 5000) : 20_000) / callers * callers
    let start = DispatchTime.now().uptimeNanoseconds
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<callers {
        group.addTask {
          for _ in 0..<count / callers { try await writer.append(event) }
        }
      }
      try await group.waitForAll()
    }
    try await writer.flush()
    let seconds = Double(DispatchTime.now().uptimeNanoseconds - start) / 1e9
    let metrics = writer.metrics
    try await writer.close()
    let bytes = try DurableFiles.read(SessionLogFolder(path: folder.path).decisionsPaths[0]).count
    print(
      """
      segments: \(policy), \(callers) callers: \(Int(Double(count) / seconds)) lines a second of \
      \(bytes / count) bytes, \(metrics.syncs) syncs, \(metrics.waits) waits
      """)
    #expect(metrics.decisions == count)
  }
}
