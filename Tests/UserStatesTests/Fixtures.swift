import Foundation
import FusionMDP
import SeededRandom
import Synchronization
import UserStates

/// A folder that is removed with the last reference to it.
final class TemporaryFolder: Sendable {
  let path: String

  init() throws {
    path =
      FileManager.default.temporaryDirectory
      .appendingPathComponent("amalgam-users-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// The path of a file in the folder.
  func file(_ name: String) -> String { "\(path)/\(name)" }

  /// All bytes of all files.
  func contents() throws -> Data {
    try FileManager.default.contentsOfDirectory(atPath: path).reduce(into: Data()) {
      $0 += try Data(contentsOf: URL(fileURLWithPath: file($1)))
    }
  }
}

/// A clock that a test moves.
final class ManualClock: Sendable {
  static let start: Int64 = 1_700_000_000_000
  private let hours = Mutex((passed: Int64(0), wrong: Int64(0), readings: UInt64(0)))

  var time: Int64 { hours.withLock { Self.start + ($0.passed + $0.wrong) * 3_600_000 } }

  /// Lets hours pass.
  func advance(hours count: Int64) { hours.withLock { $0.passed += count } }

  /// Sets the clock wrong, without time passing.
  func jump(hours count: Int64) { hours.withLock { $0.wrong += count } }

  var clock: UserStateClock {
    UserStateClock(
      milliseconds: { self.time },
      nanoseconds: {
        // A microsecond a reading, so that something passes, whatever else the machine does.
        self.hours.withLock {
          $0.readings += 1
          return $0.readings * 1000 + UInt64($0.passed) * 3_600_000_000_000
        }
      })
  }
}

extension UserStateClock {
  static let system = UserStateClock(
    milliseconds: { Int64(Date().timeIntervalSince1970 * 1000) },
    nanoseconds: { DispatchTime.now().uptimeNanoseconds })
}

/// The state that the stores of these tests hold.
enum TestUsers {
  static let definition = StateDefinition(
    profile: [ProfileFeature(name: "age"), ProfileFeature(name: "fans", log: true)],
    history: HistoryFeatures(decays: [24], topics: .init(values: ["cats", "cars"])))

  static func encoder() throws -> StateEncoder { try StateEncoder(definition) }

  /// Interaction number `index` of a user, the same in every process.
  static func interaction(_ index: Int, _ encoder: StateEncoder) -> Interaction {
    var stream = RandomStream(seed: UInt64(index), name: "interaction")
    let time = ManualClock.start + Int64(index) * 1000
    return Interaction(
      timeMilliseconds: time, requestTimeMilliseconds: time - 500,
      playSeconds: Float(stream.uniform(in: 0...90)), playIntegrity: Float(stream.uniform()),
      behaviors: encoder.behaviorNames.map { _ in stream.uniform() < 0.3 ? 1 : 0 },
      topic: ["cats", "cars", "boats", nil][stream.index(below: 4)])
  }

  static func event(_ index: Int, _ encoder: StateEncoder) -> UserFeedbackEvent {
    UserFeedbackEvent(id: "event \(index)", interaction: interaction(index, encoder))
  }

  /// A user with the first so many interactions.
  static func context(_ count: Int, _ encoder: StateEncoder) -> UserContext {
    var context = UserContext(using: encoder)
    for index in 0..<count { context.record(interaction(index, encoder), using: encoder) }
    return context
  }
}

extension UserStateLimits {
  /// The usual limits, changed.
  static func with(_ change: (inout UserStateLimits) -> Void) -> UserStateLimits {
    var limits = UserStateLimits()
    change(&limits)
    return limits
  }

  /// Writes only when told to.
  static let manual = with { $0.writeInterval = .seconds(3600) }
}
