import DurableFiles
import FusionMDP
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
