import SeededRandom

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Impressions that the reference policy showed, with what decides their responses.
///
/// The lists of a static policy do not depend on responses, so one sample serves the whole fit, and
/// everything here is computed from probabilities, without the noise of responses.
///
/// Shapes: M impressions.
struct ResponseSample {
  /// The group numbers of users and videos [M], from 0.
  let users: [Int]
  let videos: [Int]
  /// Base log odds of a task [11][M].
  let logits: [[Double]]
  /// Standard normal effects of user and video on a task, and the expression of the type [11][M].
  let userEffects: [[Double]]
  let videoEffects: [[Double]]
  let expression: [[Double]]

  var count: Int { users.count }

  /// At most `perUser` impressions of each user.
  init(platform: SimulatedPlatform, shown: [(user: Int, video: Int)], perUser: Int) {
    var seen = [Int](repeating: 0, count: platform.data.users.count)
    var pairs: [(user: Int, video: Int)] = []
    for pair in shown where seen[pair.user] < perUser {
      seen[pair.user] += 1
      pairs.append(pair)
    }
    pairs.sort { ($0.user, $0.video) < ($1.user, $1.video) }
    let root = RandomStream(seed: platform.seed, name: "population")
    let tasks = ResponseTask.allCases.count
    let videoDraws = SimulatedPlatform.videoEffects(count: platform.data.videos.count, root: root)
    let table = Expression(platform.assumptions).logits
    var logits = [[Double]](repeating: [], count: tasks)
    var userEffects = logits
    var videoEffects = logits
    var expression = logits
    var row = ImpressionRow(scores: [], responses: [])
    var draws: UserDraws?
    var last = -1
    for pair in pairs {
      if pair.user != last {
        last = pair.user
        row = platform.data.impressions.row(user: pair.user)
        draws = UserDraws(
          user: pair.user, root: root, assumptions: platform.assumptions,
          anchors: platform.anchors, activityShare: 0.5)
      }
      guard let draws else { continue }
      for task in 0..<tasks {
        let base = Double(row.responses[pair.video * ResponseTask.columns + task])
        let p = min(max(base, 1e-6), 1 - 1e-6)
        logits[task].append(log(p / (1 - p)))
        userEffects[task].append(draws.effects[task])
        videoEffects[task].append(Double(videoDraws[pair.video * tasks + task]))
        expression[task].append(table[draws.type][task])
      }
    }
    self.users = Self.numbered(pairs.map(\.user))
    self.videos = Self.numbered(pairs.map(\.video))
    self.logits = logits
    self.userEffects = userEffects
    self.videoEffects = videoEffects
    self.expression = expression
  }

  private static func numbered(_ keys: [Int]) -> [Int] {
    var numbers: [Int: Int] = [:]
    return keys.map { key in
      if let number = numbers[key] { return number }
      numbers[key] = numbers.count
      return numbers.count - 1
    }
  }
}

/// Finds intercepts, spreads between users and videos, and correlations with play.
struct ResponseFit {
  let sample: ResponseSample
  let anchors: PlatformAnchors
  var fit: PlatformFit

  /// Every task by itself, then the correlations.
  mutating func run() {
    for task in ResponseTask.allCases { fitSpread(of: task) }
    for index in ResponseTask.added.indices { fitCorrelation(index) }
  }

  /// Alternates between the two spreads, each by bisection on its intraclass correlation with the
  /// rate held; a base model that already spreads more than the log leaves no effect to add.
  private mutating func fitSpread(of task: ResponseTask) {
    let k = task.rawValue
    for _ in 0..<3 {
      fit.userDeviations[k] = bisected(over: 0...4) { value in
        fit.userDeviations[k] = value
        return correlation(task, groups: sample.users) - anchors.userCorrelations[k]
      }
      fit.videoDeviations[k] = bisected(over: 0...4) { value in
        fit.videoDeviations[k] = value
        return correlation(task, groups: sample.videos) - anchors.videoCorrelations[k]
      }
    }
    fitIntercept(task)
  }

