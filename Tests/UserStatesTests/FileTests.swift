import Foundation
import FusionMDP
import GRDB
import Testing
import UserStates

@Suite("files of users")
struct FileTests {
  private let folder: TemporaryFolder
  private let encoder: StateEncoder
  private let clock = ManualClock()
  private var path: String { folder.file("users") }

  init() throws {
    folder = try TemporaryFolder()
    encoder = try TestUsers.encoder()
  }

  private func open(_ encoder: StateEncoder? = nil) throws -> EmbeddedUserStore {
    try EmbeddedUserStore(
      path: path, encoder: encoder ?? self.encoder, limits: .manual, clock: clock.clock)
  }

  private func expectError(_ parts: String..., opening encoder: StateEncoder? = nil) {
    do {
      _ = try open(encoder)
      Issue.record("opened")
    } catch {
      for part in [path] + parts { #expect("\(error)".contains(part), "\(error)") }
    }
  }

  /// The tables of version 1 as that version made them, with these users.
  private func writeVersion1(_ users: [(String, UserContext)]) throws {
    var configuration = Configuration()
    configuration.prepareDatabase { database in
      try database.execute(sql: "PRAGMA page_size = 8192; PRAGMA application_id = 1095587155")
    }
    let queue = try DatabaseQueue(path: path, configuration: configuration)
    try queue.write { database in
      try database.execute(
        sql: """
          CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY);
          INSERT INTO grdb_migrations VALUES ('1');
          CREATE TABLE users (
            rowid INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, last_activity INTEGER NOT NULL,
            context BLOB NOT NULL, events BLOB NOT NULL) STRICT;
          CREATE INDEX users_by_activity ON users (last_activity);
          CREATE TABLE layout (line INTEGER PRIMARY KEY, content TEXT NOT NULL) STRICT;
          """)
      for line in StateEncoder.storedLayout(of: encoder.definition) {
        try database.execute(sql: "INSERT INTO layout (content) VALUES (?)", arguments: [line])
      }
      for (user, context) in users {
        try database.execute(
          sql: "INSERT INTO users VALUES (NULL, ?, ?, ?, ?)",
          arguments: [user, clock.time, Data(context.stored(using: encoder)), Data()])
      }
    }
    try queue.close()
  }

  @Test("a file of version 1 is brought to the latest, with its users and their number")
  func migration() async throws {
    let users = (0..<20).map { ("user \($0)", TestUsers.context(30 * $0, encoder)) }
    try writeVersion1(users)
    var store = try open()
    #expect(store.metrics.storedUsers == 20)
    for (user, context) in users { #expect(try await store.state(of: user) == context) }
    _ = try await store.record([TestUsers.event(600, encoder)], of: "user 1")
    try await store.update("new") { $0.profile = [1, 1] }
    try await store.delete("user 2")
    try await store.close()
    store = try open()
    #expect(store.metrics.storedUsers == 20)
    #expect(try await store.state(of: "user 1")?.history.totalCount == 31)
    try await store.close()
  }

  @Test("files of something else are refused and stay as they were")
  func foreign() throws {
    let other = try DatabaseQueue(path: path)
    try other.write { try $0.execute(sql: "CREATE TABLE things (a)") }
    try other.close()
    let before = try Data(contentsOf: URL(fileURLWithPath: path))
    expectError("application_id", "expected 1095587155", "found 0")
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before)
    try Data("a text".utf8).write(to: URL(fileURLWithPath: path))
    expectError("expected an SQLite database", "found other bytes")
    #expect(try folder.contents() == Data("a text".utf8))
    try FileManager.default.removeItem(atPath: path)
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    expectError("cannot open the file")
  }

  @Test("only the service's own user reads the files, and a missing folder is told")
  func access() async throws {
    let store = try open()
    try await store.update("a") { $0.profile = [1, 1] }
    try await store.flush()
    for name in ["users", "users-wal", "users-shm"] {
      let attributes = try FileManager.default.attributesOfItem(atPath: folder.file(name))
      #expect(attributes[.posixPermissions] as? Int == 0o600, "\(name)")
    }
    try await store.close()
    #expect {
      try EmbeddedUserStore(
        path: folder.file("none/users"), encoder: encoder, clock: clock.clock)
    } throws: { error in
      "\(error)".contains("none/users: cannot make the store: cannot create the file")
    }
  }

