import OffPolicyEvaluation
import Testing

@Suite("grouped AUC")
struct GroupedAUCTests {
  private typealias Item = GroupedAUC.Item

  private func item(_ prediction: Double, _ isPositive: Bool, _ weight: Double = 1) -> Item {
    Item(prediction: prediction, isPositive: isPositive, weight: weight)
  }

  @Test("pairs in order count 1, ties a half, by their weights")
  func area() {
    // Positives 3 (weight 2) and 1; negatives 2 and 1: 2·2 pairs won, and of 1·2 one tie.
    let found = GroupedAUC.area(of: [
      item(3, true, 2), item(1, true), item(2, false), item(1, false),
    ])
    #expect(found == 0.75)  // 4.5 of 6
    #expect(GroupedAUC.area(of: [item(1, true), item(1, false)]) == 0.5)
    #expect(GroupedAUC.area(of: [item(0, true), item(1, false)]) == 0)
    #expect(GroupedAUC.area(of: [item(2, true), item(1, false)]) == 1)
  }

  @Test("users count by their items; those without both labels are left out and counted")
  func grouped() {
    var metric = GroupedAUC()
    #expect(metric.value == nil)
    metric.add(user: [item(2, true), item(1, false)])  // AUC 1
    metric.add(user: [item(0, true), item(1, false), item(2, false), item(3, false)])  // AUC 0
    metric.add(user: [item(1, true), item(2, true)])
    metric.add(user: [item(1, true, 0), item(2, false)])
    metric.add(user: [item(.nan, true), item(2, false)])
    metric.add(user: [])
    #expect(abs((metric.value ?? 0) - 1.0 / 3) < 1e-12)
    #expect(metric.users == 2 && metric.usersLeftOut == 4)
    #expect(metric.items == 6 && metric.positiveItems == 2)
  }

  @Test("a consumed item weighs its reward, at least 0; another weighs 1")
  func weights() {
    #expect(Item(prediction: 0, isPositive: true, reward: 0.4).weight == 0.4)
    #expect(Item(prediction: 0, isPositive: true, reward: -0.4).weight == 0)
    #expect(Item(prediction: 0, isPositive: true, reward: .nan).weight == 0)
    #expect(Item(prediction: 0, isPositive: false, reward: -0.01).weight == 1)
  }
}
