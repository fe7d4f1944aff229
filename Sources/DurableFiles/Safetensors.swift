/// Reading and writing of safetensors files: named tensors that NumPy, PyTorch and JAX open.
public enum Safetensors {
  /// Writes tensors to `path`, in full or not at all.
  ///
  /// - Parameters:
  ///   - tensors: their names must differ; `__metadata__` is not a name.
  ///   - metadata: free text entries.
  /// - Throws: ``DurableFileError``; then `path` is untouched.
  public static func write(
    _ tensors: [(String, Tensor)], metadata: [String: String] = [:], to path: String
  ) throws {
    let names = tensors.map(\.0)
    precondition(
      Set(names).count == names.count && !names.contains("__metadata__"),
      "tensor names must differ: \(names)")
    let header = SafetensorsHeader(
      tensors: tensors.map { (name: $0.0, tensor: $0.1) }, metadata: metadata)
    let tensorsByName = Dictionary(uniqueKeysWithValues: tensors)
    let writer = try DurableLineWriter(path: path)
    try writer.write(header.encoded())
    for entry in header.entries {
      if let tensor = tensorsByName[entry.name] { try writer.write(tensor.bytes) }
    }
    try writer.finish()
  }

  /// Opens a file and checks its header; the tensors are mapped, and read when asked for.
  ///
  /// - Throws: ``DurableFileError``, whatever the bytes.
  public static func read(_ path: String) throws -> SafetensorsFile {
    try SafetensorsFile(file: MappedFile(path: path))
  }
}

/// An open safetensors file.
public struct SafetensorsFile: Sendable {
  /// Where it was read from.
  public let path: String
  /// Free text entries.
  public let metadata: [String: String]
  private let file: MappedFile
  private let dataOffset: Int
  private let entries: [String: SafetensorsHeader.Entry]

  init(file: MappedFile) throws {
    func malformed(_ reason: String) -> DurableFileError {
      .malformed(path: file.path, reason: "not a safetensors file: \(reason)")
    }
    guard file.byteCount >= 8 else {
      throw malformed("expected at least 8 bytes, found \(file.byteCount)")
    }
    let length = UInt64(littleEndian: file.element(at: 0, as: UInt64.self))
    guard length <= SafetensorsHeader.maximumByteCount else {
      throw malformed(
        "a header of \(length) bytes, above the limit of \(SafetensorsHeader.maximumByteCount)")
    }
    let dataOffset = 8 + Int(length)
    guard dataOffset <= file.byteCount else {
      throw malformed("a header of \(length) bytes in a file of \(file.byteCount)")
    }
    let header: SafetensorsHeader
    do {
      header = try SafetensorsHeader(
        json: file.bytes(8..<dataOffset), dataByteCount: file.byteCount - dataOffset)
    } catch {
      throw malformed(error.reason)
    }
    self.file = file
    self.dataOffset = dataOffset
    path = file.path
    metadata = header.metadata
    entries = Dictionary(uniqueKeysWithValues: header.entries.map { ($0.name, $0) })
  }

  /// The tensors' names, sorted.
  public var names: [String] { entries.keys.sorted() }

  /// Whether there is a tensor of this name.
  public func contains(_ name: String) -> Bool { entries[name] != nil }

  /// The shape of a tensor.
  ///
  /// - Throws: ``DurableFileError/missingTensor(path:name:found:)``.
  public func shape(of name: String) throws -> [Int] { try entry(name).shape }

  /// Copies a tensor into memory.
  ///
  /// - Throws: ``DurableFileError/missingTensor(path:name:found:)``.
  public func tensor(_ name: String) throws -> Tensor {
    let entry = try entry(name)
    return Tensor(
      element: entry.element, shape: entry.shape,
      bytes: file.bytes(
        dataOffset + entry.range.lowerBound..<dataOffset + entry.range.upperBound))
  }

  /// A `float32` tensor that stays in the file and is read when asked for.
  ///
  /// - Throws: ``DurableFileError`` when it is missing or of another type.
  public func mappedFloats(_ name: String) throws -> MappedFloats { try mapped(name, .float32) }

  /// A `float64` tensor that stays in the file and is read when asked for.
  ///
  /// - Throws: ``DurableFileError`` when it is missing or of another type.
  public func mappedDoubles(_ name: String) throws -> MappedArray<Double> {
    try mapped(name, .float64)
  }

  /// An `int64` tensor that stays in the file and is read when asked for.
  ///
  /// - Throws: ``DurableFileError`` when it is missing or of another type.
  public func mappedInt64s(_ name: String) throws -> MappedInt64s { try mapped(name, .int64) }

  /// A `uint64` tensor that stays in the file and is read when asked for.
  ///
  /// - Throws: ``DurableFileError`` when it is missing or of another type.
  public func mappedUInt64s(_ name: String) throws -> MappedUInt64s { try mapped(name, .uint64) }

  /// A `uint8` tensor that stays in the file and is read when asked for.
  ///
  /// - Throws: ``DurableFileError`` when it is missing or of another type.
  public func mappedUInt8s(_ name: String) throws -> MappedArray<UInt8> {
    try mapped(name, .uint8)
  }

  private func entry(_ name: String) throws -> SafetensorsHeader.Entry {
    guard let entry = entries[name] else {
      throw DurableFileError.missingTensor(path: path, name: name, found: names)
    }
    return entry
  }

  private func mapped<Element>(
    _ name: String, _ element: TensorElement
  ) throws -> MappedArray<Element> {
    let entry = try entry(name)
    guard entry.element == element else {
      throw DurableFileError.unexpectedTensor(
        name: name, expected: "elements of \(element.rawValue)", found: entry.element.rawValue)
    }
    return MappedArray(
      file: file, offset: dataOffset + entry.range.lowerBound, shape: entry.shape)
  }
}
