/// The bounds of a store, and how long a change may wait to be written.
public struct UserStateLimits: Sendable, Equatable {
  /// Users in memory, at most.
  public var cachedUsers = 100_000
  /// The memory that these take, in bytes, at most.
  public var cachedBytes = 1 << 30
  /// Users whose changes are not written yet, at most; then changes wait for the disk.
  public var pendingUsers = 20_000
  /// How long changes are gathered for one transaction.
  public var writeInterval: Duration = .milliseconds(200)
  /// Users in the database, at most; beyond, the least recently active leave.
  public var storedUsers = 5_000_000
  /// A user without activity for so long is forgotten.
  public var timeToLiveMilliseconds: Int64 = 180 * 86_400_000
  /// Forgotten users removed with one write, at most.
  public var expiredPerWrite = 1000
  /// The names of a user's latest feedback events that are kept.
  public var eventIDsPerUser = 256

  /// The usual bounds.
  public init() {}

  func check() {
    let least = min(cachedUsers, cachedBytes, pendingUsers, storedUsers, expiredPerWrite)
    precondition(
      least > 0 && eventIDsPerUser > 0 && timeToLiveMilliseconds > 0 && writeInterval > .zero,
      "bounds above 0 expected, found \(self)")
  }
}

/// What a store has done and holds.
public struct UserStateMetrics: Sendable, Equatable {
  /// Nothing done, nothing held.
  public init() {}

  /// Calls that found their user in memory.
  public var hits = 0
  /// Calls that read their user from the database.
  public var misses = 0
  /// Calls whose user was nowhere.
  public var unknown = 0
  /// Calls whose user had expired.
  public var expired = 0
  /// Users that left memory for others.
  public var cacheEvictions = 0
  /// Users that left the database because there were too many.
  public var evictions = 0
  /// Expired users that were removed from the database.
  public var purged = 0
  /// Users deleted on request.
  public var deleted = 0
  /// Feedback events that had been taken in before.
  public var repeatedEvents = 0
  /// Transactions.
  public var writes = 0
  /// Users written, each as often as it was.
  public var writtenUsers = 0
  /// The time that transactions took, in nanoseconds, those that failed too.
  public var writeNanoseconds: UInt64 = 0
  /// The longest of them.
  public var longestWriteNanoseconds: UInt64 = 0
  /// Transactions that failed.
  public var failedWrites = 0
  /// Why the latest write failed; nil when it succeeded.
  public var failure: UserStateError?
  /// By how much the clock has jumped since the store was opened, in milliseconds; 0 for less than
  /// an hour.
  public var clockStepMilliseconds: Int64 = 0
  /// Users whose changes are not written yet.
  public var pendingUsers = 0
  /// Users in memory.
  public var cachedUsers = 0
  /// The memory that they take, in bytes.
  public var cachedBytes = 0
  /// Users in the database, as of the latest write.
  public var storedUsers = 0
}
