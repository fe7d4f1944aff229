import BatchRL
import ExperimentReports
import Foundation
import PolicyArtifacts
import UserSimulator

extension RunReport {
  /// What the paper says of a learner's curve in figure 5.
  private static let paperOnValues: [String: String] = [
    "td3": "grows exponentially", "uwac_td3": "grows, less than TD3's",
    "cql_sac": "stays, with a larger deviation than BatchRL-MTF's",
    "batch_rl_mtf": "stays, with the smallest deviation of all",
  ]

  /// Figure 5: Q during training, a learner each.
  var valueFigures: [Figure] {
    first.training.compactMap { record in
      let points = record.reports.compactMap { report in
        report.decisionValues.map {
          Figure.Point(
            x: Double(report.step), y: $0.mean, low: $0.mean - $0.deviation,
            high: $0.mean + $0.deviation)
        }
      }
      guard let last = points.last, let low = last.low else { return nil }
      return Figure(
        name: "q-\(record.method)", title: "Estimated Q during training: \(record.method)",
        x: .init("gradient step"), y: .init("Q at the policy's decisions"),
        series: [.init("", .line, points)],
        caption: .init(
          shows: "The mean of Q at the decisions of \(record.method) on the latest batch, with the "
            + "deviation over the batch as a band.",
          unit: "discounted satisfaction", source: file("stages/train-\(record.method).json"),
          paper: Self.paperOnValues[record.method].map { "Figure 5: \($0)." },
          here: "At the end \(number(last.y)) ± \(number(last.y - low))."
            + (record.divergence.map { " \($0)." } ?? "")))
    }
  }

  /// What training looks like beside Q.
  var trainingFigures: [Figure] {
    func figure(
      _ name: String, _ title: String, _ label: String, _ shows: String, isLogarithmic: Bool,
      _ value: (TrainingReport) -> Double?
    ) -> Figure {
      Figure(
        name: name, title: title, x: .init("gradient step"),
        y: .init(label, isLogarithmic: isLogarithmic),
        series: learners.map { record in
          Figure.Series(
            record.method, .line,
            record.reports.compactMap { report in
              value(report).flatMap {
                isLogarithmic && $0 <= 0 ? nil : Figure.Point(x: Double(report.step), y: $0)
              }
            }, color: color(record.method))
        },
        caption: .init(
          shows: shows, unit: label,
          source: learners.map { file("stages/train-\($0.method).json") }.joined(separator: ", ")),
        aspect: 0.75)
    }
    return [
      figure(
        "td-error", "Temporal-difference error", "mean |y − Q|, satisfaction",
        "The mean absolute error of each learner's first critic against its target.",
        isLogarithmic: true
      ) { $0.metrics.temporalDifferenceError },
      figure(
        "distance", "Distance of decisions from the log", "root mean square, normalized weights",
        "How far each learner's decisions lie from the logged actions of the same states.",
        isLogarithmic: false
      ) { $0.decisions.distanceFromData },
      figure(
        "saturation", "Weights at the bounds", "share of weights with |a| ≥ 0.99",
        "Which share of the weights that each learner decides for stands at its bounds.",
        isLogarithmic: false
      ) { $0.decisions.saturationShare },
    ]
  }

  /// The four weights of figures 6 and 7: the paper's name and the task that stands for it here.
  private static let shownWeights = [
    ("play time", "watch_time"), ("finish rate", "finished"), ("exit rate", "skip"),
    ("positive rate", "like"),
  ]

  /// Figure 6: the actions of learners beside the logged ones.
  var actionFigures: [Figure] {
    distributionFigures(
      prefix: "actions", title: "Actions of learners",
      methods: ["behavior", "td3", "uwac_td3", "cql_sac", "batch_rl_mtf"],
      shows: "in the log and as the learners decide for the first states of test sessions",
      paper: "Figure 6: TD3 sits at the extremes, out of distribution; UWAC+TD3 less; CQL+SAC and "
        + "BatchRL-MTF stay where the data are.")
  }

  /// Figure 7: random exploration, mixed exploration, and what learned from each.
  var explorationFigures: [Figure] {
    distributionFigures(
      prefix: "exploration", title: "Exploration and what learns from it",
      methods: ["behavior_random", "behavior", "batch_rl_mtf_re", "batch_rl_mtf"],
      shows: "under random and mixed exploration, and as the policies trained on each decide",
      paper: "Figure 7: trained on mixed exploration, actions stay near the current policy's; "
        + "trained on random exploration, they spread.")
  }

