/// The mean of the parameters of many rounds (Polyak and Juditsky, 1992).
///
/// The last iterate carries the noise of the last mini-batches, which the bootstrapped target
/// amplifies by up to 1/(1 − γ); their mean is much closer to the limit that eq. 10 asks for.
struct IterateAverage {
  private var sum: [Double]
  private var rounds = 0.0

  init(count: Int) {
    sum = [Double](repeating: 0, count: count)
  }

  mutating func add(_ parameters: [Float]) {
    for index in sum.indices { sum[index] += Double(parameters[index]) }
    rounds += 1
  }

  /// Whether there is nothing to take a mean of.
  var isEmpty: Bool { rounds == 0 }

  var mean: [Float] { sum.map { Float($0 / max(1, rounds)) } }
}

/// Where a fit is going: the mean iterates of the last tenth of the rounds and of the tenth before.
struct IterateCourse {
  private let rounds: Int
  private let tenth: Int
  private var before: IterateAverage
  private var last: IterateAverage

  init(rounds: Int, count: Int) {
    self.rounds = rounds
    tenth = max(1, rounds / 10)
    before = IterateAverage(count: count)
    last = before
  }

  mutating func add(_ parameters: [Float], round: Int) {
    if round >= rounds - tenth {
      last.add(parameters)
    } else if round >= rounds - 2 * tenth {
      before.add(parameters)
    }
  }

  /// Both means, or nil if there were too few rounds for two.
  var means: (before: [Float], last: [Float])? {
    before.isEmpty ? nil : (before.mean, last.mean)
  }
}
