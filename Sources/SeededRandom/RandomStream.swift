/// A named stream of random numbers: the same seed and name give the same bits on every machine.
///
/// A stream is a key and a 128-bit counter put through Philox4x32-10. Children have their own key,
/// derived from the parent's identity and a name, never from what the parent has drawn: a draw
/// added in one place shifts no other stream.
public struct RandomStream: RandomNumberGenerator, Sendable, Equatable {
  /// Everything a stream is, for checkpoints. Restoring it continues with the very next word.
  public struct State: Sendable, Equatable, Codable {
    /// Philox key.
    public var key: UInt64
    /// Upper half of the counter: with the key, the identity of the stream.
    public var stream: UInt64
    /// Lower half of the counter: the blocks drawn so far.
    public var block: UInt64
    /// The second word of the latest block, while it is not yet used.
    public var leftover: UInt64?

    /// A state put together from its parts.
    public init(key: UInt64, stream: UInt64, block: UInt64, leftover: UInt64?) {
      self.key = key
      self.stream = stream
      self.block = block
      self.leftover = leftover
    }
  }

  /// The state to store; ``init(state:)`` goes on from it.
  public private(set) var state: State

  /// The root of a named stream.
  public init(seed: UInt64, name: String) {
    self = RandomStream(
      state: State(key: seed, stream: 0, block: 0, leftover: nil)
    ).child(name)
  }

  /// Goes on exactly where the state was taken.
  public init(state: State) {
    self.state = state
  }

  /// An independent stream that depends on this stream's identity, the name and the index only.
  ///
  /// Nothing is drawn from `self`, and the child is the same whatever `self` has drawn.
  public func child(_ name: String, _ index: Int = 0) -> RandomStream {
    // A key of its own keeps these blocks apart from those that `next()` draws.
    let derivationKey = stableHash(state.key, seed: 0x6368_696C_6472_656E)
    let (key, stream) = Philox4x32.pair(
      low: stableHash(name, seed: state.stream),
      high: UInt64(bitPattern: Int64(index)), key: derivationKey)
    return RandomStream(state: State(key: key, stream: stream, block: 0, leftover: nil))
  }

  /// 64 uniform bits.
  public mutating func next() -> UInt64 {
    if let word = state.leftover {
      state.leftover = nil
      return word
    }
    let (first, second) = Philox4x32.pair(
      low: state.block, high: state.stream, key: state.key)
    state.block &+= 1
    state.leftover = second
    return first
  }

  /// A multiple of 2⁻⁵³, uniform in [0, 1).
  public mutating func uniform() -> Double {
    Double(next() >> 11) * 0x1p-53
  }

  /// Uniform between the bounds.
  public mutating func uniform(in range: ClosedRange<Double>) -> Double {
    let share = uniform()
    return range.lowerBound * (1 - share) + range.upperBound * share
  }

  /// A draw from N(0, 1), by inversion: one word a draw, none rejected, |x| < 8.3.
  ///
  /// Inversion keeps the count of words independent of the values, and holds no spare draw that a
  /// checkpoint would have to carry.
  public mutating func gaussian() -> Double {
    // Centers of 2⁵² cells: never 0 and never 1.
    let share = (Double(next() >> 12) + 0.5) * 0x1p-52
    return NormalDistribution.quantile(share)
  }

  /// `count` draws from N(0, 1), the same that ``gaussian()`` would give one after another.
  public mutating func gaussians(_ count: Int) -> [Float] {
    precondition(count >= 0, "count is \(count), must not be negative")
    var draws = [Float](repeating: 0, count: count)
    for i in draws.indices { draws[i] = Float(gaussian()) }
    return draws
  }

  /// `count` draws from N(0, 1) cut to −bound … bound: what ``gaussians(_:)`` would give, clipped.
  ///
  /// A bound up to 1.4 costs two thirds of plain draws: it needs no quantile of the tails.
  public mutating func gaussians(_ count: Int, clippedTo bound: Float) -> [Float] {
    precondition(bound > 0, "a bound of \(bound), expected one above 0")
    precondition(count >= 0, "count is \(count), must not be negative")
    let reach = NormalDistribution.cumulative(Double(bound)) - 0.5
    guard reach <= NormalDistribution.centralReach else {
      return gaussians(count).map { min(max($0, -bound), bound) }
    }
    // Two loops, so that the compiler can do the second for several draws at a time.
    var offsets = [Double](repeating: 0, count: count)
    for i in offsets.indices { offsets[i] = (Double(next() >> 12) + 0.5) * 0x1p-52 - 0.5 }
    var draws = [Float](repeating: 0, count: count)
    for i in draws.indices {
      let offset = min(max(offsets[i], -reach), reach)
      draws[i] = min(max(Float(NormalDistribution.centralQuantile(offset: offset)), -bound), bound)
    }
    return draws
  }

  /// Uniform in 0..<count, without bias.
  ///
  /// Source: Lemire, "Fast random integer generation in an interval", TOMACS 2019, algorithm 5.
  public mutating func index(below count: Int) -> Int {
    precondition(count > 0, "cannot draw an index below \(count)")
    let bound = UInt64(count)
    var product = next().multipliedFullWidth(by: bound)
    if product.low < bound {
      let rejected = (0 &- bound) % bound
      while product.low < rejected { product = next().multipliedFullWidth(by: bound) }
    }
    return Int(product.high)
  }

  /// `count` indices in 0..<bound, drawn with replacement.
  public mutating func indices(below bound: Int, count: Int) -> [Int] {
    precondition(count >= 0, "count is \(count), must not be negative")
    var drawn = [Int](repeating: 0, count: count)
    for i in drawn.indices { drawn[i] = index(below: bound) }
    return drawn
  }

  /// A uniform permutation of 0..<count (Fisher and Yates).
  public mutating func shuffled(_ count: Int) -> [Int] {
    precondition(count >= 0, "count is \(count), must not be negative")
    var order = Array(0..<count)
    var last = count - 1
    while last > 0 {
      order.swapAt(last, index(below: last + 1))
      last -= 1
    }
    return order
  }
}
