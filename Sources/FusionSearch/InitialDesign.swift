package import SeededRandom

/// Points that fill a box before anything is known about the function.
package enum InitialDesign {
  /// A Latin hypercube over [−1, 1]^D: along each dimension the `count` points fall into `count`
  /// slices of equal width, one each, at a random place within.
  ///
  /// - Returns: `count` points of `dimension` coordinates.
  package static func latinHypercube(
    count: Int, dimension: Int, using stream: inout RandomStream
  ) -> [[Double]] {
    var points = [[Double]](
      repeating: [Double](repeating: 0, count: dimension), count: count)
    for d in 0..<dimension {
      for (index, slice) in stream.shuffled(count).enumerated() {
        points[index][d] = 2 * (Double(slice) + stream.uniform()) / Double(count) - 1
      }
    }
    return points
  }
}
