// The layout of results.json, schema 1, key by key.

extension ReproductionResults {
  var json: OrderedJSON {
    .object([
      ("schema", .integer(Self.schema)),
      ("preset", .string(preset)),
      ("seed", .unsigned(seed)),
      ("dataset", dataset.json),
      ("multi_task", .array(multiTask.map(\.json))),
      ("training", .array(training.map(\.json))),
      ("offline", .array(offline.map(\.json))),
      ("truth", .array(truth.map(\.json))),
      ("online", .array(online.map(\.json))),
      ("actions", .array(actions.map(\.json))),
    ])
  }
}

extension DatasetSummary {
  var json: OrderedJSON {
    .object([
      ("name", .string(name)), ("impressions", .integer(impressions)), ("users", .integer(users)),
    ])
  }
}

extension TaskQuality {
  var json: OrderedJSON {
    .object([
      ("task", .string(task)), ("auc", .optional(auc)), ("log_loss", .optional(logLoss)),
      ("calibration_error", .optional(calibrationError)),
    ])
  }
}

extension TrainingSummary {
  var json: OrderedJSON {
    .object([
      ("method", .string(method)), ("steps", .integer(steps)),
      ("steps_per_second", .number(stepsPerSecond)),
      ("q_mean", .array(qMean.map(OrderedJSON.number))),
      ("q_deviation", .array(qDeviation.map(OrderedJSON.number))),
    ])
  }
}

extension OfflineEstimate {
  var json: OrderedJSON {
    .object([
      ("method", .string(method)), ("estimator", .string(estimator)), ("value", .number(value)),
      ("low", .number(low)), ("high", .number(high)),
      ("effective_sample_size", .optional(effectiveSampleSize)),
    ])
  }
}

extension TrueValue {
  var json: OrderedJSON {
    .object([
      ("method", .string(method)), ("session_return", .number(sessionReturn)),
      ("low", .number(low)), ("high", .number(high)),
    ])
  }
}

extension OnlineResult {
  var json: OrderedJSON {
    .object([
      ("method", .string(method)), ("ad_time_minutes", .number(adTimeMinutes)),
      ("ad_time_lift", .optional(adTime.lift)), ("ad_time_low", .optional(adTime.low)),
      ("ad_time_high", .optional(adTime.high)), ("ad_time_p", .optional(adTime.pValue)),
      ("upi_rate", .optional(upiRate)), ("upi_rate_lift", .optional(upi.lift)),
      ("upi_rate_low", .optional(upi.low)), ("upi_rate_high", .optional(upi.high)),
      ("upi_rate_p", .optional(upi.pValue)),
    ])
  }
}

extension ActionDistribution {
  var json: OrderedJSON {
    .object([
      ("method", .string(method)), ("task", .string(task)),
      (
        "histogram",
        .object([
          ("edges", .array(edges.map(OrderedJSON.number))),
          ("counts", .array(counts.map(OrderedJSON.integer))),
        ])
      ),
    ])
  }
}
