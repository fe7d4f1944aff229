import FusionMDP
import SeededRandom
import Testing
import UserSimulator

@Suite("play time")
struct PlayTimeTests {
  @Test("skip, click, long view and finish follow from one number, for short and long videos")
  func consistent() {
    for duration: Float in [4, 5.5, 7, 10, 18, 19, 60, 240, 1178] {
      let thresholds = PlayThresholds(durationSeconds: duration)
      let plan = PlayDistribution(
        skip: 0.4, click: 0.45, longView: 0.3, finished: 0.1, exponent: 0.8)
      var last: Float = -1
      for step in 0..<2000 {
        let u = (Double(step) + 0.5) / 2000
        let seconds = plan.seconds(at: u, thresholds: thresholds)
        #expect(seconds >= last)
        last = seconds
        let feedback = UserFeedback(playSeconds: seconds, durationSeconds: duration)
        #expect(feedback.skip == (u < 0.4))
        #expect(feedback.finished == (u >= 0.9))
        if u >= 0.55 { #expect(seconds >= min(7, 0.9 * duration)) }
        if u >= 0.7 { #expect(seconds >= min(18, 0.95 * duration) * 0.999) }
        if u < 0.55 { #expect(seconds <= 7) }
      }
    }
  }

  @Test("quantiles of a 60 s video, worked by hand")
  func quantiles() {
    let thresholds = PlayThresholds(durationSeconds: 60)
    let plan = PlayDistribution(
      skip: 0.4, click: 0.4, longView: 0.3, finished: 0.1, exponent: 2)
    func seconds(_ u: Double) -> Float { plan.seconds(at: u, thresholds: thresholds) }
    #expect(seconds(0.09) == 0)  // a quarter of skips
    #expect(abs(seconds(0.25) - 1.65) < 1e-4)  // half of the rest of 0.3 … 3 s
    #expect(abs(seconds(0.5) - 5) < 1e-4)  // half of 3 … 7 s
    #expect(abs(seconds(0.65) - 11.3288) < 1e-3)  // √(8 · 19) − 1
    #expect(abs(seconds(0.8) - 24.4330) < 1e-3)  // 19 · (61/19)^¼ − 1
    #expect(abs(seconds(0.95) - 61.9553) < 1e-3)  // 60 + 3.7 · (ln 2)^1.74
  }

  @Test("a stronger behavior is never likelier than a weaker one")
  func ordered() {
    let plan = PlayDistribution(
      skip: 0.7, click: 0.5, longView: 0.6, finished: 0.9, exponent: 1)
    #expect(plan.skip == 0.5 && plan.longView == 0.5 && plan.finished == 0.5)
  }

  @Test("the exponent gives the mean log time that the model holds true")
  func exponent() {
    let thresholds = PlayThresholds(durationSeconds: 120)
    for wanted in [2.1, 2.2, 2.3] {
      let exponent = PlayDistribution.exponent(
        meanLog: wanted, thresholds: thresholds, skip: 0.4, click: 0.45, longView: 0.33,
        finished: 0.08)
      let plan = PlayDistribution(
        skip: 0.4, click: 0.45, longView: 0.33, finished: 0.08, exponent: exponent)
      var sum = 0.0
      for step in 0..<20_000 {
        let t = plan.seconds(at: (Double(step) + 0.5) / 20_000, thresholds: thresholds)
        sum += Double(log1pSeries(t))
      }
      #expect(abs(sum / 20_000 - wanted) < 0.01, "exponent \(exponent)")
    }
  }

  /// log(1 + t) without a mathematics library: 2·artanh(t / (2 + t)), halved until small.
  private func log1pSeries(_ t: Float) -> Double {
    var x = 1 + Double(t)
    var doublings = 0.0
    while x > 1.5 {
      x /= 2
      doublings += 1
    }
    let y = (x - 1) / (x + 1)
    let series = 2 * y * (1 + y * y / 3 + y * y * y * y / 5 + y * y * y * y * y * y / 7)
    return series + doublings * 0.693_147_180_559_945
  }
}

@Suite("candidates")
struct CandidateTests {
  @Test("videos come in proportion to their exposures")
  func proportions() {
    let weights = [1.0, 2, 3, 10, 0.5]
    let sampler = CandidateSampler(weights: weights)
    var stream = RandomStream(seed: 1, name: "test")
    var counts = [Double](repeating: 0, count: 5)
    for _ in 0..<100_000 { counts[sampler.draw(using: &stream)] += 1 }
    for (count, weight) in zip(counts, weights) {
      let p = weight / 16.5
      #expect(abs(count / 100_000 - p) < 4 * (p * (1 - p) / 100_000).squareRoot())
    }
  }

  @Test("candidates differ, none is marked, marks stay, and it ends when few are left")
  func fill() {
    let sampler = CandidateSampler(weights: [1e6] + [Double](repeating: 1e-3, count: 30))
    var stream = RandomStream(seed: 2, name: "test")
    var candidates: [Int32] = []
    var marks = [UInt8](repeating: 0, count: 40)
    for marked in 9..<30 { marks[marked] = 1 }  // videos 0 ..< 21 of offset 9
    let before = marks
    sampler.fill(&candidates, wanted: 10, marks: &marks, offset: 9, using: &stream)
    #expect(candidates.sorted() == Array(21...30))
    #expect(marks == before)
  }
}

@Suite("hours")
struct HourTests {
  @Test("active minutes pass in the hours that have them")
  func advance() {
    // All activity between 6 and 12 h, local time UTC+8: four active minutes a minute.
    let shares = (0..<24).map { (6..<12).contains($0) ? 1.0 : 0 }
    let clock = HourClock(shares: shares, utcOffsetHours: 8)
    let midnight: Int64 = 1_652_025_600_000
    let hour: Int64 = 3_600_000
    #expect(clock.hour(at: midnight) == 0)
    #expect(clock.hour(at: midnight + hour * 25 + hour / 2) == 1.5)
    #expect(clock.advance(from: midnight, byActiveMinutes: 240) == midnight + 7 * hour)
    #expect(clock.advance(from: midnight + 11 * hour, byActiveMinutes: 480) == midnight + 31 * hour)
    #expect(
      clock.advance(from: midnight + 9 * hour, byActiveMinutes: 2880 + 60)
        == midnight + 57 * hour + hour / 4)
    let even = HourClock(shares: nil, utcOffsetHours: 8)
    #expect(even.advance(from: midnight, byActiveMinutes: 90) == midnight + hour + hour / 2)
  }
}

@Suite("variance")
struct VarianceTests {
  @Test("the share between groups, worked by hand")
  func byHand() {
    // Groups {0.2, 0.4} and {0.6, 0.8}: MSB 0.16, MSW 0.02, n₀ 2, σ² 0.07, p̄(1 − p̄) 0.25.
    let share = intraclassCorrelation(probabilities: [0.2, 0.4, 0.6, 0.8], groups: [0, 0, 1, 1])
    #expect(abs(share - 0.28) < 1e-12)
    #expect(abs(betweenVariance(sums: [2, 0, 0], counts: [2, 2, 0], squares: 2) - 2) < 1e-12)
  }
}

@Suite("platform data")
struct PlatformDataTests {
  @Test("what is wrong with users, videos and rows is named")
  func errors() throws {
    let good = try PlatformData.synthetic(users: 3, videos: 100, seed: 1)
    var users = good.users
    users.activity[1] = .nan
    #expect(
      throws: PlatformError.user(
        index: 1, field: "activity", expected: "a finite number", found: "nan")
    ) { try PlatformData(users: users, videos: good.videos, impressions: good.impressions) }
    users = good.users
    users.hashes[2] = users.hashes[0]
    #expect(throws: PlatformError.count(what: "different user hashes", expected: 3, found: 2)) {
      try PlatformData(users: users, videos: good.videos, impressions: good.impressions)
    }
    var videos = good.videos
    videos.durationSeconds[7] = 2
    #expect(
      throws: PlatformError.video(
        index: 7, field: "duration", expected: "at least 4.0 s", found: "2.0 s")
    ) { try PlatformData(users: good.users, videos: videos, impressions: good.impressions) }
    videos = good.videos
    videos.exposures[0] = 0
    #expect(throws: PlatformError.self) {
      try PlatformData(users: good.users, videos: videos, impressions: good.impressions)
    }
    var row = good.impressions.row(user: 0)
    row.responses[12 * 5 + 1] = 1.5
    #expect(
      throws: PlatformError.impression(
        user: 0, video: 5, field: "response of task 1", expected: "a probability in [0, 1]",
        found: "1.5")
    ) { try ImpressionTable(rows: [row], videoCount: 100) }
    row = good.impressions.row(user: 0)
    row.scores[12 * 5 + 11] = -1
    #expect(throws: PlatformError.self) { try ImpressionTable(rows: [row], videoCount: 100) }
  }

  @Test("a catalogue too small for the candidates is named")
  func smallCatalogue() throws {
    let data = try PlatformData.synthetic(users: 3, videos: 70, seed: 1)
    #expect(
      throws: PlatformError.setting(
        name: "candidateCount", expected: "at most half of 70 videos", found: "40")
    ) { try SimulatedPlatform(data: data, fit: .start(types: 5), seed: 1) }
  }

  @Test("rows computed on demand are those of the table")
  func onDemand() throws {
    let table = try PlatformData.synthetic(users: 3, videos: 90, seed: 1)
    let lazy = try PlatformData.synthetic(users: 3, videos: 90, seed: 1, inMemory: false)
    for user in 0..<3 {
      #expect(table.impressions.row(user: user) == lazy.impressions.row(user: user))
      #expect(
        table.impressions.row(user: user).scores != table.impressions.row(user: user).responses)
    }
  }
}

@Suite("true values")
struct TrueValueTests {
  @Test("a ratio of sums with the interval of its users, worked by hand")
  func ratio() {
    // v = 9 / 6 = 1.5; residuals 0.5, −1, 0.5; 3/2 · 1.5 / 36 = 0.0625, standard error 0.25.
    let value = TrueValue(sums: [2, 2, 5], counts: [1, 2, 3])
    #expect(value.value == 1.5 && value.count == 6)
    #expect(abs(value.high - value.value - 0.48999) < 1e-5)
    #expect(abs(value.value - value.low - 0.48999) < 1e-5)
  }
}