  /// P(task) of every impression [M].
  private func probabilities(_ task: ResponseTask) -> [Double] {
    let k = task.rawValue
    return (0..<sample.count).map { m in
      sigmoid(
        sample.logits[k][m] + fit.intercepts[k] + sample.expression[k][m]
          + fit.userDeviations[k] * sample.userEffects[k][m]
          + fit.videoDeviations[k] * sample.videoEffects[k][m])
    }
  }

  /// Newton steps until the mean probability is the rate; returns the probabilities.
  @discardableResult
  private mutating func fitIntercept(_ task: ResponseTask) -> [Double] {
    let k = task.rawValue
    for _ in 0..<20 {
      let p = probabilities(task)
      let mean = p.reduce(0, +) / Double(p.count)
      let slope = p.reduce(0) { $0 + $1 * (1 - $1) } / Double(p.count)
      let step = (anchors.rates[k] - mean) / max(slope, 1e-9)
      fit.intercepts[k] += min(max(step, -1), 1)
      if abs(step) < 1e-4 { return p }
    }
    return probabilities(task)
  }

  private mutating func correlation(_ task: ResponseTask, groups: [Int]) -> Double {
    intraclassCorrelation(probabilities: fitIntercept(task), groups: groups)
  }

  /// Bisection on P(click | behavior), with one play latent an impression, evenly spread.
  private mutating func fitCorrelation(_ index: Int) {
    let task = ResponseTask.added[index]
    let click = probabilities(.click)
    let quantiles = probabilities(task).map(NormalDistribution.quantile)
    let golden = 0.618_033_988_749_895
    let points = click.indices.map { m -> Double in
      let x = (Double(m) + 0.5) * golden
      return x - x.rounded(.down)
    }
    let latents = points.map(NormalDistribution.quantile)
    let target = anchors.clickGivenAdded[index]
    fit.playCorrelations[index] = bisected(over: -0.9...0.97) { rho in
      let scale = 1 / (1 - rho * rho).squareRoot()
      var both = 0.0
      var all = 0.0
      for m in click.indices {
        let p = NormalDistribution.cumulative((quantiles[m] + rho * latents[m]) * scale)
        all += p
        if points[m] >= 1 - click[m] { both += p }
      }
      return both / all - target
    }
  }

}

/// Where an increasing function crosses zero; the end of the range that lies nearer if it does not.
func bisected(over range: ClosedRange<Double>, _ function: (Double) -> Double) -> Double {
  var low = range.lowerBound
  var high = range.upperBound
  guard function(low) < 0 else { return low }
  for _ in 0..<16 {
    let middle = (low + high) / 2
    if function(middle) < 0 { low = middle } else { high = middle }
  }
  return (low + high) / 2
}

/// The share of Bernoulli variance that lies between groups, from probabilities.
///
///     σ²_between / (p̄·(1 − p̄)),  σ²_between = (MSB − MSW) / n₀   (one-way analysis of variance)
///
/// Shapes: `probabilities`, `groups` [M].
package func intraclassCorrelation(probabilities: [Double], groups: [Int]) -> Double {
  let groupCount = (groups.max() ?? -1) + 1
  var sums = [Double](repeating: 0, count: groupCount)
  var counts = sums
  var squares = 0.0
  for (m, p) in probabilities.enumerated() {
    sums[groups[m]] += p
    counts[groups[m]] += 1
    squares += p * p
  }
  return betweenVariance(sums: sums, counts: counts, squares: squares)
}

/// The same from sums, counts and the total of squares: for 0/1 data the squares are the sum.
///
/// Shapes: `sums`, `counts` [G].
package func betweenVariance(sums: [Double], counts: [Double], squares: Double) -> Double {
  let total = counts.reduce(0, +)
  let groupCount = Double(counts.count { $0 > 0 })
  guard total > groupCount, groupCount > 1 else { return 0 }
  let mean = sums.reduce(0, +) / total
  var between = 0.0
  var within = squares
  var countSquares = 0.0
  for group in counts.indices where counts[group] > 0 {
    let own = sums[group] / counts[group]
    between += counts[group] * (own - mean) * (own - mean)
    within -= counts[group] * own * own
    countSquares += counts[group] * counts[group]
  }
  let n0 = (total - countSquares / total) / (groupCount - 1)
  let variance = (between / (groupCount - 1) - within / (total - groupCount)) / n0
  return variance / (mean * (1 - mean))
}
