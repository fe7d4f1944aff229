import Dispatch
import Foundation
import Synchronization

/// Ctrl-C as a flag that long work reads between its steps, so that it stops at a checkpoint.
///
/// A second Ctrl-C ends the process at once.
package final class Interruption: Sendable {
  /// The flag of this process.
  package static let shared = Interruption()

  private let requests = Atomic<Int>(0)
  private let sources = Mutex<[any DispatchSourceSignal]>([])

  /// True once the user has asked the process to stop.
  package var isRequested: Bool { requests.load(ordering: .relaxed) > 0 }

  /// Takes over SIGINT and SIGTERM. Idempotent.
  package func install() {
    sources.withLock { sources in
      guard sources.isEmpty else { return }
      for number in [SIGINT, SIGTERM] {
        signal(number, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
        source.setEventHandler { [self] in
          if requests.add(1, ordering: .relaxed).newValue > 1 { exit(130) }
        }
        source.resume()
        sources.append(source)
      }
    }
  }

  /// Throws when the user has asked to stop; call it where a checkpoint has just been kept.
  ///
  /// - Throws: `CommandFailure` of kind `interrupted`.
  package func check(_ hint: @autoclosure () -> String) throws {
    if isRequested { throw CommandFailure.interrupted(hint()) }
  }
}
