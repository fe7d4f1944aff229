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

  var mean: [Float] { sum.map { Float($0 / max(1, rounds)) } }
}
