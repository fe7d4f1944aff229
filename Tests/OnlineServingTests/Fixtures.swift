import DenseKernels
import Foundation
import FusionMDP
import NeuralNetworks
import OnlineServing
import PolicyArtifacts
import SeededRandom
import SessionLogs
import Synchronization
import UserStates

/// A folder that is removed with the last reference to it.
final class TemporaryFolder: Sendable {
  let path: String

  init() throws {
    path =
      FileManager.default.temporaryDirectory
      .appendingPathComponent("amalgam-serving-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// A switch that several tasks see.
final class Flag: Sendable {
  private let value = Mutex(false)

  var isSet: Bool { value.withLock { $0 } }

  func set() { value.withLock { $0 = true } }
}

/// A clock that moves by what is slept and by what a test says.
final class ManualClock: Sendable {
  static let start: Int64 = 1_700_000_000_000
  private let passed = Mutex(UInt64(0))

  func advance(nanoseconds: UInt64) { passed.withLock { $0 += nanoseconds } }

  func advance(milliseconds: UInt64) { advance(nanoseconds: milliseconds * 1_000_000) }

  var milliseconds: Int64 { Self.start + Int64(passed.withLock { $0 } / 1_000_000) }

  var serving: ServingClock {
    ServingClock(
      milliseconds: { self.milliseconds }, nanoseconds: { self.passed.withLock { $0 } },
      sleep: { self.advance(nanoseconds: $0) })
  }

  var users: UserStateClock {
    UserStateClock(
      milliseconds: { self.milliseconds }, nanoseconds: { self.passed.withLock { $0 } })
  }
}

extension ServingClock {
  /// One at which nothing ever takes time.
  static let still = ServingClock(
    milliseconds: { ManualClock.start }, nanoseconds: { 0 },
    sleep: { _ in try? await Task.sleep(nanoseconds: 60_000_000_000) })

  static let system = ServingClock(
    milliseconds: { Int64(Date().timeIntervalSince1970 * 1000) },
    nanoseconds: { DispatchTime.now().uptimeNanoseconds },
    sleep: { try? await Task.sleep(nanoseconds: $0) })
}

/// A store in memory that can be made to hang, to fail and to be slow.
final class ScriptedStore: UserStateStore {
  enum Behavior: Sendable {
    case answers
    case fails
    /// Waits until ``letGo()``.
    case hangs
    /// Lets time pass before it answers.
    case slow(ManualClock, milliseconds: UInt64)
    /// Lets other tasks run, and then does this, before it answers.
    case yields(@Sendable () -> Void)
  }

  private struct Content {
    var users: [String: UserContext] = [:]
    var behavior = Behavior.answers
    var waiting: [CheckedContinuation<Void, Never>] = []
    var calls = 0
  }

  private let encoder: StateEncoder
  private let content = Mutex(Content())

  init(_ encoder: StateEncoder, _ behavior: Behavior = .answers) {
    self.encoder = encoder
    content.withLock { $0.behavior = behavior }
  }

  var calls: Int { content.withLock { $0.calls } }

  func set(_ behavior: Behavior) { content.withLock { $0.behavior = behavior } }

  func letGo() {
    let waiting = content.withLock { content in
      content.behavior = .answers
      defer { content.waiting = [] }
      return content.waiting
    }
    for continuation in waiting { continuation.resume() }
  }

  func context(of user: String) -> UserContext? { content.withLock { $0.users[user] } }

  func put(_ context: UserContext, of user: String) {
    content.withLock { $0.users[user] = context }
  }

  func state(of user: String) async throws(UserStateError) -> UserContext? { context(of: user) }

  func update<Result: Sendable>(
    _ user: String, _ change: @Sendable (inout UserContext) -> Result
  ) async throws(UserStateError) -> Result {
    let behavior = content.withLock { content in
      content.calls += 1
      return content.behavior
    }
    switch behavior {
    case .answers: break
    case .fails: throw .closed(path: "scripted")
    case .hangs:
      await withCheckedContinuation { continuation in
        content.withLock { $0.waiting.append(continuation) }
      }
    case .slow(let clock, let milliseconds): clock.advance(milliseconds: milliseconds)
    case .yields(let act):
      await Task.yield()
      act()
    }
    return content.withLock { content in
      change(&content.users[user, default: UserContext(using: encoder)])
    }
  }

  func record(
    _ feedback: [UserFeedbackEvent], of user: String
  ) async throws(UserStateError) -> Int {
    content.withLock { content in
      for event in feedback {
        content.users[user, default: UserContext(using: encoder)]
          .record(event.interaction, using: encoder)
      }
    }
    return feedback.count
  }

  func delete(_ user: String) async throws(UserStateError) {
    content.withLock { $0.users[user] = nil }
  }

  func export(_ user: String) async throws(UserStateError) -> UserExport? { nil }
  func flush() async throws(UserStateError) {}
  func close() async throws(UserStateError) {}
  var metrics: UserStateMetrics { UserStateMetrics() }
}

/// Keeps what it is given, or refuses it.
final class RecordingSink: DecisionSink {
  struct Refusal: Error {}

  private let content = Mutex(
    (events: [DecisionEvent](), shadows: [ShadowDecision](), refuses: false))

  var events: [DecisionEvent] { content.withLock { $0.events } }
  var shadows: [ShadowDecision] { content.withLock { $0.shadows } }

  func setRefuses(_ refuses: Bool) { content.withLock { $0.refuses = refuses } }

  func append(_ event: DecisionEvent) async throws {
    try content.withLock { content in
      if content.refuses { throw Refusal() }
      content.events.append(event)
    }
  }

  func append(_ decision: ShadowDecision) async throws {
    try content.withLock { content in
      if content.refuses { throw Refusal() }
      content.shadows.append(decision)
    }
  }
}

/// Decides the same numbers for everybody, whatever they are.
struct RawPolicy: FusionPolicy {
  let name = "raw"
  let actionSize: Int
  let action: [Float]

  func decide(
    _ requests: PolicyRequests, using stream: inout RandomStream
  ) -> PolicyDecisions {
    PolicyDecisions(actions: action)
  }
}

/// A service of twelve tasks and its parts.
struct Service {
  static let encoder = StateEncoder(profileSize: 2)
  static let contract = ServingContract(fusion: .standard, encoder: encoder)
  static let staticAction = [Float](repeating: 0.25, count: 12)

  let clock = ManualClock()
  let store: ScriptedStore
  let sink = RecordingSink()
  let policies: LivePolicies
  let ranking: RankingService

  init(
    contract: ServingContract = Service.contract, action: [Float] = Service.staticAction,
    clock still: ServingClock? = nil,
    settings change: (inout ServingSettings) -> Void = { _ in }
  ) throws {
    var settings = ServingSettings()
    change(&settings)
    store = ScriptedStore(contract.encoder)
    policies = try LivePolicies(
      contract: contract,
      fallback: StaticWeights(version: "static", action: action, fusion: contract.fusion))
    ranking = RankingService(
      policies: policies, store: store, sink: sink, clock: still ?? clock.serving,
      settings: settings)
  }
}

enum Samples {
  static let normalizer = StateNormalizer(
    mean: [Float](repeating: 0.5, count: Service.encoder.stateSize),
    deviation: [Float](repeating: 2, count: Service.encoder.stateSize))

  static func network(seed: UInt64 = 2, actionSize: Int = 12) -> NetworkPolicy {
    var stream = RandomStream(seed: seed, name: "sample policies")
    return NetworkPolicy(
      name: "network",
      network: MultilayerPerceptron(
        shape: .init(
          inputs: Service.encoder.stateSize, hidden: [8], outputs: actionSize,
          outputActivation: .tanh),
        initializedBy: &stream),
      normalizer: normalizer)
  }

  static func batchConstrained(
    candidates: Int = 7, hidden: [Int] = [8, 6]
  ) -> BatchConstrainedPolicy {
    var stream = RandomStream(seed: 1, name: "sample policies")
    let size = Service.encoder.stateSize
    return BatchConstrainedPolicy(
      name: "sample",
      behaviorModel: ConditionalVAE(
        shape: .init(stateSize: size, actionSize: 12, latentSize: 5, hidden: hidden),
        initializedBy: &stream),
      perturbation: MultilayerPerceptron(
        shape: .init(inputs: size + 12, hidden: hidden, outputs: 12, outputActivation: .tanh),
        initializedBy: &stream),
      critic: MultilayerPerceptron(
        shape: .init(inputs: size + 12, hidden: hidden, outputs: 1), initializedBy: &stream),
      actionCandidates: candidates, normalizer: normalizer)
  }

  static func artifact(
    _ policy: any FusionPolicy, fusion: FusionDefinition = .standard
  ) throws -> PolicyArtifact {
    try PolicyArtifact(
      policy: policy, algorithm: "test", fusion: fusion, stateEncoder: Service.encoder, seed: 1,
      revision: "0123abc")
  }

  /// The static weights of one action, as a policy.
  static func fixed(_ value: Float, version: String, actionSize: Int = 12) -> LivePolicy {
    LivePolicy(
      version: version,
      policy: FixedWeightsPolicy(action: [Float](repeating: value, count: actionSize)))
  }

  /// Scores of N candidates [N·K], by the seed.
  static func scores(
    _ count: Int, _ schema: TaskSchema = .standard, seed: UInt64
  ) -> [Float] {
    var stream = RandomStream(seed: seed, name: "scores")
    return (0..<count).flatMap { _ in
      schema.tasks.map { task in
        Float(stream.uniform()) * (task.domain == .seconds ? 60 : 1)
      }
    }
  }

  static func request(
    _ index: Int, user: String = "u1", candidates: Int = 30, count: Int = 6,
    schema: TaskSchema = .standard
  ) throws -> RankRequest {
    try RankRequest(
      id: "r\(index)", userID: user, itemIDs: (0..<candidates).map { "v\(index)-\($0)" },
      tasks: schema.names, scores: scores(candidates, schema, seed: UInt64(index)), count: count)
  }

  /// What a user did with an item.
  static func interaction(_ index: Int, at time: Int64, request: Int64) -> Interaction {
    var stream = RandomStream(seed: UInt64(index), name: "interaction")
    return Interaction(
      timeMilliseconds: time, requestTimeMilliseconds: request,
      playSeconds: Float(stream.uniform(in: 0...90)), playIntegrity: Float(stream.uniform()),
      behaviors: Service.encoder.behaviorNames.map { _ in stream.uniform() < 0.3 ? 1 : 0 })
  }

  /// A user with so many interactions before the clock's start.
  static func user(_ count: Int) -> UserContext {
    var context = UserContext(using: Service.encoder)
    for index in 0..<count {
      let time = ManualClock.start - 86_400_000 + Int64(index) * 1000
      context.record(interaction(index, at: time, request: time - 500), using: Service.encoder)
    }
    return context
  }
}
