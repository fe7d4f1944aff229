/// One session of a log: what the user did in it, and what came after.
package struct FeedbackSession: Sendable, Equatable {
  /// The user's number, from 0 in the order of ids.
  package var user: Int
  /// Its first request, in milliseconds since 1970.
  package var startMilliseconds: Int64
  /// Its last request or feedback, in milliseconds since 1970.
  package var endMilliseconds: Int64
  /// Items shown.
  package var impressions: Int
  /// Whether the log's window cuts it, or feedback on it may still arrive.
  package var isTruncated: Bool
  /// The feedback signals, summed over the session [V].
  package var signals: [Double]
  /// Sessions of the same user before it in the log.
  package var sessionsBefore = 0
  /// Items shown to the same user before it in the log.
  package var impressionsBefore = 0
  /// App time of the user's next session, in minutes; nil for the last one.
  package var nextMinutes: Double?
  /// Whether the next session is truncated, so that its app time is not all seen.
  package var nextIsTruncated = false
  /// App time in the days after the session's end, in minutes.
  package var horizonMinutes = 0.0

  /// A session without anything before or after it.
  package init(
    user: Int, startMilliseconds: Int64, endMilliseconds: Int64, impressions: Int,
    isTruncated: Bool, signals: [Double]
  ) {
    self.user = user
    self.startMilliseconds = startMilliseconds
    self.endMilliseconds = endMilliseconds
    self.impressions = impressions
    self.isTruncated = isTruncated
    self.signals = signals
  }
}

/// Gathers the requests of a log, user by user in time order, into sessions.
package struct SessionGathering {
  /// One request.
  package struct Request: Sendable {
    /// The user's number.
    package var user: Int
    /// The session's number within the user, from 0.
    package var session: Int
    /// When it came.
    package var timeMilliseconds: Int64
    /// The last feedback on it, or its own time.
    package var activeMilliseconds: Int64
    /// Items shown.
    package var impressions: Int
    /// Whether its session is truncated.
    package var isTruncated: Bool
    /// Its summed feedback signals [V].
    package var signals: [Double]

    package init(
      user: Int, session: Int, timeMilliseconds: Int64, activeMilliseconds: Int64,
      impressions: Int, isTruncated: Bool, signals: [Double]
    ) {
      self.user = user
      self.session = session
      self.timeMilliseconds = timeMilliseconds
      self.activeMilliseconds = activeMilliseconds
      self.impressions = impressions
      self.isTruncated = isTruncated
      self.signals = signals
    }
  }

  private let horizonMilliseconds: Int64
  private let playSignal: Int
  private var sessions: [FeedbackSession] = []
  /// The requests of the user under way: times, minutes of play, session.
  private var requests: [(time: Int64, minutes: Double, session: Int)] = []
  private var firstOfUser = 0
  private var lastSession = -1

  /// - Parameter playSignal: the signal that holds play minutes, which are the app time.
  package init(horizonMilliseconds: Int64, playSignal: Int) {
    self.horizonMilliseconds = horizonMilliseconds
    self.playSignal = playSignal
  }

  /// Adds a request: users in the order of their numbers, each user's requests in time order.
  package mutating func add(_ request: Request) {
    let isSameUser = sessions.count > firstOfUser && sessions[firstOfUser].user == request.user
    if !isSameUser { endUser() }
    if !isSameUser || request.session != lastSession {
      sessions.append(
        FeedbackSession(
          user: request.user, startMilliseconds: request.timeMilliseconds,
          endMilliseconds: request.activeMilliseconds, impressions: 0,
          isTruncated: request.isTruncated,
          signals: [Double](repeating: 0, count: request.signals.count)))
      lastSession = request.session
    }
    let place = sessions.count - 1
    sessions[place].impressions += request.impressions
    sessions[place].endMilliseconds = max(
      sessions[place].endMilliseconds, request.activeMilliseconds)
    for (index, value) in request.signals.enumerated() { sessions[place].signals[index] += value }
    requests.append((request.timeMilliseconds, request.signals[playSignal], place))
  }

  /// The sessions, by user and time.
  package mutating func finish() -> [FeedbackSession] {
    endUser()
    return sessions
  }

  /// Looks ahead from each session of the user who is done.
  private mutating func endUser() {
    var impressions = 0
    var (first, end, minutes) = (0, 0, 0.0)
    for place in firstOfUser..<sessions.count {
      sessions[place].sessionsBefore = place - firstOfUser
      sessions[place].impressionsBefore = impressions
      impressions += sessions[place].impressions
      if place + 1 < sessions.count {
        sessions[place].nextMinutes = sessions[place + 1].signals[playSignal]
        sessions[place].nextIsTruncated = sessions[place + 1].isTruncated
      }
      // Requests first ..< end came after the session and within the horizon; both only grow.
      let limit = sessions[place].endMilliseconds + horizonMilliseconds
      while end < requests.count, requests[end].time <= limit {
        minutes += requests[end].minutes
        end += 1
      }
      while first < end, requests[first].session <= place {
        minutes -= requests[first].minutes
        first += 1
      }
      // Subtraction leaves crumbs of rounding where nothing is left.
      if first == end { minutes = 0 }
      sessions[place].horizonMinutes = max(0, minutes)
    }
    requests.removeAll(keepingCapacity: true)
    firstOfUser = sessions.count
    lastSession = -1
  }
}