  private func distributionFigures(
    prefix: String, title: String, methods: [String], shows: String, paper: String
  ) -> [Figure] {
    Self.shownWeights.compactMap { weight, task in
      let found = methods.compactMap { method in
        first.results.actions.first { $0.method == method && $0.task == task }
      }
      guard found.count > 1 else { return nil }
      let series = found.map { histogram in
        let total = Double(max(1, histogram.counts.reduce(0, +)))
        // The last edge closes the outline.
        let shares = histogram.counts.map { Double($0) / total }
        return Figure.Series(
          histogram.method, histogram.method == methods[0] ? .filledSteps : .steps,
          zip(histogram.edges, shares + shares.suffix(1)).map { Figure.Point(x: $0, y: $1) },
          color: color(histogram.method))
      }
      let atBounds = found.map { histogram in
        let ends = (histogram.counts.first ?? 0) + (histogram.counts.last ?? 0)
        let share = Double(ends) / Double(max(1, histogram.counts.reduce(0, +)))
        return "\(histogram.method) \(String(format: "%.0f %%", 100 * share))"
      }
      return Figure(
        name: "\(prefix)-\(task)", title: "\(title): weight of \(task) (\(weight))",
        x: .init("normalized weight", range: -1...1), y: .init("share of decisions"),
        series: series,
        caption: .init(
          shows: "How often which weight of \(task) is given, \(shows).",
          unit: "share of decisions a bin of 0.1; weights normalized to [−1, 1]",
          source: file("results.json"), paper: paper,
          here: "In the outermost bins: \(atBounds.joined(separator: ", "))."))
    }
  }

  /// Figure 8: estimated value against a setting.
  var sweepFigures: [Figure] {
    sweeps.enumerated().compactMap { index, sweep in
      guard sweep.results.keys.count == 1, let key = sweep.results.keys.first else { return nil }
      let points = sweep.results.points.compactMap { point in
        point.settings[key]?.numericValue.map { ($0, point) }
      }
      let estimators = points.first { !$0.1.offline.isEmpty }?.1.offline.map(\.estimator) ?? []
      var series = estimators.map { estimator in
        Figure.Series(
          estimator, .points,
          points.compactMap { x, point in
            point.offline.first { $0.estimator == estimator }.map {
              Figure.Point(x: x, y: $0.value, low: $0.low, high: $0.high)
            }
          })
      }
      let truths = points.compactMap { x, point in
        point.truth.map { Figure.Point(x: x, y: $0.sessionReturn, low: $0.low, high: $0.high) }
      }
      if !truths.isEmpty { series.append(.init("true (simulated)", .points, truths)) }
      let values = points.map(\.0)
      let (least, most) = (values.min() ?? 0, values.max() ?? 0)
      let best = points.compactMap { x, point in
        point.offline.first { $0.estimator == "conservative" }.map { (x, $0.value) }
      }.max { $0.1 < $1.1 }
      let diverged = points.filter { $0.1.divergence != nil }.map { "\($0.0)" }
      let name = String(key.split(separator: ".").last ?? "")
      return Figure(
        name: "sweep-\(index + 1)-\(name)",
        title: "\(sweep.results.algorithm): value against \(name)",
        x: .init(name, isLogarithmic: least > 0 && most / least >= 20),
        y: .init("satisfaction a session"), series: series,
        caption: .init(
          shows: "The estimated value of policies trained with several \(key), all else alike.",
          unit: "discounted satisfaction a session, with 95 % intervals", source: sweep.path,
          paper: Self.paperOnSweep[name],
          here: (best.map { "Highest estimate at \($0.0): \(number($0.1))." } ?? "No estimate.")
            + (diverged.isEmpty ? "" : " Diverged at \(diverged.joined(separator: ", ")).")))
    }
  }

  private static let paperOnSweep = [
    "perturbationBound":
      "Figure 8: best at ρ = 0.15; smaller is stable but limited, larger extrapolates.",
    "criticLearningRate": "Figure 8: best at 2e-4.",
  ]

  /// Quality of the multi-task model.
  var taskFigure: Figure {
    let tasks = first.results.multiTask.filter { $0.auc != nil }
    return Figure(
      name: "tasks", title: "Multi-task model on held-out impressions",
      x: .init("task", names: tasks.map(\.task)), y: .init("AUC", range: 0.5...1),
      series: seeds.enumerated().map { index, seed in
        Figure.Series(
          "seed \(seed.results.seed)", .points,
          tasks.indices.compactMap { place in
            seed.results.multiTask.first { $0.task == tasks[place].task }?.auc.map {
              Figure.Point(x: Double(place), y: $0)
            }
          }, color: index)
      },
      caption: .init(
        shows: "How well the ranker's model orders held-out impressions, a task each.",
        unit: "area under the ROC curve; 0.5 is chance", source: file("results.json"),
        here: tasks.compactMap { task in task.auc.map { "\(task.task) \(number($0))" } }
          .joined(separator: ", ") + "."))
  }

  /// The platform beside the log.
  var anchorFigure: Figure {
    let rows = first.anchors.rows.filter {
      $0.simulated.isFinite && $0.anchor.isFinite && $0.tolerance > 0
    }
    let outside = rows.filter { !$0.passes }.map(\.name)
    return Figure(
      name: "anchors", title: "Simulated platform against the log",
      x: .init("(platform − log) / tolerance"), y: .init("", names: rows.map(\.name)),
      series: [
        .init(
          "", .points,
          rows.enumerated().map { place, row in
            Figure.Point(x: (row.simulated - row.anchor) / row.tolerance, y: Double(place))
          })
      ],
      caption: .init(
        shows: "How far each number of the simulated platform is from the real log's, in the "
          + "tolerance that it is allowed; between −1 and 1 is within.",
        unit: "tolerances", source: file("stages/anchors.json"),
        here: "\(rows.count - outside.count) of \(rows.count) within"
          + (outside.isEmpty ? "." : "; off: \(outside.joined(separator: ", ")).")),
      aspect: max(0.6, 0.028 * Double(rows.count)))
  }
}
