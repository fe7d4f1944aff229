internal import FusionMDP

/// What the store holds of one user.
struct UserRecord: Sendable, Equatable {
  var context: UserContext
  var events = RecentEvents()
  /// The latest change, in milliseconds since 1970.
  var lastActivity: Int64

  init(context: UserContext, lastActivity: Int64) {
    self.context = context
    self.lastActivity = lastActivity
  }

  /// From the columns of the table.
  init(
    context bytes: [UInt8], events: [UInt8], lastActivity: Int64, using encoder: StateEncoder,
    eventCapacity: Int
  ) throws(UserRecordError) {
    do {
      context = try UserContext(stored: bytes, using: encoder)
    } catch {
      throw UserRecordError(part: error.part, expected: error.expected, found: error.found)
    }
    self.events = try RecentEvents(stored: events, capacity: eventCapacity)
    self.lastActivity = lastActivity
  }

  var memoryBytes: Int { context.memoryBytes + events.memoryBytes }

  /// Changes the record where it stands, without a copy of its arrays.
  mutating func change(_ body: (inout UserRecord) -> Bool) -> Bool { body(&self) }

  /// Takes in the events that are new, in order; how many there were.
  mutating func take(
    _ feedback: [UserFeedbackEvent], using encoder: StateEncoder, eventCapacity: Int
  ) -> Int {
    feedback.count { event in
      guard events.insert(event.id, capacity: eventCapacity) else { return false }
      context.record(event.interaction, using: encoder)
      return true
    }
  }
}
