package import FusionMDP

/// One served request, with what only a simulation knows.
package struct ServedRequest: Sendable {
  /// The user, an index of the platform's users.
  package var user: Int
  /// The hash under which policies and logs know the user.
  package var userHash: UInt64
  /// The user's sessions before this one.
  package var session: Int
  /// The requests of the session before this one.
  package var ordinal: Int
  /// When the request was made.
  package var timeMilliseconds: Int64
  /// The state that the policy saw [S], raw.
  package var state: [Float]
  /// The normalized action [A].
  package var action: [Float]
  /// The log density of the action in nats, if the policy knows it.
  package var logPropensity: Double?
  /// The videos shown [l], in rank order.
  package var shown: [Int]
  /// The ranker's scores of the videos shown [l·K].
  package var taskScores: [Float]
  /// The user's responses [l].
  package var feedback: [UserFeedback]
  /// When each response was complete [l]; ascending, before the next request.
  package var feedbackMilliseconds: [Int64]
  /// Sum of play and browsing time, in seconds.
  package var appSeconds: Double
  /// What is hidden from logs and learners.
  package var truth: Truth

  /// What is hidden from logs and learners.
  package struct Truth: Sendable, Equatable {
    /// The user's type.
    package var type: Int
    /// Raw satisfaction of the list: its mean over the items.
    package var listSatisfaction: Double
    /// Running session satisfaction after the list.
    package var sessionSatisfaction: Double
    /// Whether the user left after this request.
    package var leaves: Bool
    /// Milliseconds to the next request, of this session or the next.
    package var gapMilliseconds: Int64
  }
}

/// A user's day: what the experiment's metrics are made of.
package struct UserDay: Sendable, Equatable {
  /// The user, an index of the platform's users.
  package var user: Int
  /// The day of the run, from 0. A session counts for the day on which it began.
  package var day: Int
  /// Sessions that began on the day.
  package var sessions = 0
  /// Requests served.
  package var requests = 0
  /// Seconds of play and browsing.
  package var appSeconds = 0.0
  /// Impressions that were played at all.
  package var plays = 0
  /// Plays with a like, follow, comment, forward or profile enter.
  package var positivePlays = 0

  init(user: Int, day: Int) {
    self.user = user
    self.day = day
  }

  /// Minutes of play and browsing.
  package var appMinutes: Double { appSeconds / 60 }
}

/// One finished session.
package struct SessionOutcome: Sendable, Equatable {
  /// The user, an index of the platform's users.
  package var user: Int
  /// When the session began.
  package var startMilliseconds: Int64
  /// Requests served.
  package var requests: Int
  /// Σ γ^t · r_t from the first request.
  package var discountedReturn: Double
  /// Seconds of play and browsing.
  package var appSeconds: Double
  /// From the first request to the end of the last list, in seconds.
  package var wallSeconds: Double
}

/// What a run gives beside its records.
package struct PlatformRun: Sendable {
  /// A value for every user of the run and day, users in the order asked for, days ascending.
  package var userDays: [UserDay]
  /// Finished sessions, users in the order asked for, time ascending.
  package var sessions: [SessionOutcome]
  /// Where the users are after the run; a later run can start from it.
  package var state: PlatformState
}

/// Where every user of a platform is between two runs.
///
/// A value: take it once after a warm-up and start every arm of a comparison from it.
package struct PlatformState: Sendable, Equatable {
  /// The start of the next run: midnight, local time.
  package internal(set) var startMilliseconds: Int64
  var users: [UserState]

  /// The latest interactions of a user.
  package func history(of user: Int) -> InteractionHistory { users[user].history }
}

/// Where one user is between two sessions.
struct UserState: Sendable, Equatable {
  var history: InteractionHistory
  /// The latest videos, oldest overwritten first.
  var recent: [Int32] = []
  var recentPosition = 0
  var nextSessionMilliseconds: Int64
  var lastSessionEndMilliseconds: Int64?
  var sessions = 0
}
