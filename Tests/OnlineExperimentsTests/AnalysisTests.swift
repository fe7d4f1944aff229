import OnlineExperiments
import Testing

@Suite("Reading an experiment")
struct AnalysisTests {
  static let arms = [
    ExperimentArm(name: "reference", share: 1), ExperimentArm(name: "treated", share: 1),
  ]
  static let users = [
    AssignedUser(user: 11, arm: 0), AssignedUser(user: 12, arm: 0),
    AssignedUser(user: 21, arm: 1), AssignedUser(user: 22, arm: 1),
  ]
  static let activity = [
    UserDay(user: 11, day: 5, appMinutes: 10, plays: 6, positivePlays: 1),
    UserDay(user: 11, day: 6, appMinutes: 20, plays: 4, positivePlays: 0),
    UserDay(user: 12, day: 6, appMinutes: 10, plays: 10, positivePlays: 3),
    UserDay(user: 21, day: 5, appMinutes: 36, plays: 8, positivePlays: 4),
    UserDay(user: 22, day: 5, appMinutes: 12, plays: 12, positivePlays: 2),
  ]

  static func log(
    users: [AssignedUser] = users, days: Range<Int> = 5..<7, activity: [UserDay] = activity
  ) -> ExperimentLog {
    ExperimentLog(arms: arms, users: users, days: days, activity: activity)
  }

  @Test("a user without plays before the test has the share of all plays as baseline")
  func baselinesOfThePrePeriod() {
    func day(_ user: UInt64, _ day: Int, _ minutes: Double, _ plays: Int, _ positive: Int)
      -> UserDay
    {
      UserDay(user: user, day: day, appMinutes: minutes, plays: plays, positivePlays: positive)
    }
    let found = UserBaseline.preceding(
      users: [7, 5, 9], days: 2,
      activity: [day(5, 0, 30, 8, 1), day(7, 0, 3, 0, 0), day(5, 1, 10, 2, 0), day(7, 1, 0, 0, 0)])
    #expect(found.map(\.appMinutesPerDay) == [1.5, 20, 0])
    #expect(found.map(\.upiRate) == [0.1, 0.1, 0.1])  // 1 of 10 plays, all of user 5
    let two = UserBaseline.preceding(
      users: [1, 2, 3], days: 1, activity: [day(1, 0, 1, 4, 2), day(2, 0, 1, 12, 2)])
    #expect(two.map(\.upiRate) == [0.5, 1.0 / 6, 0.25])
    #expect(UserBaseline.preceding(users: [1], days: 1, activity: []).map(\.upiRate) == [0])
  }

  @Test("two users an arm, worked by hand")
  func handComputed() throws {
    let readout = try ExperimentAnalysis().readout(of: Self.log())
    let (reference, treated) = (readout.arms[0], readout.arms[1])
    // 40 minutes over 4 user-days; residuals ±10: 2·200/4² = 25.
    #expect(reference.adTime.estimate == RatioEstimate(value: 10, variance: 25))
    #expect(reference.adTime.lift == nil)
    // 48 minutes over 4 user-days; residuals ±12: 2·288/16 = 36.
    #expect(treated.adTime.estimate == RatioEstimate(value: 12, variance: 36))
    let lift = try #require(treated.adTime.lift)
    #expect(abs(lift.fraction - 0.2) < 1e-12)
    #expect(abs(lift.pValue - 0.7978938831986566) < 1e-9)
    // 4 of 20 and 6 of 20 plays.
    #expect(abs((reference.upiRate.estimate.value ?? 0) - 0.2) < 1e-12)
    #expect(abs(reference.upiRate.estimate.variance - 0.01) < 1e-12)
    #expect(abs((treated.upiRate.estimate.value ?? 0) - 0.3) < 1e-12)
    #expect(abs(treated.upiRate.estimate.variance - 0.0256) < 1e-12)
    // Day 5: 10 minutes over two assigned users, 1 of 6 plays.
    #expect(reference.daily.map(\.day) == [5, 6])
    #expect(reference.daily[0].adTimeMinutes == 5 && reference.daily[0].upiRate == 1.0 / 6)
    #expect(treated.daily[1].adTimeMinutes == 0 && treated.daily[1].upiRate == nil)
    #expect(readout.sampleRatio.pValue == 1)
  }

  @Test("over active days only, a day without a visit does not count")
  func activeDays() throws {
    let readout = try ExperimentAnalysis(denominator: .activeDays).readout(of: Self.log())
    #expect(abs((readout.arms[0].adTime.estimate.value ?? 0) - 40.0 / 3) < 1e-12)
    #expect(readout.arms[1].adTime.estimate.value == 24)
    #expect(readout.arms[0].daily[0].adTimeMinutes == 10)
  }

