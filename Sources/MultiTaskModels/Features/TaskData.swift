package import DenseKernels

/// Impressions with what the user did, ordered by time: one array a column.
///
/// N rows, K tasks. Users and videos are rows of `UserColumns` and `VideoColumns`.
package struct ImpressionColumns: Sendable, Equatable {
  /// [N] the row of the user.
  package var users: [Int]
  /// [N] the row of the video.
  package var videos: [Int]
  /// [N] milliseconds since 1970, never falling.
  package var timesMilliseconds: [Int64]
  /// [N] the hour of day where the user is, 0…23.
  package var hours: [Int]
  /// [N] the surface of the app, 0..<`BehaviorStatistics.surfaceCount`.
  package var surfaces: [Int]
  /// [N, K] what happened: 0 or 1; log(1 + seconds) for tasks in seconds.
  package var labels: Matrix
  /// [N] whether the row may be learned from; the others are only predicted.
  package var isTraining: [Bool]

  /// The number of impressions.
  package var count: Int { users.count }

  /// Impressions in order of time.
  package init(
    users: [Int], videos: [Int], timesMilliseconds: [Int64], hours: [Int], surfaces: [Int],
    labels: Matrix, isTraining: [Bool]
  ) {
    let n = users.count
    precondition(
      videos.count == n && timesMilliseconds.count == n && hours.count == n
        && surfaces.count == n && labels.rows == n && isTraining.count == n,
      "the columns of \(n) impressions differ in length")
    self.users = users
    self.videos = videos
    self.timesMilliseconds = timesMilliseconds
    self.hours = hours
    self.surfaces = surfaces
    self.labels = labels
    self.isTraining = isTraining
  }
}

/// Lists of row numbers end to end: list i is `values[offsets[i]..<offsets[i + 1]]`.
package struct IndexLists: Sendable, Equatable {
  /// The elements of all lists.
  package var values: [Int]
  /// Where each list begins, and the end of the last.
  package var offsets: [Int]

  /// The given lists.
  package init(_ lists: [[Int]] = []) {
    values = lists.flatMap { $0 }
    offsets = [0]
    for list in lists { offsets.append((offsets.last ?? 0) + list.count) }
  }

  /// The number of lists.
  package var count: Int { offsets.count - 1 }
  /// The elements of list i.
  package subscript(i: Int) -> ArraySlice<Int> { values[offsets[i]..<offsets[i + 1]] }
}

/// What is known of each user before the first impression.
package struct UserColumns: Sendable, Equatable {
  /// [U, P] numbers about the user, on scales that a network can read (logarithms of counts).
  package var numbers: Matrix
  /// [P] their names.
  package var numberNames: [String]
  /// [F][U] codes of categories, −1 where unknown.
  package var categories: [[Int]]
  /// [F] their names.
  package var categoryNames: [String]
  /// [U] how many impressions the user had before the log.
  package var historyLengths: [Int]
  /// [U] the time of the last of them, milliseconds since 1970; 0 when there is none.
  package var lastTimesMilliseconds: [Int64]
  /// [U] the videos last shown before the log.
  package var watched: IndexLists
  /// [U] the videos last liked before the log.
  package var liked: IndexLists
  /// [U] the videos last viewed long before the log.
  package var viewedLong: IndexLists

  /// The number of users, U.
  package var count: Int { numbers.rows }

  /// Users without history or categories; set the properties for the rest.
  package init(numbers: Matrix, numberNames: [String]) {
    precondition(
      numbers.columns == numberNames.count,
      "\(numberNames.count) names for \(numbers.columns) numbers")
    self.numbers = numbers
    self.numberNames = numberNames
    categories = []
    categoryNames = []
    historyLengths = [Int](repeating: 0, count: numbers.rows)
    lastTimesMilliseconds = [Int64](repeating: 0, count: numbers.rows)
    let none = IndexLists([[Int]](repeating: [], count: numbers.rows))
    (watched, liked, viewedLong) = (none, none, none)
  }
}

/// What is known of each video.
package struct VideoColumns: Sendable, Equatable {
  /// [V] its length.
  package var durationSeconds: [Float]
  /// [V] width over height.
  package var aspectRatios: [Float]
  /// [V] dense numbers of its author, its tag and its music.
  package var authors: [Int]
  package var tags: [Int]
  package var music: [Int]
  /// [V] dense number of the way it was uploaded.
  package var uploadTypes: [Int]

  /// The number of videos, V.
  package var count: Int { durationSeconds.count }

  /// Videos; all columns have the same length.
  package init(
    durationSeconds: [Float], aspectRatios: [Float], authors: [Int], tags: [Int], music: [Int],
    uploadTypes: [Int]
  ) {
    let n = durationSeconds.count
    precondition(
      aspectRatios.count == n && authors.count == n && tags.count == n && music.count == n
        && uploadTypes.count == n, "the columns of \(n) videos differ in length")
    precondition(durationSeconds.allSatisfy { $0 > 0 }, "a video without a length")
    self.durationSeconds = durationSeconds
    self.aspectRatios = aspectRatios
    self.authors = authors
    self.tags = tags
    self.music = music
    self.uploadTypes = uploadTypes
  }

  /// One more than the largest number of a column, so that it can index a table.
  static func slots(_ codes: [Int]) -> Int { (codes.max() ?? -1) + 1 }
}
