import DurableFiles

/// Notices values that no return can have.
///
/// |Q| is at most max |r| / (1 − γ); an estimate may overshoot, so `factor` times that is the
/// bound, with max |r| over all batches seen and taken as 1 when it is less.
struct ValueGuard: Sendable {
  let factor: Float
  let discount: Float
  /// max |r| seen so far.
  private(set) var largestReward: Float = 0

  init(factor: Float, discount: Float) {
    self.factor = factor
    self.discount = discount
  }

  /// What |Q| may be at most.
  var bound: Double {
    Double(factor) * Double(max(1, largestReward)) / Double(1 - discount)
  }

  mutating func observe(rewards: [Float]) {
    for reward in rewards where abs(reward) > largestReward { largestReward = abs(reward) }
  }

  func check(_ value: Double, step: Int) throws(TrainingDivergence) {
    guard value <= bound else {
      throw TrainingDivergence(step: step, quantity: "|Q|", value: value, bound: bound)
    }
  }

  func tensors() -> [(String, Tensor)] { [("largest_reward", Tensor([largestReward]))] }

  mutating func load(_ stored: (String) throws -> Tensor) throws {
    observe(rewards: try stored("largest_reward").floats("largest_reward"))
  }
}
