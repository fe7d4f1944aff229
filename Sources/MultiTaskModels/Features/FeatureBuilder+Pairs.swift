import DenseKernels

/// Features of candidates: every one of some users with every one of some videos.
extension FeatureBuilder {
  /// What can be computed once for many pairs: the blocks of the users and of the videos.
  package struct PairBlocks: Sendable {
    package let users: [Int]
    package let videos: [Int]
    let userNumbers: Matrix
    let videoNumbers: Matrix
    let overall: [Float]
  }

  /// The blocks of the users and the videos as the statistics stand.
  package func pairBlocks(users: [Int], videos: [Int]) -> PairBlocks {
    precondition(!users.isEmpty && !videos.isEmpty, "pairs of no users or no videos")
    let overall = statistics.overallRates(schema)
    var (userBlock, videoBlock) = (FeatureColumns(), FeatureColumns())
    for user in users { writeUser(user, overall, to: &userBlock) }
    for video in videos { writeVideo(video, overall, to: &videoBlock) }
    return PairBlocks(
      users: users, videos: videos, userNumbers: userBlock.block(rows: users.count),
      videoNumbers: videoBlock.block(rows: videos.count), overall: overall)
  }

  /// The features of one user with every video, in one context each.
  ///
  /// Shapes: `position` in 0..<blocks.users.count → [blocks.videos.count, D].
  package func features(
    ofUserAt position: Int, in blocks: PairBlocks, context: ServingContext
  ) -> FeatureRows {
    let user = blocks.users[position]
    let n = blocks.videos.count
    var cross = FeatureColumns()
    for video in blocks.videos {
      writeCross(
        user, video, surface: context.surface, hours: context.hoursSinceLastSeen,
        blocks.overall, to: &cross)
    }
    let numbers = Matrix.joiningColumns([
      blocks.userNumbers.rows(position..<position + 1).repeatingRows(n), blocks.videoNumbers,
      cross.block(rows: n),
    ])
    let userCodes = userCategories([user]).map { [Int](repeating: $0[0], count: n) }
    let contextCodes = [context.surface, context.hour].map { [Int](repeating: $0, count: n) }
    return FeatureRows(
      numbers: numbers, categories: userCodes + videoCategories(blocks.videos) + contextCodes)
  }
}
