import DurableFiles
import FusionMDP
import SessionLogs
import UserSimulator

/// Writes the sessions of a simulated platform as a session log, with the writer that a real
/// service uses.
struct SessionRecorder {
  /// The platform and how logs call its users and videos.
  let folder: PlatformFolder
  /// What the log calls the policy.
  let policyVersion: String
  /// The experiment that the log names, if any.
  let experiment: String?
  /// The arm of a user by hash; nil for none.
  let arm: (UInt64) -> String?

  /// What a recording holds.
  struct Counts: Codable {
    var requests: Int
    var feedback: Int
    var sessions: Int
    var bytes: Int
  }

  /// Runs a policy and writes what was served; the log appears whole or not at all.
  ///
  /// - Throws: `SessionLogError`, `DurableFileError`; `CommandFailure.interrupted` on Ctrl-C.
  func record(
    policy: any FusionPolicy, users: [Int], from state: PlatformState, days: Int, seed: UInt64,
    threads: Int, to path: String, progress: ProgressLine? = nil
  ) throws -> Counts {
    let platform = folder.platform
    let schema = try LogSchema(stateNames: platform.encoder.names)
    let isNew = !DurableFiles.exists(path)
    let writer = try SessionLogWriter(folder: path, schema: schema)
    var requests = 0
    do {
      let run = try platform.run(
        policy: policy, users: users, from: state, days: days, seed: seed, threads: threads
      ) { (request: ServedRequest) throws in
        try write(request, to: writer)
        requests += 1
        if requests.isMultiple(of: 4096) {
          try Interruption.shared.check("stopped while writing sessions")
          progress?.update(requests)
        }
      }
      let end = run.state.startMilliseconds
      try writer.finish(windowEndMilliseconds: end)
      return Counts(
        requests: requests, feedback: writer.feedbackCount, sessions: run.sessions.count,
        bytes: writer.byteCount)
    } catch {
      writer.abandon()
      if isNew { try? DurableFiles.remove(path) }
      throw error
    }
  }

  private func write(_ served: ServedRequest, to writer: SessionLogWriter) throws {
    let user = folder.userIDs[served.user]
    let request = "\(user)-\(served.session)-\(served.ordinal)"
    let items = served.shown.map { folder.videoIDs[$0] }
    try writer.write(
      DecisionEvent(
        requestID: request, userID: user, timeMilliseconds: served.timeMilliseconds,
        policyVersion: policyVersion, experiment: experiment, arm: arm(served.userHash),
        state: served.state, action: served.action, logPropensity: served.logPropensity,
        shown: items, taskScores: served.taskScores))
    for position in items.indices {
      try writer.write(
        FeedbackEvent(
          requestID: request, userID: user, itemID: items[position], position: position,
          timeMilliseconds: served.feedbackMilliseconds[position],
          arrivalTimeMilliseconds: served.feedbackMilliseconds[position],
          feedback: served.feedback[position]))
    }
  }
}
