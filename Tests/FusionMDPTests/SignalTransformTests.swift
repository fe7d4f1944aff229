import Foundation
import FusionMDP
import Testing

@Suite("transforms of the reward's signals")
struct SignalTransformTests {
  @Test("clip, then logarithm, by hand")
  func byHand() {
    let clip = SignalTransform(lower: 1, upper: 10)
    #expect([0, 1, 4, 10, 99].map { clip($0) } == [1, 1, 4, 10, 10])
    let log = SignalTransform(logScale: 2)
    #expect(abs(log(6) - 1.3862944) < 1e-6)  // ln(1 + 3) = ln 4
    #expect(log(-6) == -log(6) && log(0) == 0)
    let both = SignalTransform(upper: 6, logScale: 2)
    #expect(both(1000) == log(6) && both(2) == log(2))
    #expect(clip(.nan).isNaN && log(.nan).isNaN)
  }

  @Test("no transform falls as its signal rises")
  func monotone() {
    for transform in [
      SignalTransform(lower: 0.5), SignalTransform(upper: 3), SignalTransform(logScale: 0.25),
      SignalTransform(lower: -2, upper: 4, logScale: 3),
    ] {
      let values = stride(from: Float(-8), through: 8, by: 0.0625).map { transform($0) }
      #expect(zip(values, values.dropFirst()).allSatisfy { $0 <= $1 })
    }
  }

  @Test("the reward weighs the transformed signal; an emphasis keeps the transform")
  func reward() {
    let reward = SatisfactionReward(
      weights: [.playMinutes: 2, .like: 1], transforms: [.playMinutes: SignalTransform(upper: 3)])
    var signals = [Float](repeating: 0, count: 13)
    (signals[0], signals[4]) = (5, 4)
    #expect(reward(signals) == 10)  // 2·3 + 4
    #expect(reward.rewards(of: signals + signals) == [10, 10])
    #expect(reward.emphasizing(.time)(signals) == 22)  // 6·3 + 4
  }

  @Test("a weight is a number or an object with a transform, both ways")
  func coding() throws {
    func read(_ text: String) throws -> SatisfactionReward {
      try JSONDecoder().decode(SatisfactionReward.self, from: Data(text.utf8))
    }
    let reward = try read(
      #"{"click": 0.065, "play_minutes": {"weight": 0.5, "upper": 10, "log": 2}, "play_quantile": 3}"#
    )
    #expect(
      reward
        == SatisfactionReward(
          weights: [.click: 0.065, .playMinutes: 0.5],
          transforms: [.playMinutes: SignalTransform(upper: 10, logScale: 2)],
          playQuantileWeight: 3))
    #expect(reward.weighedNames == ["play_minutes", "click", "play_quantile"])
    let back = try JSONDecoder().decode(
      SatisfactionReward.self, from: JSONEncoder().encode(reward))
    #expect(back == reward)
    #expect(try read(#"{"like": {"weight": 2}}"#) == SatisfactionReward(weights: [.like: 2]))
    for bad in [
      #"{"click": {"upper": 1}}"#, #"{"click": {"weight": 1, "lower": 2, "upper": 2}}"#,
      #"{"click": {"weight": 1, "log": 0}}"#, #"{"play_quantile": {"weight": 1, "upper": 2}}"#,
      #"{"click": "much"}"#,
    ] {
      #expect(throws: DecodingError.self, "\(bad)") { try read(bad) }
    }
  }

  @Test(
    "a key that no weight has is named, whatever its value is",
    arguments: ["2", "\"10\"", "true", "null", "[1]", "{}"])
  func unknownKey(value: String) throws {
    let text = #"{"like": {"weight": 0.15, "uper": \#(value)}}"#
    let error = #expect(throws: DecodingError.self) {
      try JSONDecoder().decode(SatisfactionReward.self, from: Data(text.utf8))
    }
    #expect(
      "\(try #require(error))".contains(
        "unknown key 'uper'; expected weight, lower, upper, log"))
  }

  @Test("without transforms a reward is written as it always was: thirteen numbers")
  func oldForm() throws {
    let object = try JSONSerialization.jsonObject(
      with: JSONEncoder().encode(SatisfactionReward.standard))
    let numbers = try #require(object as? [String: Double])
    #expect(numbers.count == 13)
  }
}
