/// What a platform is fitted to: numbers of the real logs.
///
/// Rates, intraclass correlations and co-occurrences are those of the development log
/// (KuaiRand-Pure, 25 April to 8 May 2022, repeats and zero durations dropped); sizes and times are
/// those of the complete KuaiRand-27K standard log, because the development log is thinned.
package struct PlatformAnchors: Sendable, Equatable, Codable {
  /// The rate of each response task, in the order of `ResponseTask`.
  package var rates: [Double]
  /// The share of each task's Bernoulli variance that lies between users.
  package var userCorrelations: [Double]
  /// The share of each task's Bernoulli variance that lies between videos.
  package var videoCorrelations: [Double]
  /// P(click | behavior) of each added behavior, in the order of `ResponseTask.added`.
  package var clickGivenAdded: [Double]
  /// Pearson correlation of pairs of behaviors.
  package var associations: [Association]
  /// Mean of log(1 + play seconds).
  package var meanLogPlaySeconds: Double
  /// Mean impressions a request.
  package var impressionsPerRequest: Double
  /// Mean requests a session.
  package var requestsPerSession: Double
  /// Mean impressions a session.
  package var impressionsPerSession: Double
  /// Mean minutes from a session's first request to its last; the log's gaps would agree with 15
  /// to 85.
  package var minutesPerSession: Double
  /// Mean sessions a user and day.
  package var sessionsPerDay: Double
  /// Shares of gaps between requests of a session in 1–10 s, 10–60 s, 1–5 min, 5–30 min.
  package var requestGapShares: [Double]
  /// The share of gaps between sessions that is under two hours.
  package var returnUnderTwoHours: Double
  /// ln(p75 / p25) of impressions a user.
  package var impressionsLogQuartileRatio: Double
  /// The mean of users' click rates over the rate of all impressions: above 1 where users who play
  /// more see fewer videos.
  package var userMeanClickRatio: Double
  /// Shares of impressions by local hour [24].
  package var hourShares: [Double]
  /// Sessions of a user in 31 days at the quantiles of `activityProbabilities`.
  package var activityQuantiles: [Double]
  /// The probabilities of `activityQuantiles`.
  package var activityProbabilities: [Double]

  /// The correlation of two behaviors over impressions.
  package struct Association: Sendable, Equatable, Codable {
    /// One behavior.
    package var first: ResponseTask
    /// The other.
    package var second: ResponseTask
    /// Pearson correlation (phi).
    package var correlation: Double
  }

  /// The anchors of the KuaiRand logs; `Docs/SimulatedPlatform.md` says where each stands.
  package static let kuaiRand = PlatformAnchors(
    rates: [
      0.4515, 0.3196, 0.0180, 0.00120, 0.00251, 0.00080, 0.00084, 0.0186, 0.0448, 0.1417, 0.4063,
    ],
    userCorrelations: [
      0.1522, 0.1308, 0.1794, 0.0456, 0.0179, 0.0148, 0.0780, 0.0419, 0.1197, 0.0760, 0.1589,
    ],
    videoCorrelations: [
      0.1068, 0.0971, 0.0205, 0.0069, 0.0052, 0.0027, 0, 0.0183, 0.0314, 0.1466, 0.1248,
    ],
    clickGivenAdded: [0.8237, 0.8917, 0.9786, 0.9231, 0.4364, 0.9333, 0.9650],
    associations: [
      Association(first: .click, second: .longView, correlation: 0.750),
      Association(first: .click, second: .finished, correlation: 0.445),
      Association(first: .longView, second: .finished, correlation: 0.593),
      Association(first: .click, second: .skip, correlation: -0.699),
      Association(first: .longView, second: .skip, correlation: -0.567),
      Association(first: .click, second: .like, correlation: 0.100),
      Association(first: .click, second: .profileEnter, correlation: 0.133),
      Association(first: .click, second: .commentStay, correlation: 0.224),
      Association(first: .comment, second: .commentStay, correlation: 0.227),
      Association(first: .like, second: .follow, correlation: 0.111),
      Association(first: .like, second: .commentStay, correlation: 0.107),
      Association(first: .profileEnter, second: .commentStay, correlation: 0.104),
    ],
    meanLogPlaySeconds: 2.066,
    impressionsPerRequest: 5.8,
    requestsPerSession: 13.5,
    impressionsPerSession: 78.7,
    minutesPerSession: 35,
    sessionsPerDay: 4.84,
    requestGapShares: [0.101, 0.345, 0.410, 0.145],
    returnUnderTwoHours: 0.54,
    impressionsLogQuartileRatio: 1.224,
    userMeanClickRatio: 1.24,
    hourShares: [
      0.033, 0.020, 0.013, 0.009, 0.008, 0.011, 0.021, 0.031, 0.036, 0.040, 0.045, 0.048,
      0.053, 0.053, 0.048, 0.049, 0.051, 0.054, 0.058, 0.062, 0.066, 0.069, 0.068, 0.053,
    ],
    activityQuantiles: [4, 42, 149, 241, 392],
    activityProbabilities: [0, 0.1, 0.5, 0.9, 1])
}
