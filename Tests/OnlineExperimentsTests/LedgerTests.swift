import OnlineExperiments
import Testing

@Suite("An experiment's books")
struct LedgerTests {
  static func ledger() throws -> ExperimentLedger {
    try ExperimentLedger(experiment: "x", arms: AnalysisTests.arms, firstDay: 5)
  }

  static func day(
    _ user: UInt64, _ day: Int, _ minutes: Double, _ plays: Int = 0, _ positive: Int = 0
  ) -> UserDay {
    UserDay(user: user, day: day, appMinutes: minutes, plays: plays, positivePlays: positive)
  }

  @Test("closed day by day, the books say what the whole log says", arguments: [false, true])
  func sameAsWholeLog(adjusted: Bool) throws {
    let users = AnalysisTests.users.enumerated().map { index, user in
      AssignedUser(
        user: user.user, arm: user.arm,
        baseline: UserBaseline(
          appMinutesPerDay: [12, 3, 20, 9][index], upiRate: [0.1, 0.4, 0.3, 0.1][index]))
    }
    var ledger = try Self.ledger()
    for day in 5..<7 {
      try ledger.close(
        day: day, entering: day == 5 ? users : [],
        activity: AnalysisTests.activity.filter { $0.day == day })
    }
    let whole = try ExperimentAnalysis(adjustsForBaseline: adjusted)
      .readout(of: AnalysisTests.log(users: users))
    for (metric, expected) in [
      (ExperimentMetric.adTime, whole.arms.map(\.adTime.estimate)),
      (.upiRate, whole.arms.map(\.upiRate.estimate)),
    ] {
      let found = try ledger.estimates(of: metric, adjustsForBaseline: adjusted)
      for (a, b) in zip(found, expected) {
        let (value, other) = (try #require(a.value), try #require(b.value))
        #expect(abs(value - other) < 1e-12 && abs(a.variance - b.variance) < 1e-12)
      }
    }
    #expect(ledger.users == [2, 2] && ledger.sampleRatio.observed == [2, 2])
  }

  @Test("a user counts from the day of entry")
  func lateEntry() throws {
    var ledger = try Self.ledger()
    let users = AnalysisTests.users
    try ledger.close(day: 5, entering: [users[0], users[2]], activity: [Self.day(11, 5, 10)])
    #expect(
      try ledger.estimates(of: .adTime, adjustsForBaseline: false)
        == [RatioEstimate(value: nil, variance: 0), RatioEstimate(value: nil, variance: 0)])
    try ledger.close(day: 6, entering: [users[1], users[3]], activity: [Self.day(12, 6, 8)])
    let found = try ledger.estimates(of: .adTime, adjustsForBaseline: false)
    // 18 minutes over 2 + 1 user-days; residuals 10 − 12 and 8 − 6: 2·(4 + 4)/9.
    #expect(found[0] == RatioEstimate(value: 6, variance: 16.0 / 9))
    #expect(try ledger.estimates(of: .upiRate, adjustsForBaseline: false)[0].value == nil)
  }

  @Test("each day by itself has its metrics and intervals, absent users without minutes")
  func days() throws {
    var ledger = try Self.ledger()
    let users = AnalysisTests.users
    try ledger.close(
      day: 5, entering: Array(users[0..<3]),
      activity: [
        Self.day(12, 5, 8, 10, 4), Self.day(11, 5, 4, 10, 1), Self.day(21, 5, 1, 2, 1),
      ])
    try ledger.close(day: 6, entering: [users[3]], activity: [Self.day(11, 6, 6, 5, 1)])
    #expect(ledger.days.map(\.day) == [5, 6])
    // 8 and 4 minutes: 6 ± 1.96·2, variance 2·(4 + 4)/4; rates 5 of 20, residuals ±1.5.
    #expect(ledger.days[0].adTime[0] == RatioEstimate(value: 6, variance: 4))
    #expect(ledger.days[0].upiRate[0] == RatioEstimate(value: 0.25, variance: 9.0 / 400))
    let interval = try #require(ledger.days[0].adTime[0].interval())
    #expect(abs(interval.low - 2.080072030919891) < 1e-9)
    #expect(abs(interval.high - 9.919927969080109) < 1e-9)
    // One user is too few; then two who did not come.
    #expect(ledger.days[0].adTime[1].value == nil && ledger.days[0].adTime[1].interval() == nil)
    #expect(ledger.days[1].adTime[1] == RatioEstimate(value: 0, variance: 0))
    #expect(ledger.days[1].upiRate[1].value == nil)
    // 6 and 0 minutes on the second day: residuals ±3, 2·18/4.
    #expect(ledger.days[1].adTime[0] == RatioEstimate(value: 3, variance: 9))
  }

