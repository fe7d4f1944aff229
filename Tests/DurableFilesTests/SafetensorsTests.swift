import DurableFiles
import Foundation
import Testing

@Suite struct SafetensorsTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func write(_ header: String, data: Int, length: UInt64? = nil) throws -> String {
    let json = Array(header.utf8)
    let length = length ?? UInt64(json.count)
    let prefix = (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) }
    let path = folder.file("bad.safetensors")
    try DurableFiles.write(prefix + json + [UInt8](repeating: 0, count: data), to: path)
    return path
  }

  private func reason(_ header: String, data: Int, length: UInt64? = nil) throws -> String {
    let path = try write(header, data: data, length: length)
    let error = #expect(throws: DurableFileError.self) { try Safetensors.read(path) }
    return error?.description ?? "no error"
  }

  @Test("the bytes of a file are as the format says")
  func layout() throws {
    let path = folder.file("a")
    try Safetensors.write(
      [("b", Tensor([UInt8(5)])), ("a", Tensor([Float(1)], shape: [1, 1]))],
      metadata: ["k": "v\"\n"], to: path)
    let header =
      #"{"__metadata__":{"k":"v\"\u000a"},"a":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]},"#
      + #""b":{"dtype":"U8","shape":[1],"data_offsets":[4,5]}}"#
    let padding = String(repeating: " ", count: (8 - header.utf8.count % 8) % 8)
    let length = header.utf8.count + padding.utf8.count
    #expect(
      try DurableFiles.read(path)
        == [UInt8(length), 0, 0, 0, 0, 0, 0, 0] + Array((header + padding).utf8)
        + [0, 0, 0x80, 0x3F, 5])
  }

  @Test("every element type comes back, bit by bit, scalars and empty tensors too")
  func roundTrip() throws {
    let path = folder.file("a")
    let tensors: [(String, Tensor)] = [
      ("floats", Tensor([Float.nan, -0, .infinity, 1.5, 2, 3], shape: [2, 3])),
      ("doubles", Tensor([0.1, -1e300])), ("longs", Tensor([Int64.min, 7])),
      ("words", Tensor([UInt64.max])), ("ints", Tensor([Int32.min, -1, 4])),
      ("bytes", Tensor([UInt8(255), 0, 1])), ("scalar", Tensor([Float(4)], shape: [])),
      ("empty", Tensor([Float](), shape: [0, 9])), ("naïve \u{1F600}/\\", Tensor([UInt8(1)])),
    ]
    try Safetensors.write(tensors, metadata: ["seed": "1", "note": "ü"], to: path)
    let file = try Safetensors.read(path)
    #expect(file.names == tensors.map(\.0).sorted())
    #expect(file.metadata == ["seed": "1", "note": "ü"])
    for (name, tensor) in tensors { #expect(try file.tensor(name) == tensor) }
    #expect(try file.tensor("longs").int64s() == [.min, 7])
    #expect(try file.tensor("doubles").doubles() == [0.1, -1e300])
    #expect(try file.tensor("ints").int32s() == [.min, -1, 4])
    #expect(try file.tensor("bytes").uint8s() == [255, 0, 1])
    #expect(try file.tensor("floats").floats()[3...] == [1.5, 2, 3])
    try Safetensors.write([], to: path)
    #expect(try Safetensors.read(path).names == [])
  }

  @Test("mapped tensors give what was written, in parts and at any place")
  func mapped() throws {
    let path = folder.file("a")
    let values = (0..<1003).map { Float($0) }
    try Safetensors.write(
      [
        ("x", Tensor(values, shape: [17, 59])), ("n", Tensor([Int64(-3), 4])),
        ("h", Tensor([UInt64.max])), ("d", Tensor([2.5])), ("u", Tensor([UInt8(1), 2, 3])),
      ], to: path)
    let file = try Safetensors.read(path)
    try DurableFiles.remove(path)  // the mapping outlives the name
    let mapped = try file.mappedFloats("x")
    #expect(mapped.shape == [17, 59] && mapped.count == 1003)
    #expect(mapped[0] == 0 && mapped[1002] == 1002)
    var target = [Float](repeating: -1, count: 6)
    mapped.copy(500..<503, into: &target, at: 2)
    #expect(target == [-1, -1, 500, 501, 502, -1])
    mapped.copy(1003..<1003, into: &target, at: 6)
    #expect(try file.mappedInt64s("n").array() == [-3, 4])
    #expect(try file.mappedUInt64s("h").array() == [.max])
    #expect(try file.mappedDoubles("d").array() == [2.5])
    #expect(try file.mappedUInt8s("u").array() == [1, 2, 3])
    #expect(try file.shape(of: "x") == [17, 59])
  }

  @Test("a missing tensor and a wrong type say what there is")
  func wrongRequests() throws {
    let path = folder.file("a")
    try Safetensors.write([("x", Tensor([Float(1)]))], to: path)
    let file = try Safetensors.read(path)
    #expect(
      throws: DurableFileError.missingTensor(path: path, name: "y", found: ["x"])
    ) { try file.tensor("y") }
    #expect(
      throws: DurableFileError.unexpectedTensor(
        name: "x", expected: "elements of I64", found: "F32")
    ) { try file.mappedInt64s("x") }
    #expect(throws: DurableFileError.self) { try file.tensor("x").doubles("x") }
  }

  @Test("a malformed header is an error that says where")
  func malformedHeaders() throws {
    func one(_ fields: String) -> String { "{\"a\":{\(fields)}}" }
    let good = #""dtype":"F32","shape":[2],"data_offsets":[0,8]"#
    #expect(try reason(one(good), data: 7).contains("describes 8 bytes of data, the file holds 7"))
    #expect(try reason(one(good), data: 9).contains("describes 8 bytes of data, the file holds 9"))
    #expect(try reason("{}", data: 1).contains("describes 0 bytes"))
    #expect(
      try reason(one(#""dtype":"F32","shape":[3],"data_offsets":[0,8]"#), data: 8)
        .contains("needs 12 bytes, its data_offsets [0, 8] hold 8"))
    #expect(
      try reason(one(#""dtype":"F32","shape":[2],"data_offsets":[8,0]"#), data: 8)
        .contains("not [begin, end]"))
    #expect(
      try reason(one(#""dtype":"F9","shape":[2],"data_offsets":[0,8]"#), data: 8)
        .contains("elements of type 'F9'; known are F64, I64"))
    #expect(try reason(one(#""dtype":"F32","shape":[2]"#), data: 8).contains("needs 'dtype'"))
    #expect(try reason(one(good + #","x":[1]"#), data: 8).contains("unknown field 'x'"))
    #expect(
      try reason("{\"a\":{\(good)},\"a\":{\(good)}}", data: 8).contains("names 'a' twice"))
    #expect(try reason(one(good + "," + good), data: 8).contains("names 'dtype' twice"))
    let huge = #""dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]"#
    #expect(try reason(one(huge), data: 0).contains("beyond 2^63"))
    let hidden = #""dtype":"F32","shape":[0,4611686018427387904,4],"data_offsets":[0,0]"#
    #expect(try reason(one(hidden), data: 0).contains("beyond 2^63"))
    #expect(
      try reason(
        one(#""dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,8]"#), data: 8
      )
      .contains("an integer below 2^63"))
    #expect(
      try reason(one(#""dtype":"F32","shape":[-2],"data_offsets":[0,8]"#), data: 8)
        .contains("expected an integer of at least 0 at byte 29"))
    #expect(try reason("{\"a\\ud800\":1}", data: 0).contains("surrogate"))
    #expect(try reason("{\"a", data: 0).contains("the end of a string"))
    #expect(try reason("{} x", data: 0).contains("expected nothing more at byte 3"))
    #expect(try reason("", data: 0).contains("expected '{' at byte 0"))
  }

  @Test("overlapping tensors and gaps are errors")
  func places() throws {
    func two(_ first: String, _ second: String) -> String {
      #"{"a":{"dtype":"U8","shape":[4],"data_offsets":"# + first
        + #"},"b":{"dtype":"U8","shape":[4],"data_offsets":"# + second + "}}"
    }
    #expect(try reason(two("[0,4]", "[3,7]"), data: 7).contains("inside the tensor before it"))
    #expect(try reason(two("[0,4]", "[0,4]"), data: 4).contains("inside the tensor before it"))
    #expect(try reason(two("[0,4]", "[5,9]"), data: 9).contains("bytes 4..<5 of the data"))
    #expect(try reason(two("[1,5]", "[5,9]"), data: 9).contains("bytes 0..<1 of the data"))
    let path = try write(two("[4,8]", "[0,4]"), data: 8)
    #expect(try Safetensors.read(path).names == ["a", "b"])
  }

  @Test("a length prefix beyond the file or the limit is an error, not an allocation")
  func lengths() throws {
    #expect(try reason("{}", data: 0, length: 3).contains("header of 3 bytes in a file of 10"))
    #expect(try reason("{}", data: 0, length: .max).contains("above the limit of 100000000"))
    #expect(try reason("{}", data: 0, length: 100_000_001).contains("above the limit"))
    let path = folder.file("short")
    try DurableFiles.write([1, 2, 3], to: path)
    #expect(throws: DurableFileError.self) { try Safetensors.read(path) }
    try DurableFiles.write([], to: path)
    #expect(throws: DurableFileError.self) { try Safetensors.read(path) }
  }

  @Test("the reader never crashes: random bytes, and good files with bytes changed or cut off")
  func fuzz() throws {
    var state: UInt64 = 0x9E37_79B9_7F4A_7C15
    func random(_ below: Int) -> Int {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return Int(state % UInt64(below))
    }
    let path = folder.file("fuzz")
    try Safetensors.write(
      [("weights", Tensor([Float(1), 2, 3, 4], shape: [2, 2])), ("é\"", Tensor([Int64(1)]))],
      metadata: ["a": "b"], to: path)
    let good = try DurableFiles.read(path)
    let alphabet = Array(#"{}[]",:\u0123456789 F32IU"#.utf8)
    var accepted = 0
    for round in 0..<6000 {
      var bytes = good
      switch round % 4 {
      case 0: bytes = (0..<random(40)).map { _ in UInt8(random(256)) }
      case 1: bytes.removeLast(random(bytes.count))
      case 2: for _ in 0...random(4) { bytes[random(bytes.count)] = UInt8(random(256)) }
      default:
        for _ in 0...random(3) {
          bytes[8 + random(bytes.count - 40)] = alphabet[random(alphabet.count)]
        }
      }
      try Data(bytes).write(to: URL(fileURLWithPath: path))
      do {
        let file = try Safetensors.read(path)
        for name in file.names { _ = try file.tensor(name) }
        accepted += 1
      } catch is DurableFileError {}
    }
    #expect(accepted > 0)
  }
}
