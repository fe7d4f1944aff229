import DurableFiles
import Foundation
import FusionMDP
import Testing
import TrajectoryPreparation

/// Exchange with NumPy and the `safetensors` package, from `.deps/python` (`make setup`).
@Suite("Trajectory shards and Python")
struct PythonShardsTests {
  private let folder: TemporaryFolder
  private let python: String

  init() throws {
    folder = try TemporaryFolder()
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    python = root.appendingPathComponent(".deps/python/bin/python3").path
  }

  private func run(_ program: String) throws -> String {
    try #require(
      FileManager.default.isExecutableFile(atPath: python),
      "\(python) is missing; 'make setup' installs it with numpy and safetensors")
    let process = Process()
    process.executableURL = URL(fileURLWithPath: python)
    process.arguments = ["-c", program, folder.path]
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let text = String(
      decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0, "python: \(text)")
    return text.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  @Test("a folder written from NumPy in five lines is a source of transitions")
  func numpyWrites() throws {
    _ = try run(
      """
      import numpy as np, sys
      s = np.arange(10, dtype=np.float32).reshape(5, 2)
      a = np.array([[-1], [0], [1], [0.5], [0]], dtype=np.float32)
      r = np.array([1, 2, 3, 4, 5], dtype=np.float32)
      o, e, d = np.array([0, 2, 5]), np.array([0, 1]), sys.argv[1]
      # The five lines:
      from safetensors.numpy import save_file
      import json
      save_file({"states": s, "actions": a, "rewards": r, "session_offsets": o, "session_end": e},
                f"{d}/0.safetensors")
      json.dump({"format": "amalgam trajectories", "version": 1}, open(f"{d}/manifest.json", "w"))
      """)
    let shards = try TrajectoryShards(folder: folder.path)
    #expect(shards.transitionCount == 4 && shards.sessionCount == 2)
    let batch = shards.batch(at: [3, 1, 0])
    #expect(batch.states == [6, 7, 2, 3, 0, 1])
    #expect(batch.actions == [0.5, 0, -1])
    #expect(batch.rewards == [4, 2, 1])
    #expect(batch.nextStates == [8, 9, 0, 0, 2, 3])
    #expect(batch.bootstraps == [1, 0, 1])
    #expect(shards.sessionEnd(of: 1) == .truncated && shards.session(1) == 2..<4)
    #expect(shards.logPropensities(at: [0])[0].isNaN && shards.feedback(at: 0) == nil)
  }

  @Test("NumPy reads what preparation writes")
  func numpyReads() throws {
    let log = try tinyLog(
      folder.path + "/log", windowEndMinutes: 100,
      [Request("u", 0), Request("u", 1), Request("v", 69), Request("v", 71)])
    let report = try TrajectoryPreparation.run(
      log: log, output: folder.path + "/out",
      configuration: PreparationConfiguration(trainFraction: 1))
    #expect(report.train.sessions == 2)
    let text = try run(
      """
      import json, sys
      from safetensors.numpy import load_file
      d = sys.argv[1] + "/out/train"
      m = json.load(open(f"{d}/manifest.json"))
      t = load_file(f"{d}/{m['shards'][0]['file']}")
      print(t["states"][:, 0].tolist(), t["session_offsets"].tolist(), t["session_end"].tolist(),
            t["final_states"][:, 0].tolist(), t["feedback"].shape, len(m["signals"]))
      """)
    #expect(text == "[0.0, 1.0, 2.0] [0, 2, 3] [0, 1] [0.0, 3.0] (3, 13) 13")
  }
}
