/// What a platform does under the reference policy, beside the anchors it was fitted to.
package struct PlatformCheck: Sendable, Equatable, Codable {
  /// One number of the log and of the platform.
  ///
  /// What nothing stands behind, as a correlation of a behavior that never happened, is NaN; JSON
  /// has null for it.
  package struct Row: Sendable, Equatable, Codable {
    /// What is compared.
    package var name: String
    /// The log's number.
    package var anchor: Double
    /// The platform's.
    package var simulated: Double
    /// How far they may be apart: what the platform is allowed to miss and 1.96 standard errors,
    /// which have nothing to do with each other and so add in squares.
    package var tolerance: Double
    /// What chance does to the simulated number: which users were drawn and what they happened to
    /// do. Nil where there is nothing to tell it from, as with a single user.
    package var standardError: Double?

    enum CodingKeys: String, CodingKey { case name, anchor, simulated, tolerance, standardError }

    init(
      name: String, anchor: Double, simulated: Double, tolerance: Double,
      standardError: Double? = nil
    ) {
      self.name = name
      self.anchor = anchor
      self.simulated = simulated
      self.tolerance = tolerance
      self.standardError = standardError
    }

    /// Reads null as NaN.
    package init(from decoder: any Decoder) throws {
      let values = try decoder.container(keyedBy: CodingKeys.self)
      func number(_ key: CodingKeys) throws -> Double {
        try values.decodeNil(forKey: key) ? .nan : values.decode(Double.self, forKey: key)
      }
      self.init(
        name: try values.decode(String.self, forKey: .name), anchor: try number(.anchor),
        simulated: try number(.simulated), tolerance: try number(.tolerance),
        standardError: try values.decodeIfPresent(Double.self, forKey: .standardError))
    }

    /// Writes null for what is not finite.
    package func encode(to encoder: any Encoder) throws {
      var values = encoder.container(keyedBy: CodingKeys.self)
      try values.encode(name, forKey: .name)
      for (key, number) in [
        (CodingKeys.anchor, anchor), (.simulated, simulated), (.tolerance, tolerance),
      ] {
        try values.encode(number.isFinite ? number : nil, forKey: key)
      }
      try values.encode(
        standardError.flatMap { $0.isFinite ? $0 : nil }, forKey: .standardError)
    }

    /// Whether they are near enough.
    package var passes: Bool { abs(simulated - anchor) <= tolerance }
  }

  /// The comparisons.
  package var rows: [Row]

  /// The comparisons that are off.
  package var failures: [Row] { rows.filter { !$0.passes } }

  /// One line a comparison: name, anchor, simulated, tolerance, standard error, and a mark where it
  /// is off.
  package var lines: [String] {
    func text(_ x: Double) -> String {
      let digits = abs(x) >= 10 ? 100.0 : 10_000.0
      return "\((x * digits).rounded() / digits)"
    }
    func padded(_ text: String, _ width: Int) -> String {
      text + String(repeating: " ", count: max(width - text.count, 1))
    }
    return rows.map { row in
      padded(row.name, 34) + padded(text(row.anchor), 10) + padded(text(row.simulated), 10)
        + "±" + padded(text(row.tolerance), 9) + padded(row.standardError.map(text) ?? "", 8)
        + (row.passes ? "" : "off")
    }
  }
}

extension PlatformCheck {
  /// Groups of users that the standard errors are told from.
  static let groups = 20

  /// The comparisons of all groups together, with a delete-a-group jackknife over the groups:
  ///
  ///     s² = (G − 1)/G · Σ_g (θ₍g₎ − mean θ₍g₎)²,   θ₍g₎ the number without group g
  ///
  /// A group holds whole users, so users who do much, or more of something, are accounted for.
  /// Where rare behaviors leave the jackknife nothing to see, the binomial error at the anchor
  /// stands.
  init(_ groups: [CheckTally], anchors: PlatformAnchors) {
    var total = groups[0]
    for group in groups.dropFirst() { total.add(group, sign: 1) }
    let whole = total.comparisons(anchors)
    var partial: [[Double]] = []
    for group in groups where groups.count > 1 {
      var others = total
      others.add(group, sign: -1)
      partial.append(others.comparisons(anchors).map(\.simulated))
    }
    rows = whole.indices.map { index in
      let found = whole[index]
      guard let error = Self.jackknife(partial.map { $0[index] }) else {
        return Row(
          name: found.name, anchor: found.anchor, simulated: found.simulated,
          tolerance: found.closeness)
      }
      let standardError = max(error, found.leastError)
      let chance = 1.96 * standardError
      return Row(
        name: found.name, anchor: found.anchor, simulated: found.simulated,
        tolerance: (found.closeness * found.closeness + chance * chance).squareRoot(),
        standardError: standardError)
    }
  }

  private static func jackknife(_ values: [Double]) -> Double? {
    guard values.count > 1 else { return nil }
    let count = Double(values.count)
    let mean = values.reduce(0, +) / count
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return ((count - 1) / count * squares).squareRoot()
  }
}

extension SimulatedPlatform {
  /// Runs the reference policy on fresh random numbers and compares it with the anchors.
  package func check(
    users: Int = 512, days: Int = 3, seed: UInt64, threads: Int = 1
  ) -> PlatformCheck {
    let wanted = min(users, data.users.count)
    let members = (0..<wanted).map { $0 * data.users.count / wanted }
    var group: [Int: Int] = [:]
    for (position, user) in members.enumerated() { group[user] = position % PlatformCheck.groups }
    var tallies = (0..<min(PlatformCheck.groups, wanted)).map { _ in CheckTally(platform: self) }
    let run = run(
      policy: configuration.referencePolicy, users: members,
      from: warmedState(
        days: 1, seed: seed &+ 1, threads: threads), days: days, seed: seed, threads: threads
    ) { tallies[group[$0.user] ?? 0].add($0, clock: clock) }
    for day in run.userDays { tallies[group[day.user] ?? 0].add(day) }
    return PlatformCheck(tallies, anchors: anchors)
  }
}
