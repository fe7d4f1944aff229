import ArgumentParser

/// How large a count that somebody asks for may be; what is larger overflows, or fills all memory.
struct CountRange {
  let least: Int
  let most: Int

  /// Threads that work side by side.
  static let threads = CountRange(least: 1, most: 1_024)
  /// Simulated days: ten years at most.
  static let days = CountRange(least: 1, most: 3_650)
  /// Simulated days that may be left out.
  static let optionalDays = CountRange(least: 0, most: 3_650)
  /// Users, sessions, rounds and what else is counted.
  static let things = CountRange(least: 1, most: 1_000_000_000)

  /// Checks the count under a key of a configuration.
  ///
  /// - Throws: `CommandFailure.usage` naming the key, what was expected and found.
  func check(_ key: String, _ count: Int) throws {
    if let expected = expected(of: count) {
      throw CommandFailure.usage("\(key): expected \(expected), found \(count)")
    }
  }

  /// Checks the count of a flag, in `validate()` of its verb.
  ///
  /// - Throws: `ValidationError` naming the flag, what was found and expected.
  func check(flag: String, _ count: Int) throws {
    if let expected = expected(of: count) {
      throw ValidationError("\(flag) \(count): expected \(expected)")
    }
  }

  private func expected(of count: Int) -> String? {
    count < least ? "at least \(least)" : count > most ? "at most \(most)" : nil
  }
}
