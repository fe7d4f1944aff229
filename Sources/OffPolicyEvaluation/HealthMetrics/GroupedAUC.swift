/// MTF-GAUC: how well a fused score ranks what each user consumed above what they did not.
///
///     MTF-GAUC = Σ_u w_u · AUC_u / Σ_u w_u
///
/// (Liu et al., "UnifiedRL", arXiv 2404.17589; label: valid consumption, sample weight: instant
/// reward, prediction: fused score.) AUC_u is the weighted share of pairs in the right order:
///
///     AUC_u = Σ_{i∈P, j∈N} v_i·v_j·([f_i > f_j] + ½·[f_i = f_j]) / (Σ_P v_i · Σ_N v_j)
///
/// **A health metric, not a causal estimate**: it looks at items that another policy chose to show, in the
/// order of a score that the user never saw. It needs no propensity and no session, and a policy that ranks
/// worse by it can be better for the long term.
///
/// ## Departures from the paper
///
/// * The paper leaves open what weighs a pair whose negative item has a reward of about 0, and w_u.
///   Here a consumed item weighs its instant reward (at least 0), one that was not consumed weighs 1,
///   and w_u is the number of u's items, as in the grouped AUC of Zhu et al., KDD 2017 ("DIN").
/// * A user with one label only has no AUC: left out, and counted.
package struct GroupedAUC: Sendable, Equatable {
  /// What reports have to print beside the number.
  package static let label = "health metric, not a causal estimate"

  /// One shown item.
  package struct Item: Sendable, Equatable {
    /// The fused score.
    package let prediction: Double
    /// Whether it was consumed.
    package let isPositive: Bool
    /// How much it counts; negative and NaN count as 0.
    package let weight: Double

    /// An item with its weight.
    package init(prediction: Double, isPositive: Bool, weight: Double) {
      self.prediction = prediction
      self.isPositive = isPositive
      self.weight = weight > 0 ? weight : 0
    }

    /// An item weighed as MTF-GAUC does: by its reward if it was consumed, else by 1.
    package init(prediction: Double, isPositive: Bool, reward: Double) {
      self.init(prediction: prediction, isPositive: isPositive, weight: isPositive ? reward : 1)
    }
  }

  private var weightedSum = 0.0
  private var weights = 0.0
  /// Users with an AUC.
  package private(set) var users = 0
  /// Users whose items all have one label, or no weight on one side: left out.
  package private(set) var usersLeftOut = 0
  /// Items of the users with an AUC.
  package private(set) var items = 0
  /// Consumed items among them.
  package private(set) var positiveItems = 0

  /// Of no user.
  package init() {}

  /// Σ w_u·AUC_u / Σ w_u; nil without a user that has both labels.
  package var value: Double? { weights > 0 ? weightedSum / weights : nil }

  /// Takes in all items of one user.
  package mutating func add(user: [Item]) {
    guard let area = Self.area(of: user) else {
      usersLeftOut += 1
      return
    }
    weightedSum += Double(user.count) * area
    weights += Double(user.count)
    users += 1
    items += user.count
    positiveItems += user.count { $0.isPositive }
  }

  /// AUC_u, ties counted half; nil where one side has no weight or a prediction is NaN.
  ///
  /// - Complexity: O(n·log n).
  package static func area(of items: [Item]) -> Double? {
    guard !items.contains(where: \.prediction.isNaN) else { return nil }
    let sorted = items.sorted { $0.prediction < $1.prediction }
    // Negatives below the present prediction, and the pairs won so far.
    var (below, won, positives) = (0.0, 0.0, 0.0)
    var start = 0
    while start < sorted.count {
      var end = start
      var tied = (positive: 0.0, negative: 0.0)
      while end < sorted.count, sorted[end].prediction == sorted[start].prediction {
        if sorted[end].isPositive {
          tied.positive += sorted[end].weight
        } else {
          tied.negative += sorted[end].weight
        }
        end += 1
      }
      won += tied.positive * (below + tied.negative / 2)
      below += tied.negative
      positives += tied.positive
      start = end
    }
    return below > 0 && positives > 0 ? won / (below * positives) : nil
  }
}
