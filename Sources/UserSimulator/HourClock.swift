/// Time that runs fast in the hours when users come, and slowly at night.
///
/// Gaps between sessions are drawn in active minutes; an hour of the clock holds 60 · 24 · share
/// of them, so a day holds 1440. A renewal process in active minutes has arrivals in proportion to
/// the shares.
package struct HourClock: Sendable {
  /// Active minutes a millisecond, by local hour [24].
  private let rates: [Double]
  private let offsetMilliseconds: Int64

  static let hourMilliseconds: Int64 = 3_600_000
  static let dayMilliseconds: Int64 = 86_400_000

  /// A clock of these hours.
  ///
  /// Shapes: `shares` [24], proportional to activity; nil for a day without a profile.
  package init(shares: [Double]?, utcOffsetHours: Int) {
    let total = shares?.reduce(0, +) ?? 1
    rates = (0..<24).map { hour in
      (shares.map { $0[hour] / total } ?? 1.0 / 24) * 1440 / Double(Self.hourMilliseconds)
    }
    offsetMilliseconds = Int64(utcOffsetHours) * Self.hourMilliseconds
  }

  /// The local hour in [0, 24).
  package func hour(at milliseconds: Int64) -> Double {
    Double(localDayMilliseconds(milliseconds)) / Double(Self.hourMilliseconds)
  }

  /// The first moment at which this many active minutes have passed since `start`.
  package func advance(from start: Int64, byActiveMinutes minutes: Double) -> Int64 {
    var now = start
    var left = minutes
    if left > 1440 {
      let days = (left / 1440).rounded(.down)
      now += Int64(days) * Self.dayMilliseconds
      left -= days * 1440
    }
    while true {
      let inDay = localDayMilliseconds(now)
      let hour = Int(inDay / Self.hourMilliseconds)
      let toNextHour = Int64(hour + 1) * Self.hourMilliseconds - inDay
      let available = Double(toNextHour) * rates[hour]
      if available >= left, rates[hour] > 0 {
        return now + Int64((left / rates[hour]).rounded(.up))
      }
      left -= available
      now += toNextHour
    }
  }

  private func localDayMilliseconds(_ milliseconds: Int64) -> Int64 {
    let local = (milliseconds + offsetMilliseconds) % Self.dayMilliseconds
    return local < 0 ? local + Self.dayMilliseconds : local
  }
}
