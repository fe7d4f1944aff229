package import FusionMDP

/// Looks for what can be wrong with a log, by accident or on purpose, before anything is estimated from
/// it. Findings are no proof of health: what each check can't see stands beside it.
package enum DataChecks {
  /// What transitions alone do not say.
  package struct Facts: Sendable {
    /// The mean and deviation of a request's reward in data that is trusted.
    package struct RewardReference: Sendable, Equatable {
      /// What the data is, for messages.
      package var name: String
      /// Mean reward of a request there.
      package var mean: Double
      /// Standard deviation there; nil where only the mean is known.
      package var deviation: Double?
      /// How many times larger or smaller the checked data's mean or deviation may be.
      package var largestFactor: Double

      /// A reference with a name that messages call it.
      package init(
        name: String, mean: Double, deviation: Double?,
        largestFactor: Double = Threshold.rewardFactor
      ) {
        self.name = name
        self.mean = mean
        self.deviation = deviation
        self.largestFactor = largestFactor
      }
    }

    /// The feedback that rewards are made of.
    package struct Signals: Sendable {
      /// V names.
      package var names: [String]
      /// Signals summed over the lists of these transitions [n·V].
      package var values: @Sendable (_ transitions: [Int]) -> [Float]
      /// The length of each transition's list [N]; nil where they are unknown.
      package var itemCounts: [Int]?

      /// Signals that are read when the checks ask.
      package init(
        names: [String], values: @escaping @Sendable (_ transitions: [Int]) -> [Float],
        itemCounts: [Int]?
      ) {
        self.names = names
        self.values = values
        self.itemCounts = itemCounts
      }
    }

    /// S names; a feature without one is called by its number.
    package var stateNames: [String] = []
    /// A names.
    package var actionNames: [String] = []
    /// What rewards are held against, each by itself.
    package var references: [RewardReference] = []
    /// Nil: not stored.
    package var signals: Signals?

    /// Nothing known.
    package init() {}
  }

  /// From where on something is found.
  package enum Threshold {
    /// Fewer users give intervals that nobody should trust.
    package static let users = 30
    /// Fewer sessions tell little.
    package static let sessions = 100
    /// Deviation of a weight, in units of the box, below which it does not vary.
    package static let actionDeviation = 1e-3
    /// Different actions below which weights were switched and not explored.
    package static let distinctActions = 10
    /// How many times larger or smaller than the reference's a reward's mean or deviation may be.
    package static let rewardFactor = 3.0
    /// Mean minutes of play of an item.
    package static let playMinutes = 60.0
    /// Share of sessions with the content of another one.
    package static let duplicates = 0.001
    /// Share of transitions without a logged density.
    package static let unknownPropensities = 0.05
    /// Nats a dimension that a density may be at most: a deviation of about 1/2,500 of the box.
    package static let logDensityPerDimension = 7.0
    /// With right densities the smallest of all is refused in at most this share of logs.
    package static let rarestDensity = 1e-4
    /// Squared partial rank correlation of a feature with its request's reward, the next one or the
    /// session's end, beyond what the past explains.
    package static let leak: Limits = (warning: 0.2, error: 0.3)
    /// The same at a session's start with what the session holds, beyond the user's earlier sessions:
    /// fewer columns explain, so that an honest feature may know more.
    package static let leakAcrossSessions: Limits = (warning: 0.35, error: 0.5)
    /// The same where users have no earlier sessions: an honest profile knows who is active and may
    /// explain nine tenths of a session, so that only what is nearly a copy of it is told.
    package static let leakWithoutPast: Limits = (warning: 0.95, error: 0.98)

    /// From where on a statistic is told, and from where on nothing honest explains it.
    package typealias Limits = (warning: Double, error: Double)
  }

  /// Runs all checks, errors first.
  package static func run(
    on source: any TransitionSource, facts: Facts = Facts()
  ) -> [DataFinding] {
    guard source.sessionCount > 0, source.transitionCount > 0 else {
      return [
        DataFinding(
          check: .sessions, severity: .error, summary: "there is no session in the data",
          advice: "look at what was left out when the log was prepared")
      ]
    }
    let data = CheckedTransitions(source)
    var findings = SessionChecks.findings(source, data)
    findings += ActionChecks.findings(data, names: facts.actionNames)
    findings += PropensityChecks.findings(data)
    findings += RewardChecks.findings(data, facts: facts)
    if data.hasFiniteRewards { findings += LeakageChecks.findings(data, names: facts.stateNames) }
    return findings.filter { $0.severity == .error } + findings.filter { $0.severity == .warning }
  }
}

/// A source read once, as the checks need it.
struct CheckedTransitions {
  let stateSize: Int
  let actionSize: Int
  var states: [Float] = []
  var actions: [Float] = []
  var rewards: [Float] = []
  var propensities: [Float] = []
  let sessions: [Range<Int>]
  let ends: [SessionEnd]
  let users: [UInt64]
  let startTimes: [Int64]
  /// The number of transitions.
  var count: Int { rewards.count }
  var hasFiniteRewards: Bool { rewards.allSatisfy(\.isFinite) }

  init(_ source: any TransitionSource) {
    stateSize = source.stateSize
    actionSize = source.actionSize
    let all = 0..<source.sessionCount
    sessions = all.map(source.session)
    ends = all.map(source.sessionEnd)
    users = all.map(source.userHash)
    startTimes = all.map(source.startTimeMilliseconds)
    for start in stride(from: 0, to: source.transitionCount, by: 4096) {
      let rows = Array(start..<min(start + 4096, source.transitionCount))
      let batch = source.batch(at: rows)
      states += batch.states
      actions += batch.actions
      rewards += batch.rewards
      propensities += source.logPropensities(at: rows)
    }
  }

  /// The name of feature or weight `index`, or its number.
  static func name(_ index: Int, _ names: [String]) -> String {
    index < names.count ? "'\(names[index])'" : "number \(index)"
  }
}

/// Mean and standard deviation.
func meanAndDeviation(_ values: some Collection<Float>) -> (mean: Double, deviation: Double) {
  let count = Double(max(1, values.count))
  let mean = values.reduce(0) { $0 + Double($1) } / count
  let squares = values.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) }
  return (mean, (squares / count).squareRoot())
}
