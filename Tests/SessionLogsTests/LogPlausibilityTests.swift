import DurableFiles
import Foundation
import FusionMDP
import SeededRandom
import SessionLogs
import Testing

/// A log of uniform actions on [−1, 1]², as it should be, and what happens when it is not.
@Suite("Plausibility of a log")
struct LogPlausibilityTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// - Parameters:
  ///   - propensity: of an action; that of uniform actions is −2·log 2.
  private func log(
    users: Int = 20, propensity: (Int) -> Double? = { _ in -2 * 0.6931471805599453 },
    action: (inout RandomStream) -> [Float] = { stream in
      (0..<2).map { _ in Float(stream.next() >> 40) / Float(1 << 23) - 1 }
    },
    play: Float = 5, duration: Float = 10, start: Int64 = 1_700_000_000_000,
    pause: Int64 = 60_000, delay: Int64 = 10, behaviors: ((Int) -> [Float])? = nil
  ) throws -> SessionLogFolder {
    var stream = RandomStream(seed: 3, name: "actions")
    var (decisions, feedback): ([DecisionEvent], [FeedbackEvent]) = ([], [])
    for index in 0..<200 {
      let user = "u\(index % users)"
      let time = start + Int64(index / users) * pause + Int64(index)
      var event = smallDecision("r\(index)", user: user, at: time, shown: ["a"])
      event.action = action(&stream)
      event.logPropensity = propensity(index)
      decisions.append(event)
      feedback.append(
        smallFeedback(
          "r\(index)", user: user, at: time + 10, arrival: time + 10 + delay, play: play,
          duration: duration,
          behaviors: behaviors?(index)
            ?? [Float(index % 2), play >= duration ? 1 : 0, play < 3 ? 1 : 0]))
    }
    return try writeLog(
      folder.path + "/log-\(UUID().uuidString)", decisions, feedback)
  }

  private func kinds(_ log: SessionLogFolder) throws -> [LogWarning.Kind] {
    let validation = try LogValidation(of: log)
    #expect(validation.isValid(strictly: true), "\(validation.irregularities)")
    // Finished and skip are constant here, as all items are played alike.
    return validation.warnings.map(\.kind).filter { $0 != .behaviorConstant }
  }

  private func uses(_ log: SessionLogFolder) throws -> [String: Bool] {
    Dictionary(
      uniqueKeysWithValues: try LogValidation(of: log).uses.uses.map { ($0.name, $0.possible) })
  }

  @Test("a good log has no warning and can be used for everything")
  func good() throws {
    let log = try log()
    #expect(try kinds(log) == [])
    #expect(try uses(log).values.allSatisfy { $0 })
  }

  @Test("densities all one, constant, halved, too large and unknown are told apart")
  func propensities() throws {
    let uniform = -2 * 0.6931471805599453
    #expect(try kinds(log { _ in 0 }) == [.propensitiesAllOne])
    #expect(try kinds(log { _ in -1 }) == [.propensitiesConstant])
    #expect(
      try kinds(log { uniform - 0.6931471805599453 + ($0 == 0 ? 1e-9 : 0) })
        == [.propensitiesTooSmall])
    #expect(try kinds(log { $0 < 3 ? 12.5 : uniform }) == [.propensitiesTooLarge])
    let unknown = try log { $0 < 50 ? nil : uniform }
    let found = try kinds(unknown)
    #expect(found == [.propensitiesUnknown], "\(found)")
    let warning = try LogValidation(of: unknown).warnings[0]
    #expect(warning.share == 0.25 && warning.of == "decisions")
    #expect(try uses(unknown)["logged_propensities"] == true)
    #expect(try uses(log { _ in 0 })["logged_propensities"] == false)
    #expect(try uses(log { _ in nil })["logged_propensities"] == false)
    #expect(try uses(log { _ in nil })["fitted_propensities"] == true)
  }

  @Test("one user, actions without variation, and wrong units are warned of")
  func actionsAndUnits() throws {
    #expect(try kinds(log(users: 1)) == [.oneUser])
    let still = try log(action: { _ in [0.5, -0.5] })
    #expect(try kinds(still).contains(.actionsConstant))
    #expect(try uses(still)["training"] == false)
    let half = try log(action: { [0.5, Float($0.next() >> 40) / Float(1 << 23) - 1] })
    #expect(try kinds(half).contains(.actionsConstant))
    #expect(try LogValidation(of: half).warnings.contains { $0.finding.contains("click") })
    #expect(try uses(half)["training"] == true)
    #expect(try kinds(log(play: 5000)) == [.playTimeUnit, .secondsUnit])
    #expect(try kinds(log(play: 500, duration: 50_000)) == [.secondsUnit])
    #expect(try kinds(log(start: 1_700_000_000)) == [.timeUnit])
    // The other way: plays that are a thousandth of their duration, and milliseconds read as minutes.
    #expect(try kinds(log(play: 0.06, duration: 60)) == [.playTimeUnit])
    #expect(try kinds(log(play: 0.04, duration: 1)) == [.secondsUnit])
  }

  @Test("feedback that is known at once, sessions of one request and behaviors that never vary")
  func arrivalsAndSessions() throws {
    #expect(try kinds(log(delay: 0)) == [.arrivalNotLogged])
    // An hour between the requests of a user.
    #expect(try kinds(log(pause: 3_600_000)) == [.singleRequestSessions])
    func constant(_ behaviors: @escaping (Int) -> [Float]) throws -> LogWarning? {
      try LogValidation(of: log(behaviors: behaviors)).warnings.first {
        $0.kind == .behaviorConstant
      }
    }
    // Five of ten seconds: neither finished nor skipped.
    #expect(
      try constant { [Float($0 % 2), 0, 0] }?.finding
        == "the same in every event: finished, skip")
    let all = try constant { _ in [1, 0, 0] }
    #expect(all?.finding == "the same in every event: click, finished, skip")
    #expect(all?.share == 1 && all?.of == "feedback")
  }

  @Test("coverage of two weights: moments, quantiles, dimensions and box share by hand")
  func coverage() throws {
    // a_0 takes −1, −0.5, 0, 0.5, 1 in turn; a_1 = −a_0.
    var index = 0
    let log = try log(action: { _ in
      defer { index += 1 }
      let value = Float(index % 5) / 2 - 1
      return [value, -value]
    })
    let actions = try #require(LogDescription(of: log).actions)
    let weight = actions.weights[0]
    #expect(weight.name == "click" && abs(weight.mean) < 1e-9)
    #expect(abs(weight.deviation - 0.5.squareRoot()) < 1e-6)
    #expect(weight.low == -1 && weight.median == 0 && weight.high == 1)
    #expect(weight.lowerQuartile == -0.5 && weight.upperQuartile == 0.5)
    #expect(weight.atBounds == 0.4)
    // One line: (½ + ½)² / (¼ + ¼ + 2·¼) = 1; both middle nine tenths are the whole side.
    #expect(abs(actions.effectiveDimension - 1) < 1e-6 && actions.boxShare == 1)
    let arm = try LogDescription(of: log).policyVersions[0]
    #expect(arm.actions == actions)
  }
}
