/// Which transitions of a source go into the replay buffer, and when.
///
/// The rule (the paper leaves it open): before the first step the buffer takes the first
/// `min(capacity, count)` transitions in time order. A source that fits stays there. A larger one
/// passes through: after every step the next `perStep` transitions go in and push out the oldest;
/// behind the last comes the first again. With as many a step as are drawn a step, every
/// transition is drawn once a pass on average, and the buffer is a window that moves through
/// time.
package struct TransitionFeed: Sendable, Equatable {
  /// The number of transitions of the source.
  package let count: Int
  /// The capacity of the buffer.
  package let capacity: Int
  /// How many go in after a step, when not all fit.
  package let perStep: Int
  /// The number put in so far, repeats included.
  package private(set) var fedCount: Int

  /// A feed before the first step.
  package init(count: Int, capacity: Int, perStep: Int) {
    precondition(
      count > 0 && capacity > 0 && perStep >= 0,
      "a feed of \(perStep) a step from \(count) transitions into \(capacity)")
    self.count = count
    self.capacity = capacity
    self.perStep = perStep
    fedCount = 0
  }

  /// What the buffer holds before the first step.
  package mutating func initialIndices() -> Range<Int> {
    fedCount = min(count, capacity)
    return 0..<fedCount
  }

  /// What goes in after a step.
  package mutating func nextIndices() -> [Int] {
    guard count > capacity else { return [] }
    let start = fedCount
    fedCount += perStep
    return (start..<fedCount).map { $0 % count }
  }

  /// What the buffer holds after so many were put in, from the oldest on.
  package func contents(fedCount: Int) -> [Int] {
    (max(0, fedCount - capacity)..<fedCount).map { $0 % count }
  }

  /// Goes on where a checkpoint stood.
  package mutating func resume(fedCount: Int) { self.fedCount = fedCount }
}
