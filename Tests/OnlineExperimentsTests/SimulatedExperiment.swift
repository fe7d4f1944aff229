import Foundation
import OnlineExperiments
import SeededRandom

/// A user whose level, taste and habit of coming stay, and whose mood lasts some days.
///
/// Minutes of a day are 10 · level · e^(0.4·mood): levels log-normal (σ 0.6), moods normal with a
/// correlation of 0.7 from day to day. Users come on 40 to 100 % of days; plays follow the level;
/// each has a taste for hearts of 0 to 0.3. The baseline is what a pre-period would show.
struct SimulatedUser {
  let level: Double
  let liking: Double
  let visits: Double
  let baseline: UserBaseline
  private var mood: Double

  /// A user; `spread` is the σ of levels, `taste` the largest share of plays with a heart.
  init(_ stream: inout RandomStream, spread: Double = 0.6, taste: Double = 0.3) {
    level = exp(spread * stream.gaussian())
    liking = taste * stream.uniform()
    visits = 0.4 + 0.6 * stream.uniform()
    baseline = UserBaseline(
      appMinutesPerDay: 10 * level * visits * exp(0.2 * stream.gaussian()),
      upiRate: liking * (0.7 + 0.6 * stream.uniform()))
    mood = stream.gaussian()
  }

  /// What the user does on a day, nil without a visit; `effect` multiplies time and rate.
  mutating func day(
    _ day: Int, user: UInt64, effect: (time: Double, rate: Double), _ stream: inout RandomStream
  ) -> UserDay? {
    mood = 0.7 * mood + 0.51.squareRoot() * stream.gaussian()
    guard stream.uniform() < visits else { return nil }
    let plays = 1 + stream.index(below: 1 + Int(3 * level))
    let rate = liking * effect.rate
    return UserDay(
      user: user, day: day, appMinutes: 10 * level * exp(0.4 * mood) * effect.time, plays: plays,
      positivePlays: (0..<plays).count { _ in stream.uniform() < rate })
  }
}

/// A month of an experiment on such users.
struct SimulatedExperiment {
  /// When users enter.
  enum Entry {
    /// All on the first day.
    case together
    /// A tenth at once, then up to 30, 60 and 100 % on days 5, 10 and 15.
    case ramped
  }

  static let days = 30
  static let arms = [
    ExperimentArm(name: "reference", share: 1), ExperimentArm(name: "treated", share: 1),
  ]

  var users: Int
  var entry = Entry.together
  var spread = 0.6
  var taste = 0.3

  /// Lives through the days.
  ///
  /// - Parameters:
  ///   - effect: what the treated arm's time and rate are multiplied with on a day.
  ///   - look: called after every day with the books.
  func run(
    replicate: Int, effect: (Int) -> (time: Double, rate: Double),
    look: (ExperimentLedger) throws -> Void
  ) throws {
    var stream = RandomStream(seed: 11, name: "experiments").child("replicate", replicate)
    var ledger = try ExperimentLedger(experiment: "simulated", arms: Self.arms, firstDay: 0)
    var present: [SimulatedUser] = []
    var arms: [Int] = []
    for day in 0..<Self.days {
      var entering: [AssignedUser] = []
      for index in present.count..<max(present.count, enrolled(on: day)) {
        present.append(SimulatedUser(&stream, spread: spread, taste: taste))
        arms.append(stream.uniform() < 0.5 ? 0 : 1)
        entering.append(
          AssignedUser(user: UInt64(index), arm: arms[index], baseline: present[index].baseline))
      }
      let treated = effect(day)
      var activity: [UserDay] = []
      for index in present.indices {
        let multipliers = arms[index] == 1 ? treated : (time: 1, rate: 1)
        if let row = present[index].day(
          day, user: UInt64(index), effect: multipliers, &stream)
        {
          activity.append(row)
        }
      }
      try ledger.close(day: day, entering: entering, activity: activity)
      try look(ledger)
    }
  }

  private func enrolled(on day: Int) -> Int {
    switch entry {
    case .together: users
    case .ramped: users * (day < 5 ? 10 : day < 10 ? 30 : day < 15 ? 60 : 100) / 100
    }
  }
}

/// The smallest k with P(X ≤ k) ≥ `level` for X binomial: more events than that among `trials` are
/// not chance.
func binomialBound(trials: Int, probability: Double, level: Double = 0.999) -> Int {
  var term = pow(1 - probability, Double(trials))
  var sum = term
  var k = 0
  while sum < level {
    k += 1
    term *= Double(trials - k + 1) / Double(k) * probability / (1 - probability)
    sum += term
  }
  return k
}
