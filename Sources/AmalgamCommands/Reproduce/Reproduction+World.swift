import DenseKernels
import DurableFiles
import ExperimentReports
import Foundation
import FusionMDP
import MultiTaskModels
import SeededRandom
import SessionLogs
import UserSimulator

extension Reproduction {
  /// The quality of the ranker's model on held-out days.
  struct TaskStage {
    var dataset: DatasetSummary
    var qualities: [TaskQuality]
  }

  private struct StoredQualities: Codable {
    struct Quality: Codable {
      var task: String
      var auc: Double?
      var logLoss: Double?
      var calibrationError: Double?
    }
    var impressions: Int
    var users: Int
    var qualities: [Quality]
  }

  /// Trains the ranker's model on the days up to 4 May and evaluates it on the later ones; trains
  /// the answering model, of another architecture and seed, on all days.
  func trainTaskModels() throws -> TaskStage {
    let stored = try run.stage("tasks") { () -> StoredQualities in
      let folder = try KuaiRandFolder(path: configuration.data)
      let settings = configuration.tasks
      let held = TaskModelStage(KuaiRandTaskData(folder))
      let ranker = try train(
        held, settings.options(settings.ranker, key: "ranker", members: settings.members),
        name: "ranker")
      let evaluator = held.evaluator(seed: seed("tasks"), replicates: settings.replicates)
      let found = evaluator.evaluate(logits: ranker.logits(held.heldOutFeatures))
      try write(ranker, held, "tasks/ranker")
      let whole = TaskModelStage(KuaiRandTaskData(folder, lastTrainingDate: nil))
      let answering = try train(
        whole, settings.options(settings.answering, key: "answering", members: 1),
        name: "answering")
      try write(answering, whole, "tasks/answering")
      return StoredQualities(
        impressions: folder.log.count, users: Set(folder.log.userIDs).count,
        qualities: found.map { task in
          StoredQualities.Quality(
            task: task.task, auc: task.areaUnderCurve, logLoss: task.logLoss,
            calibrationError: task.positives == nil ? nil : task.calibrationError)
        })
    }
    return TaskStage(
      dataset: DatasetSummary(
        name: "KuaiRand-Pure 25 April - 8 May 2022, development users",
        impressions: stored.impressions, users: stored.users),
      qualities: stored.qualities.map {
        TaskQuality(
          task: $0.task, auc: $0.auc, logLoss: $0.logLoss, calibrationError: $0.calibrationError)
      })
  }

  private func train(
    _ stage: TaskModelStage, _ options: MultiTaskTrainingOptions, name: String
  ) throws -> MultiTaskModel {
    let line = ProgressLine("train \(name) model (\(options.architecture.name))", total: 100)
    let model = try stage.train(options, seed: seed("tasks"), name: name) { progress in
      try Interruption.shared.check("stopped in the multi-task model")
      line.update(
        100 * progress.step / progress.steps, note: String(format: "loss %.4f", progress.loss))
    }
    line.finish()
    return model
  }

  private func write(_ model: MultiTaskModel, _ stage: TaskModelStage, _ name: String) throws {
    try DurableFiles.makeFolders(run.file("tasks"))
    try TaskModelFolder.write(
      model, numberNames: stage.builder.numberNames, categoryNames: stage.builder.categoryNames,
      to: run.file(name))
  }

  /// Scores every user with every video by both models and fits the platform to the log.
  func buildPlatform() throws {
    _ = try run.stage("platform") { () -> PlatformFit in
      let settings = configuration.platform
      let folder = try KuaiRandFolder(path: configuration.data)
      let population = try KuaiRandPopulation(
        folder, userCount: settings.users, videoCount: settings.videos,
        stream: RandomStream(seed: seed("platform"), name: "population"))
      var fit: PlatformFit?
      try? DurableFiles.remove(run.file("platform"))
      try DurableFiles.writeFolder(at: run.file("platform")) { path in
        let tables = "\(path)/tables.safetensors"
        try PlatformFolder.writeTables(
          profiles: population.users.profiles,
          profileCount: population.users.profileNames.count,
          scores: scores(of: "ranker", population, folder),
          responses: scores(of: "answering", population, folder),
          users: population.userIDs.count, videos: population.videoIDs.count, to: tables)
        let line = ProgressLine("fit the platform", total: 1)
        let data = try PlatformData(
          users: population.users, videos: population.videos,
          impressions: MappedImpressions(Safetensors.read(tables)))
        var budget = SimulatedPlatform.FitBudget()
        budget.users = settings.fitUsers
        budget.days = settings.fitDays
        budget.rounds = settings.fitRounds
        let platform = try SimulatedPlatform.fitted(
          data: data, budget: budget, seed: seed("platform"), threads: configuration.threads)
        line.finish()
        try PlatformFolder.writeDescription(
          of: platform, population: population, seed: seed("platform"), to: path)
        fit = platform.fit
      }
      guard let fit else { throw CommandFailure.failure("the platform was not fitted") }
      return fit
    }
  }

  /// The table of one model: task scores for the ranker; for the answering model probabilities
  /// and the mean of log(1 + seconds).  Shapes: → [U·V·K].
  private func scores(
    of name: String, _ population: KuaiRandPopulation, _ folder: KuaiRandFolder
  ) throws -> [Float] {
    let last = name == "ranker" ? KuaiRandTaskData.lastTrainingDate : nil
    let stage = TaskModelStage(KuaiRandTaskData(folder, lastTrainingDate: last))
    let model = try TaskModelFolder.read(run.file("tasks/\(name)"), builder: stage.builder)
    let rowOfUser = Dictionary(
      uniqueKeysWithValues: stage.data.userIDs.enumerated().map { ($1, $0) })
    let rowOfVideo = Dictionary(
      uniqueKeysWithValues: stage.data.videoIDs.enumerated().map { ($1, $0) })
    let blocks = stage.builder.pairBlocks(
      users: population.userIDs.compactMap { rowOfUser[$0] },
      videos: population.videoIDs.compactMap { rowOfVideo[$0] })
    let users = population.userIDs.count
    let line = ProgressLine("score with the \(name) model", total: users)
    var table: [Float] = []
    table.reserveCapacity(users * population.videoIDs.count * TaskSchema.standard.count)
    for user in 0..<users {
      let logits = model.logits(
        stage.builder.features(ofUserAt: user, in: blocks, context: ServingContext()))
      table += name == "ranker" ? model.scores(fromLogits: logits).values : answers(logits)
      if user.isMultiple(of: 64) {
        try Interruption.shared.check("stopped while scoring")
        line.update(user)
      }
    }
    line.finish()
    return table
  }

  private func answers(_ logits: Matrix) -> [Float] {
    var values = logits.values
    VectorMath.sigmoid(inPlace: &values)
    let width = TaskSchema.standard.count
    for row in stride(from: width - 1, to: values.count, by: width) {
      values[row] = max(logits.values[row], 0)
    }
    return values
  }

  /// Compares the platform with the log's anchors and keeps both sides.
  func checkPlatform(_ world: World) throws {
    let settings = configuration.platform
    let check = try run.stage("anchors") {
      world.platform.check(
        users: settings.checkUsers, days: settings.checkDays, seed: seed("anchors"),
        threads: configuration.threads)
    }
    let misses = check.failures.map(\.name).joined(separator: ", ")
    StandardError.write(
      "platform against the log's anchors: \(check.rows.count - check.failures.count) of "
        + "\(check.rows.count) within tolerance\(misses.isEmpty ? "" : "; off: \(misses)")\n")
  }
}
