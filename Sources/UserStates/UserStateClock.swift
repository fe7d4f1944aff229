/// The time, handed in: nothing here reads a clock.
public struct UserStateClock: Sendable {
  /// Milliseconds since 1970, for activity and its end.
  public let milliseconds: @Sendable () -> Int64
  /// Nanoseconds since any moment, never backwards, for the time that writes take.
  public let nanoseconds: @Sendable () -> UInt64

  /// A clock.
  public init(
    milliseconds: @escaping @Sendable () -> Int64,
    nanoseconds: @escaping @Sendable () -> UInt64
  ) {
    self.milliseconds = milliseconds
    self.nanoseconds = nanoseconds
  }
}

/// The time of a store: that of the clock, unless the clock jumps.
///
/// A clock that moves more than an hour beside the steady one while the store is open is wrong now
/// or was before. Nobody may be forgotten for that, so the store goes on with the time of its
/// opening and what has passed since.
struct StoreTime: Sendable {
  static let largestStep: Int64 = 3_600_000

  let clock: UserStateClock
  private let openedMilliseconds: Int64
  private let openedNanoseconds: UInt64

  init(_ clock: UserStateClock) {
    self.clock = clock
    openedMilliseconds = clock.milliseconds()
    openedNanoseconds = clock.nanoseconds()
  }

  /// Milliseconds since 1970.
  var now: Int64 { step == 0 ? clock.milliseconds() : steady }

  /// By how much the clock has jumped, in milliseconds; 0 for less than ``largestStep``.
  var step: Int64 {
    let step = clock.milliseconds() - steady
    return abs(step) > Self.largestStep ? step : 0
  }

  private var steady: Int64 {
    openedMilliseconds + Int64((clock.nanoseconds() - openedNanoseconds) / 1_000_000)
  }
}