  @Test("Fieller's interval of 12 ± .6 over 10 ± .5")
  func fieller() throws {
    let lift = try #require(
      RelativeLift(
        arm: RatioEstimate(value: 12, variance: 0.36),
        reference: RatioEstimate(value: 10, variance: 0.25)))
    #expect(abs((lift.low ?? 0) - 0.04411866059649139) < 1e-9)
    #expect(abs((lift.high ?? 0) - 0.3791535908163415) < 1e-9)
    #expect(abs(lift.pValue - 0.01044502138496417) < 1e-9)
  }

  @Test("a reference that may be zero has a lift without a finite interval")
  func unbounded() throws {
    let lift = try #require(
      RelativeLift(
        arm: RatioEstimate(value: 12, variance: 0.36),
        reference: RatioEstimate(value: 1, variance: 0.27)))
    #expect(lift.low == nil && lift.high == nil)
    let zero = RatioEstimate(value: 0, variance: 0)
    #expect(RelativeLift(arm: zero, reference: zero) == nil)
  }

  @Test("the interval excludes zero exactly when p lies below .05")
  func agreement() throws {
    for step in 0...200 {
      let arm = RatioEstimate(value: 9 + Double(step) * 0.01, variance: 0.04)
      let lift = try #require(
        RelativeLift(arm: arm, reference: RatioEstimate(value: 10, variance: 0.09)))
      let low = try #require(lift.low)
      let high = try #require(lift.high)
      #expect((low > 0 || high < 0) == (lift.pValue < 0.05))
    }
  }

  @Test("the pre-period takes out exactly what it explains")
  func baseline() throws {
    // Within arms y = 5·c + const, so the adjusted values of an arm are all the same.
    func user(_ id: UInt64, _ arm: Int, _ pre: Double) -> AssignedUser {
      AssignedUser(
        user: id, arm: arm, baseline: UserBaseline(appMinutesPerDay: pre, upiRate: 0.2))
    }
    let users = [user(11, 0, 3), user(12, 0, 1), user(21, 1, 4), user(22, 1, 2)]
    let activity = [
      UserDay(user: 11, day: 5, appMinutes: 15, plays: 1, positivePlays: 0),
      UserDay(user: 12, day: 5, appMinutes: 5, plays: 1, positivePlays: 1),
      UserDay(user: 21, day: 5, appMinutes: 27, plays: 1, positivePlays: 0),
      UserDay(user: 22, day: 5, appMinutes: 17, plays: 1, positivePlays: 1),
    ]
    let log = Self.log(users: users, days: 5..<6, activity: activity)
    let readout = try ExperimentAnalysis(adjustsForBaseline: true).readout(of: log)
    // θ = 5, c̄ = 2.5: 10 + 5·(2.5 − 2) = 12.5 and 22 + 5·(2.5 − 3) = 19.5.
    #expect(abs((readout.arms[0].adTime.estimate.value ?? 0) - 12.5) < 1e-12)
    #expect(abs((readout.arms[1].adTime.estimate.value ?? 0) - 19.5) < 1e-12)
    #expect(readout.arms[0].adTime.estimate.variance < 1e-20)
    // A covariate that never varies adjusts nothing.
    #expect(readout.arms[0].upiRate.estimate.value == 0.5)
  }

  @Test("each kind of broken log is refused, naming its row or user")
  func brokenLogs() {
    func expect(_ error: ExperimentError, _ log: ExperimentLog) {
      #expect(throws: error) { try ExperimentAnalysis().readout(of: log) }
      #expect(!error.description.isEmpty)
    }
    let users = Self.users
    expect(.emptyWindow(first: 5, end: 5), Self.log(days: 5..<5))
    expect(
      .unknownArm(user: 9, arm: 2, arms: 2),
      Self.log(users: users + [AssignedUser(user: 9, arm: 2)]))
    expect(.repeatedUser(user: 11), Self.log(users: users + [AssignedUser(user: 11, arm: 1)]))
    expect(
      .tooFewUsers(arm: "treated", found: 1),
      Self.log(users: Array(users[0..<3]), activity: []))
    let outside = UserDay(user: 11, day: 7, appMinutes: 1, plays: 0, positivePlays: 0)
    expect(.dayOutsideWindow(row: 0, day: 7, first: 5, end: 7), Self.log(activity: [outside]))
    let nobody = UserDay(user: 99, day: 5, appMinutes: 1, plays: 0, positivePlays: 0)
    expect(.unassignedUser(row: 1, user: 99), Self.log(activity: [Self.activity[0], nobody]))
    expect(
      .repeatedUserDay(row: 5, user: 11, day: 5),
      Self.log(activity: Self.activity + [Self.activity[0]]))
    let tooMany = UserDay(user: 11, day: 5, appMinutes: 1, plays: 1, positivePlays: 2)
    expect(
      .invalidUserDay(row: 0, appMinutes: 1, plays: 1, positivePlays: 2),
      Self.log(activity: [tooMany]))
    #expect(throws: ExperimentError.unknownReference(index: 2, arms: 2)) {
      try ExperimentAnalysis(reference: 2).readout(of: Self.log())
    }
    #expect(throws: ExperimentError.missingBaseline(user: 11)) {
      try ExperimentAnalysis(adjustsForBaseline: true).readout(of: Self.log())
    }
  }
}
