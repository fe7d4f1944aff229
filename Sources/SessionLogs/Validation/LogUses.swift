/// What a log can be used for, as it stands.
public struct LogUses: Sendable, Equatable {
  /// One use.
  public struct Use: Sendable, Equatable, Encodable {
    /// `training`, `logged_propensities`, `fitted_propensities`, `fitted_q`.
    public let name: String
    /// Whether the log allows it.
    public let possible: Bool
    /// Why not, or what to keep in mind; empty if nothing.
    public let reason: String

    enum CodingKeys: String, CodingKey {
      case possible, reason
      case name = "use"
    }
  }

  /// The uses.
  public let uses: [Use]

  /// - Parameter propensityCoverage: the share of decisions whose log density is known.
  init(
    _ schema: LogSchema, isValid: Bool, warnings: [LogWarning], propensityCoverage: Double
  ) {
    var missing = [LogSchema.Part.state, .action].filter { !schema.knows($0) }
      .map { "\($0.rawValue)s are unknown" }
    missing += warnings.filter(\.forbidsTraining).map(\.finding)
    if !isValid { missing.append("the log is not valid") }
    let why = missing.joined(separator: ", ")
    let wrong = warnings.filter {
      [.propensitiesAllOne, .propensitiesConstant, .propensitiesTooLarge, .propensitiesTooSmall]
        .contains($0.kind)
    }
    let trusted = missing.isEmpty && propensityCoverage > 0 && wrong.isEmpty
    uses = [
      Use(name: "training", possible: missing.isEmpty, reason: why),
      Use(name: "fitted_q", possible: missing.isEmpty, reason: why),
      Use(
        name: "logged_propensities", possible: trusted,
        reason: !missing.isEmpty
          ? why
          : propensityCoverage == 0
            ? "no log density is known"
            : !wrong.isEmpty
              ? wrong.map(\.finding).joined(separator: "; ")
              : propensityCoverage < 1
                ? "for the \(Int(propensityCoverage * 100)) % of decisions whose density is known"
                : ""
      ),
      Use(
        name: "fitted_propensities", possible: missing.isEmpty,
        reason: missing.isEmpty ? "what rests on a fitted density is marked so" : why),
    ]
  }
}
