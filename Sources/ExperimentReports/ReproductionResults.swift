/// Everything that `reproduce` found: the typed form of `results.json`, schema 1.
///
/// The layout of the file is part of the public contract; `ResultsFile` writes and reads it.
/// Conventions: lifts are fractions of the reference arm, intervals are 95 %, p-values two-sided.
/// A nil is written as `null` and means "undefined", such as the reference arm's own lift.
package struct ReproductionResults: Sendable, Equatable {
  /// Version of the layout.
  package static let schema = 1
  /// Name of the preset that was run.
  package var preset: String
  /// Root seed of the run.
  package var seed: UInt64
  /// The log that everything started from.
  package var dataset: DatasetSummary
  /// Quality of the multi-task model, by task.
  package var multiTask: [TaskQuality]
  /// How training went, by method.
  package var training: [TrainingSummary]
  /// What the estimators say about each method from logged sessions alone.
  package var offline: [OfflineEstimate]
  /// What each method is worth on the simulated platform, by roll-out.
  package var truth: [TrueValue]
  /// The A/B test on the simulated platform.
  package var online: [OnlineResult]
  /// Which weights each method chooses.
  package var actions: [ActionDistribution]

  /// Results with the given parts.
  package init(
    preset: String, seed: UInt64, dataset: DatasetSummary, multiTask: [TaskQuality] = [],
    training: [TrainingSummary] = [], offline: [OfflineEstimate] = [], truth: [TrueValue] = [],
    online: [OnlineResult] = [], actions: [ActionDistribution] = []
  ) {
    self.preset = preset
    self.seed = seed
    self.dataset = dataset
    self.multiTask = multiTask
    self.training = training
    self.offline = offline
    self.truth = truth
    self.online = online
    self.actions = actions
  }
}

/// The log that a run starts from.
package struct DatasetSummary: Sendable, Equatable {
  /// Name of the data set.
  package var name: String
  /// Impressions in it.
  package var impressions: Int
  /// Users in it.
  package var users: Int

  /// A data set's name and size.
  package init(name: String, impressions: Int, users: Int) {
    self.name = name
    self.impressions = impressions
    self.users = users
  }
}

/// How well the multi-task model predicts one behaviour.
package struct TaskQuality: Sendable, Equatable {
  /// Name of the task.
  package var task: String
  /// Area under the ROC curve; nil for a task that is no probability or without positives.
  package var auc: Double?
  /// Mean log loss in nats; nil for a task that is no probability.
  package var logLoss: Double?
  /// Expected calibration error; nil for a task that is no probability.
  package var calibrationError: Double?

  /// The quality of one task's prediction.
  package init(task: String, auc: Double?, logLoss: Double?, calibrationError: Double?) {
    self.task = task
    self.auc = auc
    self.logLoss = logLoss
    self.calibrationError = calibrationError
  }
}

/// How the training of one method went.
package struct TrainingSummary: Sendable, Equatable {
  /// Name of the method.
  package var method: String
  /// Gradient steps.
  package var steps: Int
  /// Speed.
  package var stepsPerSecond: Double
  /// Mean estimated Q at evenly spaced steps (figure 5); empty for a method without critics.
  package var qMean: [Double]
  /// Its standard deviation over the batch at the same steps.
  package var qDeviation: [Double]

  /// A summary of one training run.
  package init(
    method: String, steps: Int, stepsPerSecond: Double, qMean: [Double], qDeviation: [Double]
  ) {
    self.method = method
    self.steps = steps
    self.stepsPerSecond = stepsPerSecond
    self.qMean = qMean
    self.qDeviation = qDeviation
  }
}

/// One estimator's word on one method.
package struct OfflineEstimate: Sendable, Equatable {
  /// Name of the method.
  package var method: String
  /// Name of the estimator.
  package var estimator: String
  /// Estimated discounted satisfaction per session.
  package var value: Double
  /// Lower end of the 95 % interval.
  package var low: Double
  /// Upper end.
  package var high: Double
  /// See `PolicyValueEstimate`; nil where it is not defined.
  package var effectiveSampleSize: Double?

  /// An estimate with its interval.
  package init(
    method: String, estimator: String, value: Double, low: Double, high: Double,
    effectiveSampleSize: Double?
  ) {
    self.method = method
    self.estimator = estimator
    self.value = value
    self.low = low
    self.high = high
    self.effectiveSampleSize = effectiveSampleSize
  }
}

/// The value of one method on the simulated platform.
package struct TrueValue: Sendable, Equatable {
  /// Name of the method.
  package var method: String
  /// Mean discounted satisfaction per session, by roll-out.
  package var sessionReturn: Double
  /// Lower end of the 95 % interval of the roll-out.
  package var low: Double
  /// Upper end.
  package var high: Double

  /// A roll-out's mean with its interval.
  package init(method: String, sessionReturn: Double, low: Double, high: Double) {
    self.method = method
    self.sessionReturn = sessionReturn
    self.low = low
    self.high = high
  }
}

/// A metric's lift over the reference arm.
package struct LiftResult: Sendable, Equatable {
  /// Lift as a fraction of the reference; nil for the reference arm itself.
  package var lift: Double?
  /// Lower end of the 95 % interval.
  package var low: Double?
  /// Upper end.
  package var high: Double?
  /// Two-sided p-value.
  package var pValue: Double?

  /// What stands in the reference arm's row.
  package static let undefined = LiftResult(lift: nil, low: nil, high: nil, pValue: nil)

  /// A lift with its interval.
  package init(lift: Double?, low: Double?, high: Double?, pValue: Double?) {
    self.lift = lift
    self.low = low
    self.high = high
    self.pValue = pValue
  }
}

/// One arm of the A/B test on the simulated platform.
package struct OnlineResult: Sendable, Equatable {
  /// Name of the method.
  package var method: String
  /// ADTime: minutes per user and day.
  package var adTimeMinutes: Double
  /// Its lift over the reference arm.
  package var adTime: LiftResult
  /// UPIRate: share of plays with a positive interaction; nil without plays.
  package var upiRate: Double?
  /// Its lift over the reference arm.
  package var upi: LiftResult

  /// One arm's metrics and lifts.
  package init(
    method: String, adTimeMinutes: Double, adTime: LiftResult, upiRate: Double?, upi: LiftResult
  ) {
    self.method = method
    self.adTimeMinutes = adTimeMinutes
    self.adTime = adTime
    self.upiRate = upiRate
    self.upi = upi
  }
}

/// How often a method chooses which weight for one task (figures 6 and 7).
package struct ActionDistribution: Sendable, Equatable {
  /// Name of the method.
  package var method: String
  /// Name of the task whose weight it is.
  package var task: String
  /// Edges of the bins, in normalised weights; one more than counts.
  package var edges: [Double]
  /// Actions in each bin.
  package var counts: [Int]

  /// A histogram.
  package init(method: String, task: String, edges: [Double], counts: [Int]) {
    self.method = method
    self.task = task
    self.edges = edges
    self.counts = counts
  }
}
