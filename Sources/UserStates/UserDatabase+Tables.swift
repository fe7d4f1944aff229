internal import FusionMDP
internal import GRDB

extension UserDatabase {
  /// The layouts of the table in the order of their versions.
  static var migrator: DatabaseMigrator {
    var migrator = DatabaseMigrator().disablingDeferredForeignKeyChecks()
    migrator.registerMigration("1") { database in
      try database.execute(
        sql: """
          CREATE TABLE users (
            rowid INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            last_activity INTEGER NOT NULL,
            context BLOB NOT NULL,
            events BLOB NOT NULL
          ) STRICT;
          CREATE INDEX users_by_activity ON users (last_activity);
          CREATE TABLE layout (line INTEGER PRIMARY KEY, content TEXT NOT NULL) STRICT;
          """)
    }
    // The number of users without a scan of the table.
    migrator.registerMigration("2") { database in
      try database.execute(
        sql: """
          CREATE TABLE totals (users INTEGER NOT NULL) STRICT;
          INSERT INTO totals SELECT count(*) FROM users;
          CREATE TRIGGER user_added AFTER INSERT ON users
            BEGIN UPDATE totals SET users = users + 1; END;
          CREATE TRIGGER user_removed AFTER DELETE ON users
            BEGIN UPDATE totals SET users = users - 1; END;
          """)
    }
    return migrator
  }

  /// Brings the tables to the latest version; refuses those of a later program.
  func migrate() throws(UserStateError) {
    do {
      let (migrator, known) = (Self.migrator, Self.migrator.migrations)
      let later = try pool.read { database in
        try migrator.appliedIdentifiers(database).subtracting(known)
      }
      guard later.isEmpty else {
        throw UserStateError.foreign(
          path: path, part: "version of the tables",
          expected: "at most \(known.last ?? "0")",
          found: later.sorted().joined(separator: ", "))
      }
      try migrator.migrate(pool)
    } catch {
      throw Self.told(error, path, "bring the tables to the latest version")
    }
  }

  /// Refuses users that were stored under another definition of the state.
  func checkLayout() throws(UserStateError) {
    let expected = StateEncoder.storedLayout(of: encoder.definition)
    let found: [String]
    do {
      found = try pool.write { database in
        let found = try String.fetchAll(database, sql: "SELECT content FROM layout ORDER BY line")
        if !found.isEmpty { return found }
        for line in expected {
          try database.execute(
            sql: "INSERT INTO layout (content) VALUES (?)", arguments: [line])
        }
        return expected
      }
    } catch {
      throw Self.told(error, path, "read the layout")
    }
    guard found != expected else { return }
    let place = zip(expected, found).first { $0.0 != $0.1 }
    throw .foreign(
      path: path, part: "state definition", expected: place?.0 ?? "\(expected.count) parts",
      found: place?.1 ?? "\(found.count)")
  }
}
