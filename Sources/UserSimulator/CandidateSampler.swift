package import SeededRandom

/// Draws videos in proportion to their exposures: Walker's alias method in Vose's form, one random
/// word a draw.
package struct CandidateSampler: Sendable {
  private let threshold: [UInt64]
  private let alias: [Int32]

  /// A sampler of V videos.
  ///
  /// Shapes: `weights` [V], finite and above 0.
  package init(weights: [Double]) {
    let count = weights.count
    let total = weights.reduce(0, +)
    var scaled = weights.map { $0 / total * Double(count) }
    var alias = (0..<count).map(Int32.init)
    var share = [Double](repeating: 1, count: count)
    var small = scaled.indices.filter { scaled[$0] < 1 }
    var large = scaled.indices.filter { scaled[$0] >= 1 }
    while let low = small.popLast(), let high = large.popLast() {
      share[low] = scaled[low]
      alias[low] = Int32(high)
      scaled[high] -= 1 - scaled[low]
      if scaled[high] < 1 { small.append(high) } else { large.append(high) }
    }
    self.alias = alias
    threshold = share.map { $0 >= 1 ? .max : UInt64($0 * 0x1p64) }
  }

  /// The number of videos, V.
  package var count: Int { alias.count }

  /// One video.
  package func draw(using stream: inout RandomStream) -> Int {
    let product = stream.next().multipliedFullWidth(by: UInt64(count))
    let column = Int(product.high)
    return product.low <= threshold[column] ? column : Int(alias[column])
  }

  /// Fills `candidates` with `wanted` different videos whose mark is 0, and leaves the marks as they
  /// were.
  ///
  /// Marked videos are drawn again; after 50 draws a place in vain the next unmarked video in
  /// order is taken, so it ends for any exposures. At least `wanted` videos must be unmarked.
  ///
  /// Shapes: `marks[offset ..< offset + V]`.
  package func fill(
    _ candidates: inout [Int32], wanted: Int, marks: inout [UInt8], offset: Int,
    using stream: inout RandomStream
  ) {
    candidates.removeAll(keepingCapacity: true)
    while candidates.count < wanted {
      var video = draw(using: &stream)
      var attempts = 1
      while marks[offset + video] != 0 {
        attempts += 1
        video = attempts <= 50 ? draw(using: &stream) : (video + 1) % count
      }
      marks[offset + video] = 1
      candidates.append(Int32(video))
    }
    for video in candidates { marks[offset + Int(video)] = 0 }
  }
}
