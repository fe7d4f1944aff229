/// Something that is wrong, or looks wrong, with logged transitions.
package struct DataFinding: Sendable, Equatable, Codable, CustomStringConvertible {
  /// How bad it is.
  package enum Severity: String, Sendable, Codable {
    /// Estimates can be made; read them with this in mind.
    case warning
    /// No estimate from this log means anything before it is repaired.
    case error
  }

  /// What was looked at.
  package enum Check: String, Sendable, Codable, CaseIterable {
    /// Users.
    case users
    /// Sessions: how many.
    case sessions
    /// Whether actions vary.
    case actionVariation = "action_variation"
    /// Whether rewards are numbers that vary.
    case rewards
    /// Whether rewards and signals are in their units.
    case units
    /// Features that know the reward of their own request or the future.
    case leakage
    /// Sessions that stand twice.
    case duplicates
    /// The order of the sessions in time.
    case timeOrder = "time_order"
    /// Logged densities.
    case propensities
  }

  /// What was looked at.
  package let check: Check
  /// How bad it is.
  package let severity: Severity
  /// One sentence with the numbers found and expected.
  package let summary: String
  /// What to do about it.
  package let advice: String

  /// The finding in one line for people.
  package var description: String { "\(severity.rawValue): \(summary); \(advice)" }
}
