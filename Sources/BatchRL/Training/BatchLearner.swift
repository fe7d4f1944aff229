package import DurableFiles
package import FusionMDP
package import SeededRandom

/// The settings of a learner.
package protocol LearnerConfiguration: Codable, Sendable, Equatable {
  /// The first setting that is out of its range, in words; nil when all are fine.
  var problem: String? { get }
}

/// An algorithm that learns a policy from batches of logged transitions.
///
/// A value: copying it copies all networks and moments. What a step draws comes from the stream
/// of that step alone, so that a learner restored from its tensors goes on with the same bits.
package protocol BatchLearner: Sendable {
  /// The algorithm's settings.
  associatedtype Configuration: LearnerConfiguration
  /// What was chosen.
  var configuration: Configuration { get }
  /// The algorithm's name in files and on the command line.
  static var algorithm: String { get }
  /// The size of a state, S.
  var stateSize: Int { get }
  /// The size of an action, A.
  var actionSize: Int { get }
  /// The number of threads that a step may use; it changes no bit of the result.
  var threads: Int { get set }

  /// An untrained learner; its networks are drawn from named children of `stream`.
  init(
    stateSize: Int, actionSize: Int, configuration: Configuration,
    initializedFrom stream: RandomStream)

  /// One step of the algorithm.
  ///
  /// - Parameters:
  ///   - batch: B transitions with normalized states.
  ///   - number: the step's number, counted from 1.
  ///   - stream: the stream of this step; named children are drawn from.
  /// - Throws: `TrainingDivergence` when a loss is not finite or a value explodes.
  mutating func step(
    _ batch: TransitionBatch, number: Int, drawingFrom stream: RandomStream
  ) throws(TrainingDivergence) -> StepMetrics

  /// The policy learnt so far, which takes raw states.
  func policy(normalizer: StateNormalizer) -> any FusionPolicy

  /// Q at these normalized states [B·S] and actions [B·A]; nil for a learner without critics.
  func values(states: [Float], actions: [Float]) -> [Float]?

  /// Everything that the next step depends on: networks, slow copies, moments.
  func tensors() -> [(String, Tensor)]

  /// Takes over stored tensors.
  ///
  /// - Throws: an error that names the tensor at fault; the learner is then not to be used.
  mutating func load(_ stored: (String) throws -> Tensor) throws
}
