package import ArgumentParser
import DenseKernels
import DurableFiles
import Foundation
import FusionMDP
import MultiTaskModels
import SessionLogs

/// `amalgam tasks`: the multi-task model, trained, evaluated, asked for scores.
package struct TasksCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "tasks",
    abstract: "Train, evaluate and use the model that predicts each behavior.",
    subcommands: [TasksTrainCommand.self, TasksEvaluateCommand.self, TasksScoreCommand.self])

  package init() {}
}

/// What the verbs of `tasks` share.
struct TaskOptions: ParsableArguments {
  @Option(help: "The folder with the KuaiRand data.")
  var data = "Data/kuairand-pure"

  @Option(help: "The root of all random numbers.")
  var seed: UInt64 = 1

  func stage(
    lastTrainingDate: Int? = KuaiRandTaskData.lastTrainingDate, lastHeldOutDate: Int? = nil
  ) throws -> TaskModelStage {
    TaskModelStage(
      KuaiRandTaskData(
        try KuaiRandFolder(path: data), lastTrainingDate: lastTrainingDate,
        lastHeldOutDate: lastHeldOutDate))
  }
}

/// `amalgam tasks train`.
struct TasksTrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train", abstract: "Train a model on the days up to 4 May and keep it.")

  @OptionGroup var common: ConfigurationOptions
  @OptionGroup var options: TaskOptions

  @Option(help: "The architecture: ple, mmoe or shared_bottom.")
  var model: String?

  @Option(help: "The folder to write; one that was written before is replaced whole.")
  var output: String

  @Option(help: "The last day to learn from, as 20220504.")
  var trainThrough = KuaiRandTaskData.lastTrainingDate

  func run() throws {
    Interruption.shared.install()
    var settings = try common.configuration(TaskTrainingConfiguration())
    if let model { settings.model = model }
    let training = try settings.options()
    try TaskModelFolder.checkReplaceable(output)
    let stage = try options.stage(lastTrainingDate: trainThrough)
    let line = ProgressLine("training \(settings.model)", total: 100)
    let trained = try stage.train(training, seed: options.seed) { progress in
      try Interruption.shared.check("stopped; nothing was written")
      line.update(
        100 * progress.step / progress.steps, note: String(format: "loss %.4f", progress.loss))
    }
    line.finish()
    try TaskModelFolder.write(
      trained, numberNames: stage.builder.numberNames,
      categoryNames: stage.builder.categoryNames, lastTrainingDate: trainThrough, to: output)
    if common.json {
      try MachineOutput.print(["output": output, "model": settings.model])
    } else {
      try StandardOutput.print("wrote \(output)")
    }
  }
}

/// `amalgam tasks evaluate`.
struct TasksEvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Measure a model on the days from 5 May, beside a logistic regression.")

  @OptionGroup var options: TaskOptions

  @Option(name: .customLong("model"), help: "The folder that `tasks train` wrote.")
  var folder: String

  @Option(help: "The last day to evaluate on; all later days if absent.")
  var evaluateThrough: Int?

  @Flag(help: "Print JSON instead of a table.")
  var json = false

  func run() throws {
    let last = try TaskModelFolder.lastTrainingDate(of: folder)
    let stage = try options.stage(lastTrainingDate: last, lastHeldOutDate: evaluateThrough)
    guard !stage.data.heldOut.isEmpty else {
      throw CommandFailure.usage(
        "\(folder): learned from days to \(last.map(String.init) ?? "the last"); "
          + "there is no later day to evaluate on")
    }
    guard stage.data.impressions.isTraining.contains(true) else {
      throw CommandFailure.usage(
        "\(folder)/model.json: lastTrainingDate: expected a day of the log, found "
          + "\(last.map(String.init) ?? "none")")
    }
    let model = try TaskModelFolder.read(folder, builder: stage.builder)
    let evaluator = stage.evaluator(seed: options.seed)
    let features = stage.heldOutFeatures
    let ofModel = evaluator.evaluate(logits: model.logits(features))
    let baseline = stage.trainBaseline(inputsOf: model, seed: options.seed)
    let ofBaseline = evaluator.evaluate(logits: baseline(model.encoder.encode(features)))
    let report = TaskReport(model: ofModel, baseline: ofBaseline)
    try StandardOutput.print(json ? try report.json() : report.table())
  }
}
