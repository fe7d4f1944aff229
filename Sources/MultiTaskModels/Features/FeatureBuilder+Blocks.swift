import DenseKernels
import FusionMDP

/// The three blocks of numbers: what depends on the user, on the video, and on both.
extension FeatureBuilder {
  // κ, how many impressions the prior counts for, by task: the rarer the behavior, the more.
  private static let userStrengths: [Float] = [5, 5, 15, 30, 30, 30, 30, 20, 15, 8, 5, 5]
  private static let videoStrengths: [Float] = [
    10, 10, 50, 200, 200, 200, 200, 60, 40, 15, 10, 10,
  ]
  private static let tagStrengths = videoStrengths.map { 3 * $0 }
  private static let userPairStrengths = [Float](repeating: 3, count: 12)
  private static let videoPairStrengths = [Float](repeating: 10, count: 12)
  private static let contextStrengths = [Float](repeating: 20, count: 12)

  private static let allTasks = Array(0..<12)
  /// All but follow, comment, forward and hate, which have about 100 positives each.
  private static let frequentTasks = [0, 1, 2, 7, 8, 9, 10, 11]
  /// Click, long view, finished, skip and watch time.
  private static let viewingTasks = [0, 1, 9, 10, 11]

  func writeUser(_ user: Int, _ overall: [Float], to block: inout FeatureColumns) {
    block.appendRates(
      statistics.users, user, tasks: Self.allTasks, strengths: Self.userStrengths,
      secondsFrom: secondsFrom
    ) { overall[$0] }
    for value in users.numbers.row(user) { block.append(value) }
    for value in history.users.row(user) { block.append(value) }
  }

  var userNames: [String] {
    var names = FeatureNames()
    names.appendRates(
      "user", tasks: Self.allTasks, taskNames: schema.names, secondsFrom: secondsFrom)
    for name in users.numberNames { names.append("user.\(name)") }
    for name in HistoryEffects.userNames { names.append("user.history.\(name)") }
    return names.all
  }

  func writeVideo(_ video: Int, _ overall: [Float], to block: inout FeatureColumns) {
    block.appendRates(
      statistics.videos, video, tasks: Self.allTasks, strengths: Self.videoStrengths,
      secondsFrom: secondsFrom
    ) { overall[$0] }
    block.appendRates(
      statistics.authors, videos.authors[video], tasks: Self.frequentTasks,
      strengths: Self.videoStrengths, secondsFrom: secondsFrom
    ) { overall[$0] }
    block.appendRates(
      statistics.tags, videos.tags[video], tasks: Self.frequentTasks,
      strengths: Self.tagStrengths, secondsFrom: secondsFrom
    ) { overall[$0] }
    block.appendRates(
      statistics.music, videos.music[video], tasks: Self.viewingTasks,
      strengths: Self.videoStrengths, secondsFrom: secondsFrom
    ) { overall[$0] }
    block.appendLog(videos.durationSeconds[video])
    block.append(videos.aspectRatios[video])
    for value in history.videos.row(video) { block.append(value) }
  }

  var videoNames: [String] {
    var names = FeatureNames()
    for (entity, tasks) in [
      ("video", Self.allTasks), ("author", Self.frequentTasks), ("tag", Self.frequentTasks),
      ("music", Self.viewingTasks),
    ] {
      names.appendRates(
        entity, tasks: tasks, taskNames: schema.names, secondsFrom: secondsFrom)
    }
    names.appendLog("video.duration_seconds")
    names.append("video.aspect_ratio")
    for name in HistoryEffects.videoNames { names.append("video.history.\(name)") }
    return names.all
  }

  func writeCross(
    _ user: Int, _ video: Int, surface: Int, hours: Float, _ overall: [Float],
    to block: inout FeatureColumns
  ) {
    let s = statistics
    let duration = BehaviorStatistics.durationClass(videos.durationSeconds[video])
    let tagKey = s.userTagKey(user, videos.tags[video])
    // A pair's rate is drawn toward the rate of the user (or of the video) alone.
    let ofUser = { (k: Int) -> Float in
      s.users.smoothedMean(user, k, prior: overall[k], strength: Self.userStrengths[k])
    }
    let ofVideo = { (k: Int) -> Float in
      s.videos.smoothedMean(video, k, prior: overall[k], strength: Self.videoStrengths[k])
    }
    block.appendRates(
      s.userTags.table, s.userTags.slot(tagKey), tasks: Self.viewingTasks,
      strengths: Self.userPairStrengths, secondsFrom: secondsFrom, prior: ofUser)
    block.appendRates(
      s.userSurfaces, user * BehaviorStatistics.surfaceCount + surface,
      tasks: Self.viewingTasks, strengths: Self.userPairStrengths, secondsFrom: secondsFrom,
      prior: ofUser)
    block.appendRates(
      s.userDurations, user * BehaviorStatistics.durationClassCount + duration,
      tasks: Self.viewingTasks, strengths: Self.userPairStrengths, secondsFrom: secondsFrom,
      prior: ofUser)
    block.appendRates(
      s.videoSurfaces, video * BehaviorStatistics.surfaceCount + surface,
      tasks: Self.viewingTasks, strengths: Self.videoPairStrengths, secondsFrom: secondsFrom,
      prior: ofVideo)
    block.appendRates(
      s.contexts, surface * BehaviorStatistics.durationClassCount + duration,
      tasks: Self.allTasks, strengths: Self.contextStrengths, secondsFrom: secondsFrom
    ) { overall[$0] }
    block.appendLog(1 + 60 * hours)
    let past = history.userTag(tagKey)
    block.appendLog(1 + past.count)
    block.append(past.long)
    block.append(past.like)
  }

  var crossNames: [String] {
    var names = FeatureNames()
    for (entity, tasks) in [
      ("user×tag", Self.viewingTasks), ("user×surface", Self.viewingTasks),
      ("user×duration", Self.viewingTasks), ("video×surface", Self.viewingTasks),
      ("surface×duration", Self.allTasks),
    ] {
      names.appendRates(
        entity, tasks: tasks, taskNames: schema.names, secondsFrom: secondsFrom)
    }
    names.appendLog("minutes_since_last_seen")
    names.appendLog("user×tag.history.shown")
    for name in HistoryEffects.tagNames { names.append("user×tag.history.\(name)") }
    return names.all
  }
}
