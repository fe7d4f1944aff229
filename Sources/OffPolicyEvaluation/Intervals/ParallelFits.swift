import Dispatch
import Synchronization

/// The one place where estimates run on several threads: whole fits, side by side.
///
/// Every fit has a stream and networks of its own, and results come back in the order of the fits,
/// so the number of threads changes no bit.
struct ParallelFits {
  let threads: Int

  /// Runs fits 0 ..< `count`.
  ///
  /// - Parameters:
  ///   - rounds: how often each fit calls what it is given, for the progress.
  ///   - progress: called on the calling thread only; if it throws, all fits stop.
  ///   - fit: one fit by index; calls its second argument after each round.
  /// - Throws: what `progress` throws, else the error of the first fit that failed.
  func run<Found: Sendable>(
    count: Int, rounds: Int, progress: EvaluationProgress,
    _ fit: @escaping @Sendable (_ index: Int, _ onRound: () throws -> Void) throws -> Found
  ) throws -> [Found] {
    let board = Board<Found>(count: count)
    let group = DispatchGroup()
    for _ in 1..<max(1, min(threads, count)) {
      DispatchQueue.global().async(group: group) {
        board.work(fit) { try board.advance() }
      }
    }
    var stopped: (any Error)?
    board.work(fit) {
      let done = try board.advance()
      do {
        try progress.report(done: done, of: rounds)
      } catch {
        stopped = error
        throw error
      }
    }
    group.wait()
    if let stopped { throw stopped }
    return try board.found()
  }

  private struct Stopped: Error {}

  /// Which fits are done, and how.
  private final class Board<Found: Sendable>: Sendable {
    private let next = Atomic(0)
    private let rounds = Atomic(0)
    private let isStopped = Atomic(false)
    private let results: Mutex<[Result<Found, any Error>?]>

    init(count: Int) {
      results = Mutex([Result<Found, any Error>?](repeating: nil, count: count))
    }

    /// Takes fits until there are none left; after a failure all threads stop.
    func work(
      _ fit: @Sendable (_ index: Int, _ onRound: () throws -> Void) throws -> Found,
      onRound: @escaping () throws -> Void
    ) {
      while !isStopped.load(ordering: .relaxed) {
        let index = next.add(1, ordering: .relaxed).oldValue
        guard index < results.withLock({ $0.count }) else { return }
        let result = Result { try fit(index, onRound) }
        if case .failure = result { isStopped.store(true, ordering: .relaxed) }
        results.withLock { $0[index] = result }
      }
    }

    /// Counts a round; throws once another fit has failed.
    @discardableResult
    func advance() throws -> Int {
      if isStopped.load(ordering: .relaxed) { throw Stopped() }
      return rounds.add(1, ordering: .relaxed).newValue
    }

    /// All results in order, or the error of the first fit that failed by itself.
    func found() throws -> [Found] {
      try results.withLock { results in
        for case .failure(let error)? in results where !(error is Stopped) { throw error }
        return try results.compactMap { try $0?.get() }
      }
    }
  }
}
