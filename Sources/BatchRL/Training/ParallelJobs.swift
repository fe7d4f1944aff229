import Dispatch
import Synchronization

/// The one place where training runs on several threads.
///
/// Jobs are the same whatever the number of threads, each works on state of its own, and what
/// they yield is combined in their order by the caller: the number of threads changes no bit. (With
/// `KernelThreads` at 1, that is, which `TrainingRun.run` sees to.)
enum ParallelJobs {
  /// One job's state, owned by one thread at a time.
  private final class Slot<Job: Sendable>: Sendable {
    private let held: Mutex<Job?>

    init(_ job: consuming sending Job) { held = Mutex(job) }

    /// Moves the state out, so that it is changed in place and not copied.
    func take() -> Job? {
      held.withLock { job in
        let taken = job
        job = nil
        return taken
      }
    }

    func put(_ job: Job) { held.withLock { $0 = job } }
  }

  /// Runs `body` on each job in place, on up to `threads` threads.
  static func run<Job: Sendable>(
    _ jobs: inout [Job], threads: Int, _ body: @Sendable (inout Job) -> Void
  ) {
    guard threads > 1 && jobs.count > 1 else {
      for index in jobs.indices { body(&jobs[index]) }
      return
    }
    let slots = jobs.map { Slot($0) }
    jobs = []
    let next = Atomic(0)
    DispatchQueue.concurrentPerform(iterations: min(threads, slots.count)) { _ in
      while true {
        let index = next.add(1, ordering: .relaxed).oldValue
        guard index < slots.count, var job = slots[index].take() else { return }
        body(&job)
        slots[index].put(job)
      }
    }
    jobs = slots.compactMap { $0.take() }
  }
}
