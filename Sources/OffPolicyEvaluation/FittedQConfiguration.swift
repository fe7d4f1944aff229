/// The constants of a fit (paper, Algorithm 2), shared by FQE and the Conservative-OPEstimator.
package struct FittedQConfiguration: Sendable, Equatable {
  /// Where the next state's value in the regression target comes from.
  package enum TargetRule: Sendable, Equatable {
    /// Q_k itself, the network as it stands before round k's step: eq. 10 as written.
    case previousIterate
    /// A slow copy that moves toward Q_k by this rate each round.
    case slowCopy(rate: Float)
  }

  /// What is drawn again as a whole when sessions are resampled.
  package enum ResamplingUnit: String, Sendable, Equatable, CaseIterable {
    /// A user with all of their sessions: sessions of one user resemble each other.
    case users
    /// Single sessions.
    case sessions
  }

  /// K: rounds.
  package var rounds = 5000
  /// m: transitions a round.
  package var batchSize = 512
  /// Every round reads all transitions, each once, instead of m drawn ones: no noise of batches, for
  /// data so small that a round over all of it is cheap.
  package var readsAllTransitions = false
  /// n: initial states that V̂ is the mean over; all of them when there are fewer.
  package var initialStates = 5000
  /// γ.
  package var discount = 0.95
  /// Adam's step size.
  package var learningRate: Float = 1e-4
  /// Widths of the hidden layers.
  package var hidden = [256, 256]
  /// Share of the rounds, the last ones, whose iterates are averaged into Q̂; 0 takes the last.
  package var averagedShare = 0.2
  /// Where Q_k in the target comes from.
  package var target = TargetRule.previousIterate
  /// Actions drawn of the policy for each state; 1 is enough for a deterministic one.
  package var policySamples = 1
  /// Fits on resampled sessions that the interval is made of.
  package var intervalFits = 4
  /// Fits that run side by side; their number changes no bit.
  package var threads = 1
  /// Coverage of the interval.
  package var confidence = 0.95
  /// What is drawn again as a whole when sessions are resampled.
  package var resampling = ResamplingUnit.users
  /// |mean Q| over max|r|/(1 − γ) beyond which a fit counts as diverged.
  package var divergenceFactor = 1000.0

  /// The paper's constants, and this project's where it names none.
  package init() {}

  /// What is wrong, in words, or nil.
  package var problem: String? {
    for (name, count, least) in [
      ("rounds", rounds, 1), ("batchSize", batchSize, 1), ("initialStates", initialStates, 1),
      ("policySamples", policySamples, 1), ("intervalFits", intervalFits, 2),
      ("threads", threads, 1),
    ] where count < least {
      return "\(name): expected at least \(least), found \(count)"
    }
    for (name, count, most) in [
      ("rounds", rounds, 1_000_000_000), ("batchSize", batchSize, 1_000_000),
      ("policySamples", policySamples, 10_000), ("intervalFits", intervalFits, 10_000),
    ] where count > most {
      return "\(name): expected at most \(most), found \(count)"
    }
    if !hidden.allSatisfy((1...16_384).contains) {
      return "hidden: expected widths in 1...16384, found \(hidden)"
    }
    if !(discount >= 0 && discount < 1) {
      return "discount: expected a number in [0, 1), found \(discount)"
    }
    if !(learningRate > 0 && learningRate.isFinite) {
      return "learningRate: expected a number above 0, found \(learningRate)"
    }
    if !(0...1).contains(averagedShare) {
      return "averagedShare: expected a number in [0, 1], found \(averagedShare)"
    }
    if !(confidence > 0 && confidence < 1) {
      return "confidence: expected a number in (0, 1), found \(confidence)"
    }
    return divergenceFactor > 0
      ? nil : "divergenceFactor: expected a number above 0, found \(divergenceFactor)"
  }

  func check() {
    if let problem { preconditionFailure("off-policy evaluation, \(problem)") }
  }
}
