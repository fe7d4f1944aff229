/// The time, handed in: nothing here reads a clock.
package struct ServingClock: Sendable {
  /// Milliseconds since 1970, for the time of a request.
  package let milliseconds: @Sendable () -> Int64
  /// Nanoseconds since any moment, never backwards, for budgets and durations.
  package let nanoseconds: @Sendable () -> UInt64
  /// Returns after so many nanoseconds, or at once when its task is cancelled.
  package let sleep: @Sendable (UInt64) async -> Void

  /// A clock.
  package init(
    milliseconds: @escaping @Sendable () -> Int64,
    nanoseconds: @escaping @Sendable () -> UInt64,
    sleep: @escaping @Sendable (UInt64) async -> Void
  ) {
    self.milliseconds = milliseconds
    self.nanoseconds = nanoseconds
    self.sleep = sleep
  }
}

/// What a service may do.
package struct ServingSettings: Sendable, Equatable {
  /// What a user meets of whom nothing is known.
  package enum NewUsers: Sendable, Equatable {
    /// The policy, at the state of a user without history.
    case emptyState
    /// The fallback's weights.
    case fallback
  }

  /// How long a request may wait for the user store.
  package var budgetNanoseconds: UInt64 = 5_000_000
  /// What new users meet.
  package var newUsers = NewUsers.emptyState
  /// Calls of the user store that may wait at a time; beyond, requests do not ask it.
  package var pendingStoreCalls = 1000
  /// The root of all draws.
  package var seed: UInt64 = 0

  /// The usual settings.
  package init() {}
}
