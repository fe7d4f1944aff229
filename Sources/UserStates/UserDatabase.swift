internal import Foundation
internal import FusionMDP
internal import GRDB

/// The table of users on disk: SQLite in WAL mode, one writer, readers beside it.
///
/// A transaction is on disk when its commit returns (`synchronous = FULL`). What leaves the table
/// is overwritten with zeros (`secure_delete`).
struct UserDatabase: Sendable {
  /// "AMUS": marks the file as a store of users.
  static let applicationID: UInt32 = 0x414D_5553

  let path: String
  let encoder: StateEncoder
  private let limits: UserStateLimits
  let pool: DatabasePool
  /// Holds the lock that keeps a second process out.
  private let owner: DatabaseQueue

  /// What a write did beside writing.
  struct Outcome: Sendable {
    var deleted = 0
    /// Users that left because there were too many.
    var evicted: [String] = []
    /// Users that left because they had expired.
    var purged: [String] = []
    /// Users that are left.
    var stored = 0
  }

  /// Opens a file, or makes it, and brings its layout to the latest version.
  init(path: String, encoder: StateEncoder, limits: UserStateLimits) throws(UserStateError) {
    self.path = path
    self.encoder = encoder
    self.limits = limits
    try Self.checkHeader(path)
    owner = try Self.lock(path)
    do {
      pool = try DatabasePool(path: path, configuration: Self.configuration)
      // After the pool's own choice, which syncs at checkpoints only.
      try pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
    } catch {
      throw Self.told(error, path, "open the store")
    }
    try migrate()
    try checkLayout()
  }

  private static var configuration: Configuration {
    var configuration = Configuration()
    configuration.label = "users"
    configuration.maximumReaderCount = 4
    configuration.busyMode = .timeout(10)
    configuration.prepareDatabase { database in
      if database.configuration.readonly { return }
      if try Int.fetchOne(database, sql: "PRAGMA page_count") == 0 {
        // A full history stays on one page.
        try database.execute(sql: "PRAGMA page_size = 8192")
        try database.execute(sql: "PRAGMA application_id = \(applicationID)")
      }
      try database.execute(sql: "PRAGMA secure_delete = ON")
      try database.execute(sql: "PRAGMA journal_size_limit = 67108864")
    }
    return configuration
  }

  /// Refuses a file of something else before anything touches it.
  private static func checkHeader(_ path: String) throws(UserStateError) {
    guard FileManager.default.fileExists(atPath: path) else {
      // For the user who runs the service only: it is personal data.
      let isMade = FileManager.default.createFile(
        atPath: path, contents: nil, attributes: [.posixPermissions: 0o600])
      if isMade { return }
      throw .database(
        path: path, operation: "make the store", code: 14, message: "cannot create the file")
    }
    let header: Data
    do {
      let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
      header = try file.read(upToCount: 100) ?? Data()
      try file.close()
    } catch {
      throw .database(
        path: path, operation: "read the store", code: 14, message: "cannot open the file")
    }
    if header.isEmpty { return }
    guard header.count == 100, header.starts(with: Array("SQLite format 3\u{0}".utf8)) else {
      throw .foreign(
        path: path, part: "file", expected: "an SQLite database", found: "other bytes")
    }
    let found = header[68..<72].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    guard found == applicationID else {
      throw .foreign(
        path: path, part: "application_id", expected: "\(applicationID) (a store of users)",
        found: "\(found)")
    }
  }

  /// Takes the lock of `path-owner`, which the operating system gives back when the process ends.
  private static func lock(_ path: String) throws(UserStateError) -> DatabaseQueue {
    do {
      let queue = try DatabaseQueue(path: path + "-owner")
      try queue.writeWithoutTransaction { database in
        try database.execute(
          sql: "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT")
      }
      return queue
    } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY {
      throw .database(
        path: path, operation: "open the store", code: 5,
        message: "another process, or another store of this one, has it open")
    } catch {
      throw told(error, path, "lock the store")
    }
  }

