import DenseKernels
import FusionMDP
import MultiTaskModels
import Testing

@Suite("features as of the event")
struct FeatureTests {
  private func flipped(_ log: ImpressionColumns, rows: some Sequence<Int>) -> ImpressionColumns {
    var log = log
    for row in rows {
      for k in 0..<11 { log.labels[row, k] = 1 - log.labels[row, k] }
      log.labels[row, 11] = 5 - log.labels[row, 11]
    }
    return log
  }

  @Test("labels of an impression and of all later ones change none of its features")
  func futureLabels() {
    let log = SmallLog.impressions()
    let before = SmallLog.features(log).numbers
    for row in stride(from: 1, to: log.count, by: 7) {
      let changed = flipped(log, rows: row..<log.count)
      let after = SmallLog.features(changed).numbers
      #expect(after.rows(0..<row + 1) == before.rows(0..<row + 1), "row \(row)")
    }
  }

  @Test("a training row's features do not change when its own label flips, those behind it do")
  func ownLabel() {
    let log = SmallLog.impressions()
    let before = SmallLog.features(log).numbers
    for row in 0..<40 {
      let after = SmallLog.features(flipped(log, rows: [row])).numbers
      #expect(after.row(row) == before.row(row), "row \(row)")
      #expect(after != before, "nothing reads the label of row \(row)")
    }
  }

  @Test("impressions of one time stamp do not see each other's labels")
  func sameTime() {
    var log = SmallLog.impressions()
    log.users[1] = 3
    log.users[2] = 3  // rows 1 and 2 share a time
    #expect(log.timesMilliseconds[1] == log.timesMilliseconds[2])
    let before = SmallLog.features(log).numbers
    let after = SmallLog.features(flipped(log, rows: [1])).numbers
    #expect(after.row(2) == before.row(2))
  }

  @Test("a held-out row's label enters nothing, not even the features of later rows")
  func heldOut() {
    let log = SmallLog.impressions(60, training: 40)
    let before = SmallLog.features(log).numbers
    let after = SmallLog.features(flipped(log, rows: 40..<60)).numbers
    #expect(after == before)
  }

  @Test("every column has a name of its own")
  func names() {
    let features = SmallLog.features(SmallLog.impressions())
    let builder = SmallLog.builder
    #expect(builder.numberNames.count == features.numbers.columns)
    #expect(Set(builder.numberNames).count == builder.numberNames.count)
    #expect(builder.categoryNames.count == features.categories.count)
  }

  @Test("counts and smoothed rates are those worked by hand")
  func values() throws {
    var log = SmallLog.impressions(2)
    log.users = [0, 0]
    log.videos = [2, 4]
    log.timesMilliseconds = [3_600_000, 7_200_000]
    log.labels[0, 0] = 1
    let features = SmallLog.features(log)
    let names = SmallLog.builder.numberNames
    func value(_ row: Int, _ name: String) throws -> Float {
      features.numbers[row, try #require(names.firstIndex(of: name))]
    }
    #expect(try value(0, "user.count") == 0)
    #expect(abs(try value(1, "user.count") - 0.693147) < 1e-5)  // log(1 + 1)
    // Overall rate (1 + 0.1·10)/(1 + 10) = 2/11; odds (1 + 5·2/11)/(1 − 1 + 5·9/11) = 21/45.
    #expect(abs(try value(1, "user.click") - -0.762140) < 1e-5)
    #expect(abs(try value(1, "video.click") - -1.504077) < 1e-5)  // prior alone: log(2/9)
    #expect(abs(try value(1, "video.duration_seconds") - 4.499810) < 1e-5)  // log 90
    #expect(abs(try value(1, "minutes_since_last_seen") - 4.110874) < 1e-5)  // log(1 + 60)
    #expect(abs(try value(0, "user.history.shown") - 1.386294) < 1e-5)  // log(1 + 3)
    #expect(try value(0, "user.log_fans") == 1 && value(0, "video.aspect_ratio") == 1)
  }

  @Test("a candidate pair has the features that its impression would have")
  func pairs() {
    var log = SmallLog.impressions(50)
    log.users[49] = 4
    var builder = SmallLog.builder
    _ = builder.features(of: log)
    let blocks = builder.pairBlocks(users: [1, 4], videos: [6, 0, 3])
    let context = ServingContext(surface: 2, hour: 7, hoursSinceLastSeen: 2)
    let pairs = builder.features(ofUserAt: 1, in: blocks, context: context)
    // The same pair as a further row of the log, two hours after the user was last seen.
    let end = log.timesMilliseconds[49] + 7_200_000
    log.users.append(4)
    log.videos.append(0)
    log.timesMilliseconds.append(end)
    log.hours.append(7)
    log.surfaces.append(2)
    log.isTraining.append(false)
    log.labels = Matrix(
      rows: 51, columns: 12, values: log.labels.values + [Float](repeating: 0, count: 12))
    let row = SmallLog.features(log)
    for c in 0..<row.numbers.columns {
      #expect(row.numbers[50, c] == pairs.numbers[1, c], "\(SmallLog.builder.numberNames[c])")
    }
    #expect(row.categories.map { $0[50] } == pairs.categories.map { $0[1] })
  }
}

@Suite("encoding of inputs")
struct InputEncoderTests {
  @Test("rare and unknown values share vector 0, ids are hashed into their buckets")
  func vocabulary() {
    let own = CategoryVocabulary(
      counting: [7, 7, 3, 3, 3, 9, -1, -1], minimumCount: 2, buckets: nil)
    #expect(own.known == [3, 7] && own.size == 3)
    #expect([3, 7, 9, -1, 1000].map { own.index(of: $0) } == [1, 2, 0, 0, 0])
    let hashed = CategoryVocabulary(
      counting: (0..<100).flatMap { [$0, $0] }, minimumCount: 2, buckets: 8)
    #expect(hashed.size == 9 && hashed.index(of: 500) == 0)
    #expect(Set((0..<100).map { hashed.index(of: $0) }) == Set(1...8))
  }

  @Test("numbers of the fitted rows have mean 0 and deviation 1; constants become 0")
  func normalization() {
    let rows = FeatureRows(
      numbers: Matrix(rows: 4, columns: 2, values: [1, 7, 3, 7, 5, 7, 7, 7]),
      categories: [[1, 1, 2, 2]])
    let encoder = InputEncoder(fittedTo: rows, idCategories: [false], minimumCount: 2)
    let encoded = encoder.encode(rows)
    // mean 4, deviation √5
    let expected: [Float] = [-3, 0, -1, 0, 1, 0, 3, 0].map { $0 / Float(5).squareRoot() }
    for (value, wanted) in zip(encoded.numbers.values, expected) {
      #expect(abs(value - wanted) < 1e-6)
    }
    #expect(encoded.indices == [[1, 1, 2, 2]])
    let far = FeatureRows(
      numbers: Matrix(rows: 1, columns: 2, values: [1000, -1000]), categories: [[5]])
    #expect(encoder.encode(far).numbers.values == [5, -5])
    #expect(encoder.encode(far).indices == [[0]])
  }
}
