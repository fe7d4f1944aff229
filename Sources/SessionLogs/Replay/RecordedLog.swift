package import FusionMDP

/// Events of a log that is held in memory, and the states of its decisions.
///
/// The same rule as in ``StateReplay``: what is known before a decision is what happened *and*
/// arrived before it, and never feedback on its own list.
package struct RecordedLog: Sendable {
  /// A request and how many items its list had.
  package struct Decision: Sendable {
    package var user: String
    package var timeMilliseconds: Int64
    package var impressions: Int

    package init(user: String, timeMilliseconds: Int64, impressions: Int) {
      self.user = user
      self.timeMilliseconds = timeMilliseconds
      self.impressions = impressions
    }
  }

  /// Feedback on a shown item.
  package struct Feedback: Sendable {
    package var user: String
    package var arrivalMilliseconds: Int64
    package var interaction: Interaction

    package init(user: String, arrivalMilliseconds: Int64, interaction: Interaction) {
      self.user = user
      self.arrivalMilliseconds = arrivalMilliseconds
      self.interaction = interaction
    }

    /// From when on it is known: strictly later requests may use it.
    package var knownMilliseconds: Int64 {
      max(
        arrivalMilliseconds, interaction.timeMilliseconds, interaction.requestTimeMilliseconds)
    }
  }

  /// A row of the profile table.
  package struct Profile: Sendable {
    package var user: String
    /// From when on it holds; nil: always.
    package var timeMilliseconds: Int64?
    package var values: [ProfileValue]

    package init(user: String, timeMilliseconds: Int64?, values: [ProfileValue]) {
      self.user = user
      self.timeMilliseconds = timeMilliseconds
      self.values = values
    }
  }

  package var decisions: [Decision]
  package var feedback: [Feedback]
  package var profiles: [Profile]

  package init(
    decisions: [Decision] = [], feedback: [Feedback] = [], profiles: [Profile] = []
  ) {
    self.decisions = decisions
    self.feedback = feedback
    self.profiles = profiles
  }

  private enum Event {
    case decision(Int)
    case feedback(Int)
    case profile(Int)
  }

  /// The states of all decisions, in their order [N][S].
  /// - Throws: `StateDefinitionError` for a profile that the definition does not fit.
  package func states(_ encoder: StateEncoder) throws(StateDefinitionError) -> [[Float]] {
    typealias Key = (user: String, known: Int64, kind: Int, time: Int64, id: Int)
    var events: [(key: Key, event: Event)] = []
    for (id, item) in decisions.enumerated() {
      let time = item.timeMilliseconds
      events.append(((item.user, time, 0, time, id), .decision(id)))
    }
    for (id, item) in feedback.enumerated() {
      events.append(
        (
          (item.user, item.knownMilliseconds, 1, item.interaction.timeMilliseconds, id),
          .feedback(id)
        ))
    }
    for (id, item) in profiles.enumerated() {
      let time = item.timeMilliseconds ?? .min
      events.append(((item.user, time, 2, time, id), .profile(id)))
    }
    events.sort { $0.key < $1.key }
    var states = [[Float]](repeating: [], count: decisions.count)
    var replay = UserReplay(encoder)
    for (key, event) in events {
      replay.begin(user: key.user)
      switch event {
      case .decision(let id):
        states[id] = replay.decide(
          at: decisions[id].timeMilliseconds, impressions: decisions[id].impressions)
      case .feedback(let id): replay.record(feedback[id].interaction)
      case .profile(let id): try replay.update(profile: profiles[id].values)
      }
    }
    return states
  }
}
