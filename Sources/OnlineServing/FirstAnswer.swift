internal import Synchronization

/// The first of several answers; the others are dropped.
final class FirstAnswer<Value: Sendable>: Sendable {
  private enum State: Sendable {
    case open
    case awaited(CheckedContinuation<Value, Never>)
    case given(Value)
  }

  private let state = Mutex(State.open)

  init() {}

  /// The answer, if there is one.
  var given: Value? {
    state.withLock { if case .given(let value) = $0 { value } else { nil } }
  }

  /// Gives an answer, unless there is one.
  func give(_ value: Value) {
    let waiting: CheckedContinuation<Value, Never>? = state.withLock { state in
      switch state {
      case .open:
        state = .given(value)
        return nil
      case .awaited(let continuation):
        state = .given(value)
        return continuation
      case .given:
        return nil
      }
    }
    waiting?.resume(returning: value)
  }

  /// Waits for the answer. For one caller.
  func value() async -> Value {
    await withCheckedContinuation { continuation in
      let given: Value? = state.withLock { state in
        if case .given(let value) = state { return value }
        state = .awaited(continuation)
        return nil
      }
      if let given { continuation.resume(returning: given) }
    }
  }
}