  @Test("with late entries, the pre-period takes out exactly what it explains")
  func lateBaselines() throws {
    // Minutes a day are 2·c in both arms; all values of an arm become the same.
    var ledger = try Self.ledger()
    let users = (0..<8).map { index in
      AssignedUser(
        user: UInt64(index), arm: index % 2,
        baseline: UserBaseline(appMinutesPerDay: [1, 2, 5, 4, 3, 9, 6, 2][index], upiRate: 0))
    }
    func activity(_ count: Int, _ day: Int) -> [UserDay] {
      users[0..<count].map { Self.day($0.user, day, 2 * ($0.baseline?.appMinutesPerDay ?? 0)) }
    }
    try ledger.close(day: 5, entering: Array(users[0..<4]), activity: activity(4, 5))
    try ledger.close(day: 6, entering: Array(users[4...]), activity: activity(8, 6))
    let plain = try ledger.estimates(of: .adTime, adjustsForBaseline: false)
    let adjusted = try ledger.estimates(of: .adTime, adjustsForBaseline: true)
    #expect(plain[0].variance > 1 && plain[1].variance > 1)
    #expect(adjusted[0].variance < 0.02 && adjusted[1].variance < 0.02)
    // Weighted by days, Σ d·c/Σd = 44/12 over both arms: the mean without a difference is twice it.
    for arm in adjusted { #expect(abs((arm.value ?? 0) - 2 * 44.0 / 12) < 0.2) }
  }

  @Test("each kind of broken day is refused and leaves the books as they were")
  func broken() throws {
    var ledger = try Self.ledger()
    let users = AnalysisTests.users
    try ledger.close(day: 5, entering: users, activity: [Self.day(11, 5, 10)])
    let before = try ledger.estimates(of: .adTime, adjustsForBaseline: false)
    func expect(
      _ error: ExperimentError, day: Int = 6, _ entering: [AssignedUser], _ activity: [UserDay]
    ) {
      #expect(throws: error) {
        try ledger.close(day: day, entering: entering, activity: activity)
      }
      #expect(!error.description.isEmpty)
    }
    let new = AssignedUser(user: 31, arm: 0)
    expect(.dayOutOfOrder(expected: 6, found: 5), day: 5, [], [])
    expect(.unknownArm(user: 9, arm: 2, arms: 2), [AssignedUser(user: 9, arm: 2)], [])
    expect(.repeatedUser(user: 11), [users[0]], [])
    expect(.repeatedUser(user: 31), [new, new], [])
    expect(
      .dayOutsideWindow(row: 1, day: 5, first: 6, end: 7), [new],
      [Self.day(31, 6, 1), Self.day(11, 5, 1)])
    expect(.unassignedUser(row: 0, user: 31), [], [Self.day(31, 6, 1)])
    expect(
      .repeatedUserDay(row: 1, user: 11, day: 6), [], [Self.day(11, 6, 1), Self.day(11, 6, 1)])
    expect(
      .invalidUserDay(row: 0, appMinutes: -1, plays: 0, positivePlays: 0), [],
      [Self.day(11, 6, -1)])
    #expect(ledger.nextDay == 6 && ledger.users == [2, 2])
    #expect(try ledger.estimates(of: .adTime, adjustsForBaseline: false) == before)
    #expect(throws: ExperimentError.missingBaseline(user: 11)) {
      try ledger.estimates(of: .adTime, adjustsForBaseline: true)
    }
  }

  @Test("no lift is shown before both arms have their users")
  func minimumUsers() throws {
    var ledger = try Self.ledger()
    try ledger.close(
      day: 5, entering: AnalysisTests.users,
      activity: [
        Self.day(11, 5, 10, 20, 10), Self.day(12, 5, 11, 20, 9), Self.day(21, 5, 10, 20, 10),
        Self.day(22, 5, 12, 20, 12),
      ])
    let sequence = ConfidenceSequence(plannedStandardError: 0.1)
    func readout(_ minimum: Int, reference: Int = 0) throws -> SequentialReadout {
      try SequentialAnalysis(
        reference: reference, adTime: sequence, upiRate: sequence, minimumUsers: minimum
      ).readout(of: ledger)
    }
    let few = try readout(3)
    #expect(few.arms.allSatisfy { $0.adTime.lift == nil && $0.upiRate.lift == nil })
    let enough = try readout(2)
    #expect(enough.day == 5 && enough.arms[1].users == 2)
    #expect(enough.arms[0].adTime.lift == nil && enough.arms[1].adTime.lift != nil)
    #expect(enough.arms[1].upiRate.lift != nil)
    #expect(throws: ExperimentError.unknownReference(index: 2, arms: 2)) {
      try readout(2, reference: 2)
    }
  }
}
