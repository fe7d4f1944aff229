import FusionMDP
import SeededRandom

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// How a user answers one impression.
///
///     logit P(task) = base logit + intercept + user effect + video effect + expression − tiredness
///
/// Play behaviors and play time come from one uniform number; each added behavior r happens if a
/// latent ρ_r·z + λ_r·w + s_r·e lies above its quantile, with z the play latent, w what behaviors
/// toward the comments or toward the author share, e its own.
struct ResponseModel: Sendable {
  /// log(1 + …) and thresholds of each video [V].
  let thresholds: [PlayThresholds]
  /// Effects of each video on log odds [V·11], scaled.
  private let videoLogits: [Float]
  private let links: [AddedLink]

  /// How an added behavior hangs together with play and with its kin.
  struct AddedLink: Sendable {
    let task: ResponseTask
    /// Correlation with the play latent, ρ.
    let play: Double
    /// Loadings on the factors toward the comments and toward the author.
    let comments: Double
    let author: Double
    /// 1 / standard deviation of the rest.
    let precision: Double

    /// Shares of what play leaves that kin explain: from tetrachoric correlations in the log of
    /// comment with comment stay (.90), like with follow (.60), follow with profile enter (.48).
    static let kinLoadings: [(comments: Double, author: Double)] = [
      (0, 0.6), (0, 0.85), (0.93, 0), (0, 0.3), (0, 0), (0, 0.25), (0.93, 0),
    ]

    init(index: Int, playCorrelation: Double) {
      task = ResponseTask.added[index]
      play = playCorrelation
      let rest = (1 - playCorrelation * playCorrelation).squareRoot()
      let kin = Self.kinLoadings[index]
      comments = kin.comments * rest
      author = kin.author * rest
      let left = 1 - kin.comments * kin.comments - kin.author * kin.author
      precision = 1 / (rest * left.squareRoot())
    }
  }

  /// Shapes: `durations` [V], `videoEffects` [V·11] standard normal.
  init(durations: [Float], videoEffects: [Float], fit: PlatformFit) {
    thresholds = durations.map { PlayThresholds(durationSeconds: $0) }
    let tasks = ResponseTask.allCases.count
    var scaled = videoEffects
    for index in scaled.indices { scaled[index] *= Float(fit.videoDeviations[index % tasks]) }
    videoLogits = scaled
    links = fit.playCorrelations.enumerated().map {
      AddedLink(index: $0.offset, playCorrelation: $0.element)
    }
  }

  /// The response of a user to one video.
  ///
  /// Draws ten words whatever happens, so that paired runs stay in step.
  ///
  /// - Parameters:
  ///   - row: the answering model's row of the user [V·12].
  ///   - tiredness: what satiation and fatigue take from the log odds of playing on.
  func feedback(
    of user: UserTruth, row: [Float], video: Int, tiredness: Double,
    using stream: inout RandomStream
  ) -> UserFeedback {
    let u = stream.uniform()
    let comments = stream.gaussian()
    let author = stream.gaussian()
    let plan = playDistribution(of: user, row: row, video: video, tiredness: tiredness)
    let time = thresholds[video]
    let seconds = plan.seconds(at: u, thresholds: time)
    var feedback = UserFeedback(playSeconds: seconds, durationSeconds: Float(time.duration))
    feedback.click = u >= 1 - plan.click
    feedback.longView = u >= 1 - plan.longView

    let z = NormalDistribution.quantile(min(max(u, 0x1p-53), 1 - 0x1p-53))
    for link in links {
      let probability = self.probability(link.task, user: user, row: row, video: video, shift: 0)
      let threshold = NormalDistribution.quantile(probability)
      let latent = threshold + link.play * z + link.comments * comments + link.author * author
      let happens = stream.uniform() < NormalDistribution.cumulative(latent * link.precision)
      if happens { feedback.set(link.task) }
    }
    return feedback
  }

  /// The distribution of play time, with the behaviors that follow from it.
  func playDistribution(
    of user: UserTruth, row: [Float], video: Int, tiredness: Double
  ) -> PlayDistribution {
    func p(_ task: ResponseTask, _ shift: Double) -> Double {
      probability(task, user: user, row: row, video: video, shift: shift)
    }
    let base = video * ResponseTask.columns
    let exponent = PlayDistribution.exponent(
      meanLog: Double(row[base + ResponseTask.watchTimeColumn]), thresholds: thresholds[video],
      skip: Double(row[base + ResponseTask.skip.rawValue]),
      click: Double(row[base + ResponseTask.click.rawValue]),
      longView: Double(row[base + ResponseTask.longView.rawValue]),
      finished: Double(row[base + ResponseTask.finished.rawValue]))
    return PlayDistribution(
      skip: p(.skip, tiredness), click: p(.click, -tiredness), longView: p(.longView, -tiredness),
      finished: p(.finished, -tiredness), exponent: exponent)
  }

  /// P(task) after all effects, kept within [1e-6, 1 − 1e-6].
  func probability(
    _ task: ResponseTask, user: UserTruth, row: [Float], video: Int, shift: Double
  ) -> Double {
    let base = Double(row[video * ResponseTask.columns + task.rawValue])
    let effect =
      user.logits[task.rawValue] + shift
      + Double(videoLogits[video * ResponseTask.allCases.count + task.rawValue])
    return shifted(min(max(base, 1e-6), 1 - 1e-6), byLogit: effect)
  }
}

/// sigmoid(logit(p) + shift) for p in (0, 1), kept within [1e-6, 1 − 1e-6].
func shifted(_ probability: Double, byLogit shift: Double) -> Double {
  let odds = probability / (1 - probability) * exp(shift)
  return min(max(odds / (1 + odds), 1e-6), 1 - 1e-6)
}

extension UserFeedback {
  /// Notes that an added behavior happened.
  mutating func set(_ task: ResponseTask) {
    switch task {
    case .like: like = true
    case .follow: follow = true
    case .comment: comment = true
    case .forward: forward = true
    case .hate: hate = true
    case .profileEnter: profileEnter = true
    case .commentStay: commentStay = true
    case .click, .longView, .finished, .skip:
      preconditionFailure("\(task) follows from play time")
    }
  }

  /// Whether a behavior happened.
  package func has(_ task: ResponseTask) -> Bool {
    switch task {
    case .click: click
    case .longView: longView
    case .like: like
    case .follow: follow
    case .comment: comment
    case .forward: forward
    case .hate: hate
    case .profileEnter: profileEnter
    case .commentStay: commentStay
    case .finished: finished
    case .skip: skip
    }
  }

  /// A positive interaction: like, follow, comment, forward or profile enter.
  package var isPositiveInteraction: Bool {
    like || follow || comment || forward || profileEnter
  }
}
