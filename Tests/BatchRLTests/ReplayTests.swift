import BatchRL
import FusionMDP
import SeededRandom
import Testing

/// `count` transitions from number `first` on, each field saying which it is.
private func transitions(from first: Int, count: Int) -> (TransitionBatch, [Int]) {
  let numbers = Array(first..<first + count)
  let batch = TransitionBatch(
    stateSize: 2, actionSize: 1, states: numbers.flatMap { [Float($0), -Float($0)] },
    actions: numbers.map { Float($0) / 100 }, rewards: numbers.map { Float($0) * 10 },
    nextStates: numbers.flatMap { [Float($0) + 0.5, 1] },
    bootstraps: numbers.map { Float($0 % 2) })
  return (batch, numbers)
}

@Suite struct ReplayBufferTests {
  @Test("for every capacity and every way to fill it, the latest transitions stand in order")
  func exhaustive() {
    for capacity in 1...5 {
      for pattern in 0..<(1 << 10) {  // where an append of the 11 transitions ends
        var buffer = ReplayBuffer(capacity: capacity, stateSize: 2, actionSize: 1)
        var start = 0
        for end in 1...11 where end == 11 || pattern >> (end - 1) & 1 == 1 {
          let (batch, numbers) = transitions(from: start, count: end - start)
          buffer.append(batch, from: numbers)
          start = end
          let held = Array(max(0, end - capacity)..<end)
          guard buffer.count == held.count,
            buffer.sourceIndices(of: Array(0..<buffer.count)) == held
          else {
            Issue.record("capacity \(capacity), pattern \(pattern), after \(end)")
            return
          }
        }
        let (expected, _) = transitions(from: 11 - capacity, count: capacity)
        #expect(buffer.batch(at: Array(0..<capacity)) == expected)
      }
    }
  }

  @Test("a batch holds the transitions asked for, repeats too")
  func gather() {
    var buffer = ReplayBuffer(capacity: 4, stateSize: 2, actionSize: 1)
    let (batch, numbers) = transitions(from: 0, count: 6)
    buffer.append(batch, from: numbers)
    let drawn = buffer.batch(at: [3, 0, 3])
    #expect(drawn.rewards == [50, 20, 50])
    #expect(drawn.states == [5, -5, 2, -2, 5, -5])
    #expect(drawn.bootstraps == [1, 0, 1])
    #expect(buffer.sourceIndices(of: [3, 0, 3]) == [5, 2, 5])
  }

  @Test("draws cover all transitions evenly")
  func draws() {
    var buffer = ReplayBuffer(capacity: 5, stateSize: 2, actionSize: 1)
    let (batch, numbers) = transitions(from: 0, count: 8)
    buffer.append(batch, from: numbers)
    var stream = RandomStream(seed: 1, name: "draws")
    var counts = [Int](repeating: 0, count: 5)
    for number in buffer.sample(10_000, using: &stream) { counts[number] += 1 }
    // Five standard deviations of a binomial count of 2000 are 200.
    #expect(counts.allSatisfy { abs($0 - 2000) < 200 })
  }
}

@Suite struct TransitionFeedTests {
  @Test("a source that fits goes in once and stays")
  func fits() {
    var feed = TransitionFeed(count: 7, capacity: 7, perStep: 3)
    #expect(feed.initialIndices() == 0..<7)
    #expect(feed.nextIndices() == [])
    #expect(feed.fedCount == 7)
  }

  @Test("a larger source passes through in time order, again and again")
  func passes() {
    var feed = TransitionFeed(count: 7, capacity: 4, perStep: 5)
    #expect(feed.initialIndices() == 0..<4)
    #expect(feed.nextIndices() == [4, 5, 6, 0, 1])
    #expect(feed.nextIndices() == [2, 3, 4, 5, 6])
    #expect(feed.contents(fedCount: feed.fedCount) == [3, 4, 5, 6])
    #expect(feed.contents(fedCount: 2) == [0, 1])
    #expect(feed.contents(fedCount: 9) == [5, 6, 0, 1])
  }

  @Test("the contents said to follow from the count are those of the buffer")
  func contents() {
    for count in 1...9 {
      for capacity in 1...6 {
        var feed = TransitionFeed(count: count, capacity: capacity, perStep: 4)
        var buffer = ReplayBuffer(
          capacity: min(count, capacity), stateSize: 2, actionSize: 1)
        func put(_ indices: [Int]) {
          for index in indices {
            buffer.append(transitions(from: index, count: 1).0, from: [index])
          }
        }
        put(Array(feed.initialIndices()))
        for _ in 0..<5 {
          #expect(
            feed.contents(fedCount: feed.fedCount)
              == buffer.sourceIndices(of: Array(0..<buffer.count)))
          put(feed.nextIndices())
        }
      }
    }
  }
}
