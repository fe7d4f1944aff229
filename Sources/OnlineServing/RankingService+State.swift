internal import FusionMDP
internal import Synchronization
internal import UserStates

/// What the user store said of a request's user.
struct UserAnswer: Sendable {
  /// The state of the request [S]; nil where the store did not give one in time.
  var state: [Float]?
  /// Why the policy may not be asked.
  var failure: FallbackReason?

  /// The state, if all of it is finite.
  var usableState: [Float]? {
    guard let state, state.allSatisfy(\.isFinite) else { return nil }
    return state
  }
}

/// How many calls have not answered yet.
final class PendingCalls: Sendable {
  private let pending = Atomic(0)

  var count: Int { pending.load(ordering: .relaxed) }

  /// Whether another one may begin, as `limit` may wait at a time; it has to end.
  func begin(limit: Int) -> Bool {
    let (before, _) = pending.add(1, ordering: .relaxed)
    if before < limit { return true }
    end()
    return false
  }

  func end() { pending.subtract(1, ordering: .relaxed) }
}

extension RankingService {
  /// The state of a request, or why there is none, within the budget.
  ///
  /// The store is raced and never awaited beyond the budget. What it does late counts all the same:
  /// the user's context has taken in the request, whose list was shown.
  func user(of request: RankRequest, at time: Int64, since start: UInt64) async -> UserAnswer {
    guard pendingStoreCalls.begin(limit: settings.pendingStoreCalls) else {
      return UserAnswer(failure: .storeBusy)
    }
    let answer = FirstAnswer<UserAnswer>()
    ask(request, at: time, answer)
    var timer: Task<Void, Never>?
    if answer.given == nil {
      // A user in memory never comes here, and costs no timer.
      let spent = clock.nanoseconds() - start
      let rest = settings.budgetNanoseconds - min(spent, settings.budgetNanoseconds)
      timer = Task { [clock] in
        await clock.sleep(rest)
        answer.give(UserAnswer(failure: .storeTimeout))
      }
    }
    var user = await answer.value()
    timer?.cancel()
    if user.failure == nil, clock.nanoseconds() - start >= settings.budgetNanoseconds {
      user.failure = .storeTimeout
    }
    return user
  }

  /// Asks the store for the user's state at a request, and lets it take in the list.
  private func ask(_ request: RankRequest, at time: Int64, _ answer: FirstAnswer<UserAnswer>) {
    let encoder = policies.contract.encoder
    let impressions = min(request.count, request.itemIDs.count)
    let newUsers = settings.newUsers
    let call: @Sendable () async -> Void = { [store, pendingStoreCalls] in
      defer { pendingStoreCalls.end() }
      do {
        let user = try await store.update(request.userID) { context in
          let isNew =
            newUsers == .fallback && context.sessionStartMilliseconds == nil
            && context == UserContext(using: encoder)
          var state: [Float] = []
          state.reserveCapacity(encoder.stateSize)
          context.appendState(at: time, using: encoder, to: &state)
          context.recordRequest(at: time, impressions: impressions)
          return UserAnswer(state: state, failure: isNew ? .missingUser : nil)
        }
        answer.give(user)
      } catch {
        answer.give(UserAnswer(failure: .storeFailure))
      }
    }
    // A store that answers from memory does so before this returns.
    if #available(macOS 26.0, iOS 26.0, *) {
      Task.immediate { await call() }
    } else {
      Task { await call() }
    }
  }

  /// The state of a user of whom nothing is known [S].
  func emptyState(at time: Int64) -> [Float] {
    var state: [Float] = []
    var context = UserContext(using: policies.contract.encoder)
    context.appendState(at: time, using: policies.contract.encoder, to: &state)
    return state
  }
}
