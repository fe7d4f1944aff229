import DurableFiles
import FusionMDP
import SessionLogs
import Testing
import TrajectoryPreparation

@Suite("the play quantile")
struct PlayQuantileTests {
  private static func configuration(_ edges: [Double], _ knots: Int) -> PreparationConfiguration {
    PreparationConfiguration(
      trainFraction: 0.5, playQuantile: PlayQuantileSettings(durationEdges: edges, knots: knots))
  }

  /// Four sessions of one request each, two to train on, the play seconds of two items each (all
  /// items last 100 s). The log's window ends long after.
  private static func log(_ folder: String, test: [Float]) throws -> [Request] {
    [
      Request("a", 0, plays: [60, 120]), Request("b", 1, plays: [180, 60]),
      Request("c", 200, plays: Array(test[..<2])), Request("d", 201, plays: Array(test[2...])),
    ]
  }

  private static func quantiles(_ folder: String?) throws -> [Float] {
    let shards = try TrajectoryShards(folder: try #require(folder))
    let place = try #require(shards.manifest.signals?.firstIndex(of: "play_quantile"))
    return try (0..<shards.transitionCount).map { try #require(shards.feedback(at: $0))[place] }
  }

  @Test("an item's quantile is the middle of its rank among the training items, by hand")
  func byHand() throws {
    let folder = try TemporaryFolder()
    let log = try tinyLog(
      folder.path + "/log", windowEndMinutes: 2000,
      Self.log(folder.path, test: [30, 60, 150, 600]))
    let report = try TrajectoryPreparation.run(
      log: log, output: folder.path + "/out", configuration: Self.configuration([50], 4))
    // Training items, in minutes: 1, 1, 2, 3; the four knots are these. 1: (0 + 2)/8; 2: (2 + 3)/8;
    // 3: (3 + 4)/8.
    #expect(try Self.quantiles(report.trainFolder) == [0.875, 1.125])
    // Test: 0.5 lies below all, 1 as above; 2.5 above three knots, 10 above all.
    #expect(try Self.quantiles(report.testFolder) == [0.25, 1.75])
    let table = try #require(report.train.playQuantiles)
    #expect(table == report.test?.playQuantiles && table.knots == 4)
    #expect(table.classes.map(\.isAll) == [true, false])
    #expect(table.classes[1].fromSeconds == 50 && table.classes[1].toSeconds == nil)
    #expect(table.classes[1].minutes == [1, 2, 3] && table.classes[1].knotsUpTo == [2, 3, 4])
    #expect(table.classes.map(\.items) == [4, 4])
  }

  @Test("nothing of the test window enters the tables or the training set")
  func noLeakage() throws {
    let folder = try TemporaryFolder()
    var tables: [TrajectoryManifest.PlayQuantiles?] = []
    var training: [[UInt8]] = []
    for (name, test) in [("x", [30, 60, 150, 600]), ("y", [9000, 1, 1, 9000])]
      as [(String, [Float])]
    {
      let log = try tinyLog(
        folder.path + "/log-" + name, windowEndMinutes: 2000, Self.log(folder.path, test: test))
      let report = try TrajectoryPreparation.run(
        log: log, output: folder.path + "/out-" + name, configuration: Self.configuration([50], 4))
      tables.append(report.train.playQuantiles)
      training.append(try DurableFiles.read(report.trainFolder + "/shard-00000.safetensors"))
    }
    #expect(tables[0] == tables[1] && tables[0] != nil)
    #expect(training[0] == training[1])
  }

  @Test("a class with fewer training items than knots takes the knots of all")
  func sparse() throws {
    let folder = try TemporaryFolder()
    let log = try tinyLog(
      folder.path + "/log", windowEndMinutes: 2000,
      Self.log(folder.path, test: [30, 60, 150, 600]))
    let report = try TrajectoryPreparation.run(
      log: log, output: folder.path + "/out", configuration: Self.configuration([50], 8))
    #expect(report.train.playQuantiles?.classes.map(\.isAll) == [true])
    // Eight knots of four items: each item twice; the quantiles stay.
    #expect(try Self.quantiles(report.trainFolder) == [0.875, 1.125])
  }

  @Test("each class of duration has its own knots; unknown durations take those of all, by hand")
  func classes() throws {
    let folder = try TemporaryFolder()
    // Item a lasts 10 s, item b 100 s, and one of c's a number of seconds that nobody knows.
    let schema = try tinySchema(windowEnd: 2000 * minute)
    let writer = try SessionLogWriter(folder: folder.path + "/log", schema: schema)
    let plays: [(user: String, minutes: Int64, plays: [Float], durations: [Float])] = [
      ("a", 0, [6, 60], [10, 100]), ("b", 1, [12, 180], [10, 100]),
      ("c", 200, [9, 120], [10, 0]), ("d", 201, [60, 9], [10, 100]),
    ]
    for (number, request) in plays.enumerated() {
      let time = request.minutes * minute
      try writer.write(
        DecisionEvent(
          requestID: "r\(number)", userID: request.user, timeMilliseconds: time,
          policyVersion: "p", state: [0, 0], action: [0], logPropensity: nil, shown: ["a", "b"],
          taskScores: [0.5, 0.25]))
      for position in 0..<2 {
        var event = tinyFeedback(
          "r\(number)", request.user, position, time, request.plays[position])
        event.durationSeconds = request.durations[position]
        try writer.write(event)
      }
    }
    let report = try TrajectoryPreparation.run(
      log: writer.finish(), output: folder.path + "/out",
      configuration: Self.configuration([50], 2))
    // Training items in minutes. Short: 0.1, 0.2; long: 1, 3; of all four, the two knots stand at
    // ranks 1 and 3: 0.1 and 1.
    let table = try #require(report.train.playQuantiles)
    #expect(table.classes.map(\.isAll) == [true, false, false])
    #expect(table.classes.map(\.minutes) == [[0.1, 1], [0.1, 0.2], [1, 3]])
    #expect(table.classes.map(\.items) == [4, 2, 2])
    #expect(table.classes[1].toSeconds == 50 && table.classes[2].fromSeconds == 50)
    // The lower of two knots: (0 + 1)/4; the upper: (1 + 2)/4.
    #expect(try Self.quantiles(report.trainFolder) == [0.5, 1.5])
    // c: 0.15 between the short knots, ½; 2 above both of all, 1. By all knots 0.15 would be ½ too,
    // but d: 1 min of a short item is above both short knots, 1, of all it is the upper, ¾; and
    // 0.15 of a long one is below both, 0, of all between, ½.
    #expect(try Self.quantiles(report.testFolder) == [1.5, 1])
  }

  @Test(
    "the reward weighs it where it was prepared, is refused where not; without it nothing changes")
  func reward() throws {
    let folder = try TemporaryFolder()
    let log = try tinyLog(
      folder.path + "/log", windowEndMinutes: 2000,
      Self.log(folder.path, test: [30, 60, 150, 600]))
    let report = try TrajectoryPreparation.run(
      log: log, output: folder.path + "/out", configuration: Self.configuration([50], 4))
    let reward = SatisfactionReward(weights: [.playMinutes: 1], playQuantileWeight: 2)
    let weighed = try TrajectoryShards(folder: report.trainFolder, reward: reward)
    #expect(weighed.batch(at: [0, 1]).rewards == [4.75, 6.25])
    let clipped = try TrajectoryShards(
      folder: report.trainFolder,
      reward: SatisfactionReward(
        weights: [.playMinutes: 1], transforms: [.playMinutes: SignalTransform(upper: 3.5)]))
    #expect(clipped.batch(at: [0, 1]).rewards == [3, 3.5])
    let plain = try TrajectoryPreparation.run(
      log: log, output: folder.path + "/plain",
      configuration: PreparationConfiguration(trainFraction: 0.5))
    #expect(plain.train.signals?.contains("play_quantile") == false)
    #expect(throws: PreparationError.self) {
      try TrajectoryShards(folder: plain.trainFolder, reward: reward)
    }
    let standard = try TrajectoryShards(folder: report.trainFolder).batch(at: [0, 1]).rewards
    #expect(try TrajectoryShards(folder: plain.trainFolder).batch(at: [0, 1]).rewards == standard)
  }

  @Test("settings that cannot be are refused by name")
  func refusals() throws {
    let folder = try TemporaryFolder()
    let log = try tinyLog(
      folder.path + "/log", windowEndMinutes: 2000, Self.log(folder.path, test: [1, 1, 1, 1]))
    for (edges, knots) in [([7.0, 7], 4), ([], 4), ([7], 1)] {
      let error = #expect(throws: PreparationError.self) {
        try TrajectoryPreparation.run(
          log: log, output: folder.path + "/out",
          configuration: Self.configuration(edges, knots))
      }
      #expect(error?.description.contains("playQuantile.") == true)
    }
  }
}
