#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Where play time crosses from one behavior to the next for a video of one length.
///
/// In the log (single-column surface) a click is a play of at least 7 s or nearly the whole video, a
/// long view one of at least 18 s or the whole video, a finish one of at least the duration; of
/// finished plays the time beyond the duration is 3.7 s · E^1.74 with E exponential, whatever the
/// duration. A quarter of skips have zero play time.
///
/// Shapes: scalars; times in seconds.
package struct PlayThresholds: Sendable, Equatable {
  static let skip = UserFeedbackLimits.skip
  static let zeroShareOfSkips = 0.25
  static let shortestSkip = 0.3
  static let replayScale = 3.7
  static let replayShape = 1.74
  static let longestReplay = 600.0

  let duration: Double
  let click: Double
  let longView: Double
  /// log(1 + t) at the click and long-view thresholds and at the duration.
  let logClick: Double
  let logLongView: Double
  let logDuration: Double
  /// Means of log(1 + t) over skips, over plays between skip and click, and over finished plays.
  let meanLogSkip: Double
  let meanLogBrief: Double
  let meanLogFinished: Double

  /// The thresholds of a video of this length.
  package init(durationSeconds: Float) {
    duration = Double(durationSeconds)
    click = min(7, 0.9 * duration)
    longView = min(18, 0.95 * duration)
    logClick = log1p(click)
    logLongView = log1p(longView)
    logDuration = log1p(duration)
    meanLogSkip =
      (1 - Self.zeroShareOfSkips) * Self.meanLog(from: Self.shortestSkip, to: Self.skip)
    meanLogBrief = Self.meanLog(from: Self.skip, to: click)
    // The mean replay is 3.7 · Γ(2.74) = 5.9 s; its log at the mean is close for d ≥ 7 s.
    meanLogFinished = log1p(duration + 3.5)
  }

  /// The mean of log(1 + t) for t uniform between two times.
  private static func meanLog(from a: Double, to b: Double) -> Double {
    func integral(_ t: Double) -> Double { (1 + t) * log1p(t) - t }
    return (integral(b) - integral(a)) / (b - a)
  }
}

/// The limit that `UserFeedback` draws between a skip and a play, as a `Double`.
enum UserFeedbackLimits {
  static let skip = 3.0
}

/// The distribution of one impression's play time, as a quantile function of one uniform number.
///
/// From low to high: skip, brief, click, long view, finished. One number decides all of them, so
/// skips and clicks exclude each other and finish ⊂ long view ⊂ click, as in the log.
package struct PlayDistribution: Sendable, Equatable {
  /// P(skip), at most 1 − P(click).
  package let skip: Double
  /// P(click).
  package let click: Double
  /// P(long view), at most P(click).
  package let longView: Double
  /// P(finished), at most P(long view).
  package let finished: Double
  /// How log play time rises between the long-view threshold and the duration.
  let exponent: Double

  /// Orders the probabilities: a stronger behavior is never likelier than a weaker one.
  package init(
    skip: Double, click: Double, longView: Double, finished: Double, exponent: Double
  ) {
    self.click = click
    self.skip = min(skip, 1 - click)
    self.longView = min(longView, click)
    self.finished = min(finished, self.longView)
    self.exponent = exponent
  }

  /// The exponent κ with which the mean of log(1 + t) is `mean`, given the probabilities.
  ///
  ///     log(1 + t) = a + (b − a)·x^κ between a (long view) and b (duration), mean a + (b − a)/(κ + 1)
  package static func exponent(
    meanLog mean: Double, thresholds: PlayThresholds, skip: Double, click: Double,
    longView: Double, finished: Double
  ) -> Double {
    let plain = PlayDistribution(
      skip: skip, click: click, longView: longView, finished: finished, exponent: 1)
    let share = plain.longView - plain.finished
    let span = thresholds.logDuration - thresholds.logLongView
    guard share > 1e-4, span > 1e-3 else { return 1 }
    let others =
      plain.skip * thresholds.meanLogSkip
      + (1 - plain.skip - plain.click) * thresholds.meanLogBrief
      + (plain.click - plain.longView) * (thresholds.logClick + thresholds.logLongView) / 2
      + plain.finished * thresholds.meanLogFinished
    let above = (mean - others) / share - thresholds.logLongView
    guard above > 0 else { return 3 }
    return min(max(span / above - 1, 1.0 / 3), 3)
  }

  /// The play time at one uniform number in [0, 1), in seconds.
  package func seconds(at u: Double, thresholds: PlayThresholds) -> Float {
    if u < skip { return skipSeconds(at: u / skip) }
    if u < 1 - click {
      let x = (u - skip) / (1 - click - skip)
      let t = PlayThresholds.skip + (thresholds.click - PlayThresholds.skip) * x
      return max(Float(t), Float(PlayThresholds.skip))
    }
    if u < 1 - longView {
      let x = (u - (1 - click)) / (click - longView)
      let log = thresholds.logClick + (thresholds.logLongView - thresholds.logClick) * x
      return Float(min(expm1(log), thresholds.longView))
    }
    if u < 1 - finished {
      let x = (u - (1 - longView)) / (longView - finished)
      let span = thresholds.logDuration - thresholds.logLongView
      let log = thresholds.logLongView + span * pow(x, exponent)
      return Float(min(expm1(log), 0.9999 * thresholds.duration))
    }
    let x = min(max((u - (1 - finished)) / finished, 0), 1 - 0x1p-53)
    let replay = PlayThresholds.replayScale * pow(-log1p(-x), PlayThresholds.replayShape)
    return Float(thresholds.duration + min(replay, PlayThresholds.longestReplay))
  }

  private func skipSeconds(at x: Double) -> Float {
    let zero = PlayThresholds.zeroShareOfSkips
    guard x >= zero else { return 0 }
    let span = PlayThresholds.skip - PlayThresholds.shortestSkip
    return Float(min(PlayThresholds.shortestSkip + span * (x - zero) / (1 - zero), 2.999))
  }
}