  /// A user; nil for one who is not there.
  func read(_ user: String) async throws(UserStateError) -> UserRecord? {
    do {
      return try await pool.read { [encoder, limits, path] database in
        let statement = try database.cachedStatement(
          sql: "SELECT rowid, last_activity, context, events FROM users WHERE id = ?")
        guard let row = try Row.fetchOne(statement, arguments: [user]) else { return nil }
        let (context, events): (Data, Data) = (row[2], row[3])
        do {
          return try UserRecord(
            context: [UInt8](context), events: [UInt8](events), lastActivity: row[1],
            using: encoder, eventCapacity: limits.eventIDsPerUser)
        } catch let error as UserRecordError {
          let number: Int64 = row[0]
          throw UserStateError.corrupt(
            path: path, part: "row \(number) of users, \(error.part)", expected: error.expected,
            found: error.found)
        }
      }
    } catch {
      throw Self.told(error, path, "read a user")
    }
  }

  /// Deletes users, writes users, then removes those that have expired and those that are too
  /// many, in one transaction.
  func write(
    _ users: [(user: String, record: UserRecord)], deleting: [String], expiredBefore: Int64
  ) async throws(UserStateError) -> Outcome {
    do {
      return try await pool.write { [encoder, limits] database in
        var outcome = Outcome()
        let delete = try database.cachedStatement(sql: "DELETE FROM users WHERE id = ?")
        for user in deleting {
          try delete.execute(arguments: [user])
          outcome.deleted += database.changesCount
        }
        let upsert = try database.cachedStatement(
          sql: """
            INSERT INTO users (id, last_activity, context, events) VALUES (?, ?, ?, ?)
            ON CONFLICT (id) DO UPDATE SET last_activity = excluded.last_activity,
              context = excluded.context, events = excluded.events
            """)
        for (user, record) in users {
          try upsert.execute(arguments: [
            user, record.lastActivity, Data(record.context.stored(using: encoder)),
            Data(record.events.stored),
          ])
        }
        outcome.purged = try Self.remove(
          database, where: "last_activity < \(expiredBefore)", limits.expiredPerWrite)
        outcome.stored = try Self.count(database)
        if outcome.stored > limits.storedUsers {
          outcome.evicted = try Self.remove(
            database, where: "true", outcome.stored - limits.storedUsers)
          outcome.stored = try Self.count(database)
        }
        return outcome
      }
    } catch {
      throw Self.told(error, path, "write users")
    }
  }

  /// Moves the journal into the database and empties it, so that no older page is left.
  func emptyJournal() async throws(UserStateError) {
    do {
      try await pool.barrierWriteWithoutTransaction { _ = try $0.checkpoint(.truncate) }
    } catch {
      throw Self.told(error, path, "empty the journal")
    }
  }

  /// Closes the files, the journal empty.
  func close() async throws(UserStateError) {
    try await emptyJournal()
    do {
      try pool.close()
      try owner.close()
    } catch {
      throw Self.told(error, path, "close the store")
    }
  }

  /// How many users there are.
  static func count(_ database: Database) throws -> Int {
    try Int.fetchOne(database, sql: "SELECT users FROM totals") ?? 0
  }

  /// How many users there are, read on the caller's thread.
  func count() throws(UserStateError) -> Int {
    do { return try pool.read(Self.count) } catch {
      throw Self.told(error, path, "count users")
    }
  }

  /// Removes the least recently active users of a condition, at most `limit`.
  private static func remove(
    _ database: Database, where condition: String, _ limit: Int
  ) throws -> [String] {
    try String.fetchAll(
      database,
      sql: """
        DELETE FROM users WHERE rowid IN
          (SELECT rowid FROM users WHERE \(condition) ORDER BY last_activity LIMIT \(limit))
        RETURNING id
        """)
  }

  /// An error of the database as one of the store.
  static func told(
    _ error: any Error, _ path: String, _ operation: String
  ) -> UserStateError {
    switch error {
    case let error as UserStateError: return error
    case let error as DatabaseError:
      let message = error.message ?? "no reason given"
      if [.SQLITE_CORRUPT, .SQLITE_NOTADB].contains(error.resultCode) {
        return .corrupt(
          path: path, part: "a page", expected: "a sound database", found: message)
      }
      return .database(
        path: path, operation: operation, code: error.errorCode, message: message)
    default:
      return .database(path: path, operation: operation, code: 9, message: "\(error)")
    }
  }
}
