import DurableFiles
import Foundation
import Testing

/// Exchange with the `safetensors` package of Python, from `.deps/python` (`make setup`).
@Suite struct PythonInteroperabilityTests {
  let folder: TemporaryFolder
  private let python: String

  init() throws {
    folder = try TemporaryFolder()
    let root = URL(fileURLWithPath: #filePath)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    python = root.appendingPathComponent(".deps/python/bin/python3").path
  }

  private func run(_ script: String, _ arguments: [String]) throws -> String {
    try #require(
      FileManager.default.isExecutableFile(atPath: python),
      "\(python) is missing; 'make setup' installs it with numpy and safetensors")
    let process = Process()
    process.executableURL = URL(fileURLWithPath: python)
    process.arguments = ["-c", script] + arguments
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let bytes = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    let text = String(decoding: bytes, as: UTF8.self)
    #expect(process.terminationStatus == 0, "python: \(text)")
    return text
  }

  @Test("Python's safetensors opens our files")
  func pythonReads() throws {
    let path = folder.file("ours.safetensors")
    try Safetensors.write(
      [
        ("x", Tensor([Float(1.5), -2, 3, 4, 5, 6], shape: [2, 3])), ("n", Tensor([Int64(-7)])),
        ("h", Tensor([UInt64.max])), ("d", Tensor([0.1])), ("i", Tensor([Int32(9)])),
        ("u", Tensor([UInt8(200)])), ("e", Tensor([Float](), shape: [0, 2])),
      ], metadata: ["note": "a \"quoted\"\tnote"], to: path)
    let script = """
      import sys
      from safetensors import safe_open
      from safetensors.numpy import load_file
      t = load_file(sys.argv[1])
      print(sorted(t), t['x'].tolist(), t['n'].tolist(), t['h'].tolist(), t['d'].tolist(),
            t['i'].tolist(), t['u'].tolist(), t['e'].shape, t['x'].dtype)
      print(safe_open(sys.argv[1], 'np').metadata())
      """
    #expect(
      try run(script, [path]) == """
        ['d', 'e', 'h', 'i', 'n', 'u', 'x'] [[1.5, -2.0, 3.0], [4.0, 5.0, 6.0]] [-7] \
        [18446744073709551615] [0.1] [9] [200] (0, 2) float32
        {'note': 'a "quoted"\\tnote'}

        """)
  }

  @Test("our reader opens the files of Python's safetensors")
  func pythonWrites() throws {
    let path = folder.file("theirs.safetensors")
    let script = """
      import sys
      import numpy as np
      from safetensors.numpy import save_file
      save_file({'states': np.arange(6, dtype=np.float32).reshape(2, 3),
                 'offsets': np.array([0, 1, 2]), 'é"': np.array(3, dtype=np.uint8),
                 'value': np.array([0.25]), 'hash': np.array([2**64 - 1], dtype=np.uint64)},
                sys.argv[1], metadata={'a': 'b"ü'})
      """
    _ = try run(script, [path])
    let file = try Safetensors.read(path)
    #expect(file.names == ["hash", "offsets", "states", "value", "é\""])
    #expect(file.metadata == ["a": "b\"ü"])
    #expect(try file.tensor("states") == Tensor([Float(0), 1, 2, 3, 4, 5], shape: [2, 3]))
    #expect(try file.tensor("offsets").int64s() == [0, 1, 2])
    #expect(try file.tensor("é\"") == Tensor([UInt8(3)], shape: []))
    #expect(try file.mappedDoubles("value").array() == [0.25])
    #expect(try file.mappedUInt64s("hash").array() == [.max])
  }
}
