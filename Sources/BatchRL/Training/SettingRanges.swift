/// What settings of learners may be, in words where one is not.
enum SettingRanges {
  /// Widths of hidden layers.
  static func widths(_ name: String, _ hidden: [Int], atLeast layers: Int = 0) -> String? {
    let widths = 1...TrainingConfiguration.largestWidth
    guard hidden.allSatisfy(widths.contains) else {
      return "\(name) is \(hidden), expected widths in \(widths)"
    }
    guard hidden.count >= layers else {
      return "\(name) is \(hidden), expected at least \(layers) layer"
    }
    return nil
  }

  /// γ.
  static func discount(_ discount: Float) -> String? {
    (0..<1).contains(discount)
      ? nil : "discount is \(discount), expected a number in [0, 1)"
  }

  /// Counts, each with the least that it may be.
  static func counts(_ counts: [(String, Int)], atLeast least: Int = 1) -> String? {
    first(counts, where: { !(least...10_000).contains($0) }, "a number in \(least)...10000")
  }

  /// Shares.
  static func shares(_ shares: [(String, Float)]) -> String? {
    first(shares, where: { !(0...1).contains($0) }, "a number in [0, 1]")
  }

  /// Numbers above 0.
  static func positive(_ numbers: [(String, Float)]) -> String? {
    first(numbers, where: { !($0 > 0 && $0.isFinite) }, "a number above 0")
  }

  /// Numbers of at least 0.
  static func notNegative(_ numbers: [(String, Float)]) -> String? {
    first(numbers, where: { !($0 >= 0 && $0.isFinite) }, "a number of at least 0")
  }

  private static func first<Value>(
    _ settings: [(String, Value)], where isWrong: (Value) -> Bool, _ expected: String
  ) -> String? {
    settings.first { isWrong($0.1) }.map { "\($0.0) is \($0.1), expected \(expected)" }
  }
}
