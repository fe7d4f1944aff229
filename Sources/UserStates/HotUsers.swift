/// The users in memory: found by id, the least recently used first to leave.
///
/// A user with changes that are not written yet is *pending* and does not leave; it stands outside
/// the order of use until it is written.
struct HotUsers: Sendable {
  private struct Entry: Sendable {
    var user = ""
    var record: UserRecord?
    /// The number of its latest change, so that a write can tell whether it wrote that one.
    var version = 0
    var isPending = false
    var bytes = 0
    /// Neighbors in the order of use; -1 for none.
    var newer = -1
    var older = -1
  }

  /// What an entry takes beside its record and its id: dictionary, links, allocator.
  private static let overhead = 256

  private var entries: [Entry] = []
  private var slots: [String: Int] = [:]
  private var free: [Int] = []
  private var newest = -1
  private var oldest = -1
  /// The memory that users take, in bytes.
  private(set) var bytes = 0
  /// How many users are pending.
  private(set) var pendingCount = 0
  /// How many changes there were: no two have the same number.
  private var changes = 0

  var count: Int { slots.count }

  func slot(of user: String) -> Int? { slots[user] }

  func record(at slot: Int) -> UserRecord? { entries[slot].record }

  func isPending(at slot: Int) -> Bool { entries[slot].isPending }

  func version(at slot: Int) -> Int { entries[slot].version }

  /// Adds a user who is not there yet, as the latest used.
  mutating func insert(_ user: String, _ record: UserRecord) -> Int {
    let slot: Int
    if let freed = free.popLast() {
      slot = freed
    } else {
      slot = entries.count
      entries.append(Entry())
    }
    entries[slot].user = user
    entries[slot].record = record
    slots[user] = slot
    link(slot)
    measure(slot)
    return slot
  }

  /// Makes a user the latest used.
  mutating func touch(_ slot: Int) {
    if entries[slot].isPending || newest == slot { return }
    unlink(slot)
    link(slot)
  }

  /// Changes a user in place, if `body` says that it did; true if it was not pending before.
  mutating func change(_ slot: Int, _ body: (inout UserRecord) -> Bool) -> Bool {
    guard entries[slot].record?.change(body) == true else { return false }
    changes += 1
    entries[slot].version = changes
    measure(slot)
    if entries[slot].isPending { return false }
    unlink(slot)
    entries[slot].isPending = true
    pendingCount += 1
    return true
  }

  /// Says that the change of this version is written; true if there is none after it.
  mutating func written(_ slot: Int, version: Int) -> Bool {
    guard entries[slot].isPending else { return true }
    guard entries[slot].version == version else { return false }
    entries[slot].isPending = false
    pendingCount -= 1
    link(slot)
    return true
  }

  mutating func remove(_ user: String) {
    guard let slot = slots.removeValue(forKey: user) else { return }
    if entries[slot].isPending { pendingCount -= 1 } else { unlink(slot) }
    bytes -= entries[slot].bytes
    entries[slot] = Entry()
    free.append(slot)
  }

  /// Lets the least recently used leave until the bounds hold; how many left.
  mutating func trim(users: Int, bytes most: Int) -> Int {
    var left = 0
    while count > users || bytes > most, oldest >= 0 {
      remove(entries[oldest].user)
      left += 1
    }
    return left
  }

  private mutating func measure(_ slot: Int) {
    bytes -= entries[slot].bytes
    entries[slot].bytes =
      (entries[slot].record?.memoryBytes ?? 0) + 2 * entries[slot].user.utf8.count + Self.overhead
    bytes += entries[slot].bytes
  }

  private mutating func link(_ slot: Int) {
    entries[slot].older = newest
    entries[slot].newer = -1
    if newest >= 0 { entries[newest].newer = slot } else { oldest = slot }
    newest = slot
  }

  private mutating func unlink(_ slot: Int) {
    let (newer, older) = (entries[slot].newer, entries[slot].older)
    if newer >= 0 { entries[newer].older = older } else { newest = older }
    if older >= 0 { entries[older].newer = newer } else { oldest = newer }
    (entries[slot].newer, entries[slot].older) = (-1, -1)
  }
}
