import MultiTaskModels

/// How the two multi-task models of a run are trained: the ranker's, and the answering one.
struct TaskModelSettings: Codable, Equatable {
  /// Architecture of the ranker's model: ple, mmoe or shared_bottom.
  var ranker = "ple"
  /// Architecture of the model that answers on the platform; it learns from all days.
  var answering = "shared_bottom"
  /// How often each training row is visited; 0 takes the models' default.
  var epochs = 0
  /// Networks whose mean logits the ranker's model is; the answering model is one network.
  var members = 3
  /// Resamples of users for the AUC's intervals.
  var replicates = 200

  /// The least that still runs every part.
  mutating func shrink() {
    ranker = "shared_bottom"
    answering = "mmoe"
    epochs = 1
    members = 1
    replicates = 20
  }

  /// The training options of an architecture.
  ///
  /// - Throws: `CommandFailure.usage` for an unknown name.
  func options(
    _ name: String, key: String, members: Int
  ) throws -> MultiTaskTrainingOptions {
    guard let architecture = TaskArchitecture(named: name) else {
      throw CommandFailure.usage(
        "tasks.\(key): expected ple, mmoe or shared_bottom, found '\(name)'")
    }
    var options = MultiTaskTrainingOptions(architecture: architecture)
    options.members = members
    if epochs > 0 { options.epochs = epochs }
    return options
  }
}
