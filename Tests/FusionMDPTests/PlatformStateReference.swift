import Foundation
import FusionMDP

/// The platform's state written down a second time, plainly and from its description: rates over the
/// last 500 and the last 50 interactions and means of the session, in the order of arithmetic that
/// logs were written with.
struct PlatformStateReference {
  var interactions: [UserFeedback] = []
  var totalCount = 0

  mutating func append(_ feedback: UserFeedback) {
    interactions.append(feedback)
    if interactions.count > 500 { interactions.removeFirst() }
    totalCount += 1
  }

  func state(profile: [Float], session: SessionContext) -> [Float] {
    var state = profile
    appendMeans(interactions[...], to: &state)
    appendMeans(interactions.suffix(50), to: &state)
    state.append(log1p(Float(totalCount)))
    state.append(log1p(Float(session.requestsSoFar)))
    let scale = session.impressionsSoFar > 0 ? 1 / Float(session.impressionsSoFar) : 0
    for sum in session.signalSums { state.append(sum * scale) }
    let hours = session.hoursSinceLastSession ?? 720
    state.append(session.hoursSinceLastSession == nil ? 1 : 0)
    state.append(log1p(min(max(hours, 0), 720)))
    let angle = session.hourOfDay / 24 * 2 * Float.pi
    state.append(sin(angle))
    state.append(cos(angle))
    state.append(session.requestsSoFar == 0 ? 1 : 0)
    return state
  }

  /// Integer sums over quantized values, one division at the end.
  private func appendMeans(_ kept: ArraySlice<UserFeedback>, to state: inout [Float]) {
    let scale = kept.isEmpty ? 0 : 1 / Float(kept.count)
    for signal in FeedbackSignal.allCases.dropFirst(2) {
      let count = kept.count { $0.signals[signal.index] > 0 }
      state.append(Float(count) * scale)
    }
    let integrity = kept.reduce(0) { $0 + Int(($1.playIntegrity * 60_000).rounded()) }
    let watch = kept.reduce(0) { sum, feedback in
      sum + Int(min((log1p(feedback.playSeconds) * 4_096).rounded(), 65_535))
    }
    state.append(Float(integrity) / 60_000 * scale)
    state.append(Float(watch) / 4_096 * scale)
  }
}