  @Test("the page of the documentation names every limit, counter and column")
  func page() async throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    let page = try String(
      contentsOf: root.appendingPathComponent("Docs/UserStates.md"), encoding: .utf8)
    var names = Mirror(reflecting: UserStateLimits()).children.compactMap(\.label)
    names += Mirror(reflecting: UserStateMetrics()).children.compactMap(\.label)
    try await open().close()
    let queue = try DatabaseQueue(path: path)
    names += try await queue.read { database in
      try String.fetchAll(
        database,
        sql: """
          SELECT c.name FROM sqlite_schema t, pragma_table_info(t.name) c
          WHERE t.type = 'table' AND t.name NOT LIKE 'grdb%'
          UNION SELECT name FROM sqlite_schema WHERE type = 'table'
          """)
    }
    try queue.close()
    #expect(names.count > 30)
    for name in names { #expect(page.contains("`\(name)`"), "\(name)") }
  }

  @Test("a later version, another definition and a second opening are refused")
  func refused() async throws {
    let store = try open()
    expectError("another process, or another store of this one, has it open")
    try await store.update("a") { $0.profile = [1, 1] }
    try await store.close()
    var definition = TestUsers.definition
    definition.history.windows[1].interactions = 30
    expectError(
      "state definition: expected history.windows: 5 30 100 500",
      "found history.windows: 5 20 100 500", opening: try StateEncoder(definition))
    let queue = try DatabaseQueue(path: path)
    try await queue.write { try $0.execute(sql: "INSERT INTO grdb_migrations VALUES ('99')") }
    try queue.close()
    expectError("version of the tables: expected at most 2, found 99")
  }

  @Test("a damaged user is an error with the row, others are read, and the user can be deleted")
  func damagedUser() async throws {
    var store = try open()
    for user in ["a", "b"] {
      _ = try await store.record((0..<50).map { TestUsers.event($0, encoder) }, of: user)
    }
    try await store.close()
    let queue = try DatabaseQueue(path: path)
    try await queue.write { database in
      try database.execute(
        sql: """
          UPDATE users SET context =
            CAST(substr(context, 1, 100) || x'FEFF' || substr(context, 103) AS BLOB)
          WHERE id = 'a'
          """)
    }
    try queue.close()
    store = try open()
    await #expect {
      try await store.state(of: "a")
    } throws: { error in
      let text = "\(error)"
      return text.contains(path) && text.contains("damaged: row 1 of users, hash: expected ")
        && !text.contains("“a”")
    }
    #expect(try await store.state(of: "b") == TestUsers.context(50, encoder))
    try await store.delete("a")
    _ = try await store.record([TestUsers.event(0, encoder)], of: "a")
    #expect(try await store.state(of: "a") == TestUsers.context(1, encoder))
    try await store.close()
  }

  @Test("damaged pages give errors with the path or the users as they were, never others")
  func damagedPages() async throws {
    let store = try open()
    for user in 0..<40 {
      _ = try await store.record((0..<500).map { TestUsers.event($0, encoder) }, of: "user \(user)")
    }
    try await store.close()
    let whole = try Data(contentsOf: URL(fileURLWithPath: path))
    var (errors, sound) = (0, 0)
    // Each page but the first in turn is overwritten in its middle and at its start.
    for page in stride(from: 1, to: whole.count / 8192, by: 3) {
      var damaged = whole
      for start in [page * 8192, page * 8192 + 3000] {
        for place in start..<start + 64 { damaged[place] = UInt8(place % 251) }
      }
      try damaged.write(to: URL(fileURLWithPath: path))
      for beside in ["-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + beside) }
      do {
        let store = try open()
        for user in 0..<40 {
          do {
            let found = try await store.state(of: "user \(user)")
            #expect(found == nil || found == TestUsers.context(500, encoder))
            sound += found == nil ? 0 : 1
          } catch {
            #expect(error.description.contains(path), "\(error)")
            errors += 1
          }
        }
        try? await store.close()
      } catch {
        #expect("\(error)".contains(path), "\(error)")
        errors += 1
      }
    }
    #expect(errors > 10 && sound > 100, "\(errors) errors, \(sound) users")
  }
}
