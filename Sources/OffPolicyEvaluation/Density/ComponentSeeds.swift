import SeededRandom

/// Where the components of a mixture begin: at logged actions far from each other, the first as wide
/// as all actions together and each further one half as wide.
///
/// Far from each other (Arthur and Vassilvitskii, "k-means++", SODA 2007, section 2.2), because two
/// components on one peak do not part; of different widths, because exploration mixes wide and narrow
/// densities around one center, which no distance tells apart.
struct ComponentSeeds: Sendable {
  /// [M·A].
  let means: [Double]
  /// [M·A].
  let deviations: [Double]

  private static let sampleSize = 2048

  init(_ actions: [Float], actionSize: Int, count: Int, using stream: inout RandomStream) {
    let whole = ActionMoments(actions, actionSize: actionSize)
    let total = actions.count / actionSize
    let points = stream.indices(below: total, count: min(total, Self.sampleSize)).map { row in
      actions[row * actionSize..<(row + 1) * actionSize].map(Double.init)
    }
    // One alone stands in the middle of all.
    var centers = [count > 1 ? points[0] : whole.mean]
    while centers.count < count {
      // The next is drawn by the squared distance from the nearest so far.
      let nearest = points.map { point in
        centers.reduce(Double.infinity) { least, center in
          min(least, zip(point, center).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) })
        }
      }
      var left = stream.uniform() * nearest.reduce(0, +)
      let next = nearest.firstIndex { distance in
        left -= distance
        return left < 0
      }
      centers.append(points[next ?? points.count - 1])
    }
    means = centers.flatMap(\.self)
    var width = 1.0
    var deviations: [Double] = []
    for _ in 0..<count {
      deviations += whole.deviation.map { $0 * width }
      width = max(width / 2, 0.125)
    }
    self.deviations = deviations
  }
}
