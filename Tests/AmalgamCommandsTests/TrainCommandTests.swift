import AmalgamCommands
import DurableFiles
import Foundation
import Testing

@Suite("train") struct TrainCommandTests {
  private let root = FileManager.default.temporaryDirectory
    .appendingPathComponent("amalgam-train-\(UUID().uuidString)").path
  private var data: String { root + "/data" }
  private var output: String { root + "/run" }

  /// Shards as another program would write them: 40 sessions of 3 steps, 12 weights.
  init() throws {
    try DurableFiles.makeFolders(data)
    let count = 120
    func wave(_ size: Int, _ frequency: Float) -> [Float] {
      (0..<count * size).map { sin(frequency * Float($0)) }
    }
    try Safetensors.write(
      [
        ("states", Tensor(wave(4, 0.7), shape: [count, 4])),
        ("actions", Tensor(wave(12, 1.3), shape: [count, 12])),
        ("rewards", Tensor(wave(1, 2.1))),
        ("session_offsets", Tensor((0...40).map { Int64($0) * 3 })),
        ("session_end", Tensor([UInt8](repeating: 0, count: 40))),
      ], to: data + "/0.safetensors")
    try DurableFiles.write(
      #"{"format": "amalgam trajectories", "version": 1}"#, to: data + "/manifest.json")
  }

  private func train(_ more: [String]) async -> Int32 {
    await Amalgam.run(
      arguments: ["train", "--data", data, "--output", output] + more
        + [
          "--set", "training.stepCount=12", "--set", "training.batchSize=16", "--set",
          "training.checkpointInterval=5", "--set", "learners.batchRLMTF.hidden=[8]", "--set",
          "learners.behaviorCloning.hidden=[8]", "--json",
        ])
  }

  @Test(
    "trains a policy on shards into an artifact, once",
    arguments: [
      "batch_rl_mtf", "behavior_cloning", "td3", "td3_bc", "uwac_td3", "cql_sac", "iql",
    ])
  func trains(algorithm: String) async throws {
    defer { try? DurableFiles.remove(root) }
    #expect(await train(["--algorithm", algorithm, "--seed", "3"]) == 0)
    #expect(
      try DurableFiles.names(inFolder: output)
        == ["checkpoint.safetensors", "configuration.json", "policy", "stages"])
    let checkpoint = try Safetensors.read(output + "/checkpoint.safetensors")
    #expect(checkpoint.metadata["algorithm"] == algorithm && checkpoint.metadata["seed"] == "3")
    let manifest = try DurableFiles.readText(output + "/policy/manifest.json")
    #expect(manifest.contains("\"\(algorithm)\""))
    #expect(await train(["--algorithm", algorithm, "--seed", "3"]) == 2)
    #expect(await train(["--algorithm", algorithm, "--seed", "3", "--resume"]) == 0)
    #expect(await train(["--algorithm", algorithm, "--seed", "4", "--resume"]) == 2)
  }

  @Test("a run that goes on from a checkpoint ends with the bits of one that did not stop")
  func resumes() async throws {
    defer { try? DurableFiles.remove(root) }
    #expect(await train([]) == 0)
    let whole = try DurableFiles.read(output + "/policy/weights.safetensors")
    // As a run leaves its folder that was killed after its last checkpoint.
    try DurableFiles.remove(output + "/policy")
    try DurableFiles.remove(output + "/stages/train.json")
    #expect(await train(["--resume"]) == 0)
    #expect(try DurableFiles.read(output + "/policy/weights.safetensors") == whole)
  }

  @Test("the configuration chooses the algorithm where no flag does")
  func configuredAlgorithm() async throws {
    defer { try? DurableFiles.remove(root) }
    #expect(await train(["--set", "algorithm=behavior_cloning"]) == 0)
    let checkpoint = try Safetensors.read(output + "/checkpoint.safetensors")
    #expect(checkpoint.metadata["algorithm"] == "behavior_cloning")
  }

  @Test("wrong requests are told before anything is written")
  func wrongRequests() async throws {
    defer { try? DurableFiles.remove(root) }
    #expect(await train(["--set", "training.steps=3"]) == 2)
    #expect(await train(["--set", "learners.batchRLMTF.discount=1"]) == 2)
    #expect(await train(["--algorithm", "sarsa"]) == 2)
    #expect(await train(["--data", root]) == 2)
    #expect(!DurableFiles.exists(output))
  }

  @Test("training that diverges fails and leaves no policy")
  func divergence() async throws {
    defer { try? DurableFiles.remove(root) }
    #expect(await train(["--set", "learners.batchRLMTF.criticLearningRate=1e20"]) == 1)
    #expect(!DurableFiles.exists(output + "/policy"))
  }
}
