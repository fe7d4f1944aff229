import Foundation
import FusionMDP
import Testing

@Suite("feedback and reward")
struct FeedbackTests {
  @Test("the signals stand in the order of the feedback tensor")
  func order() {
    #expect(
      FeedbackSignal.allCases.map(\.rawValue) == [
        "play_minutes", "play_integrity", "click", "long_view", "like", "follow", "comment",
        "forward", "hate", "profile_enter", "comment_stay", "finished", "skip",
      ])
    #expect(FeedbackSignal.allCases.map(\.index) == Array(0..<13))
    #expect(FeedbackSignal.count == 13)
  }

  @Test("a half-played, liked video and its signals")
  func signals() {
    let feedback = UserFeedback(
      playSeconds: 30, durationSeconds: 60, click: true, like: true, commentStay: true)
    #expect(feedback.signals == [0.5, 0.5, 1, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0])
    let all = UserFeedback(
      playSeconds: 2, durationSeconds: 1, click: true, longView: true, like: true, follow: true,
      comment: true, forward: true, hate: true, profileEnter: true, commentStay: true)
    #expect(all.signals[1...] == [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1])
  }

  @Test("finished and skipped follow from play time; an unknown duration is never finished")
  func derived() {
    #expect(UserFeedback(playSeconds: 10, durationSeconds: 10).finished)
    #expect(!UserFeedback(playSeconds: 9.99, durationSeconds: 10).finished)
    #expect(!UserFeedback(playSeconds: 100, durationSeconds: 0).finished)
    #expect(UserFeedback(playSeconds: 100, durationSeconds: 0).playIntegrity == 0)
    #expect(UserFeedback(playSeconds: 30, durationSeconds: 10).playIntegrity == 1)
    #expect(UserFeedback(playSeconds: 2.99, durationSeconds: 10).skip)
    #expect(!UserFeedback(playSeconds: 3, durationSeconds: 10).skip)
  }

  @Test("a request's signals are summed over the list that was shown")
  func summed() {
    let sum = UserFeedback.summedSignals([
      UserFeedback(playSeconds: 30, durationSeconds: 60, click: true),
      UserFeedback(playSeconds: 0, durationSeconds: 10),
      UserFeedback(playSeconds: 60, durationSeconds: 40, click: true, forward: true),
    ])
    #expect(sum == [1.5, 1.5, 2, 0, 0, 0, 0, 1, 0, 0, 0, 1, 1])
    #expect(UserFeedback.summedSignals([]) == [Float](repeating: 0, count: 13))
  }

  @Test("the reward is the weighted sum, split into stickiness and activeness")
  func reward() {
    let reward = SatisfactionReward(weights: [
      .playMinutes: 2, .skip: -1, .like: 4, .hate: -8, .click: 0.5,
    ])
    let signals: [Float] = [1.5, 9, 2, 9, 1, 9, 9, 9, 2, 9, 9, 9, 3]
    #expect(reward.stickiness(of: signals) == 1)  // 3 + 1 − 3
    #expect(reward.activeness(of: signals) == -12)  // 4 − 16
    #expect(reward(signals) == -11)
    #expect(reward.rewards(of: signals + signals.map { 2 * $0 }) == [-11, -22])
  }

  @Test("every interaction is activeness, everything about time is stickiness")
  func parts() {
    #expect(
      FeedbackSignal.allCases.filter { $0.part == .activeness } == [
        .like, .follow, .comment, .forward, .hate, .profileEnter, .commentStay,
      ])
  }

  @Test("the default weights on the log's mean impression give a tenth to activeness")
  func standardBalance() {
    // Means of calibration.md, sections 1 and 2; integrity about 0.3.
    let mean: [Float] = [
      0.364, 0.3, 0.4481, 0.3158, 0.01802, 0.0012, 0.0025, 0.0008, 0.0008, 0.0186, 0.0448, 0.139,
      0.41,
    ]
    let reward = SatisfactionReward.standard
    let share = reward.activeness(of: mean) / reward(mean)
    #expect(share > 0.08 && share < 0.15)
  }

  @Test("an emphasis multiplies its signals and no others")
  func emphasis() {
    let standard = SatisfactionReward.standard
    let time = standard.emphasizing(.time)
    #expect(time[.playMinutes] == 3 * standard[.playMinutes])
    #expect(time[.click] == standard[.click] && time[.like] == standard[.like])
    let integrity = standard.emphasizing(.integrity, by: 2)
    #expect(integrity[.playIntegrity] == 2 * standard[.playIntegrity])
    #expect(integrity[.finished] == 2 * standard[.finished])
    #expect(integrity[.playMinutes] == standard[.playMinutes])
    let interaction = standard.emphasizing(.interaction)
    #expect(interaction[.hate] == 3 * standard[.hate])
    #expect(interaction[.skip] == standard[.skip])
  }

  @Test("a reward survives JSON bit for bit, and unknown signals are errors")
  func coding() throws {
    let data = try JSONEncoder().encode(SatisfactionReward.standard)
    let back = try JSONDecoder().decode(SatisfactionReward.self, from: data)
    #expect(back == .standard)
    let partial = try JSONDecoder().decode(
      SatisfactionReward.self, from: Data(#"{"like": 2}"#.utf8))
    #expect(partial == SatisfactionReward(weights: [.like: 2]))
    #expect(throws: DecodingError.self) {
      try JSONDecoder().decode(SatisfactionReward.self, from: Data(#"{"likes": 2}"#.utf8))
    }
  }
}
