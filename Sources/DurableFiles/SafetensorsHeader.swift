/// The table of contents of a safetensors file.
///
/// Source: the safetensors format (https://github.com/huggingface/safetensors): 8 bytes, the
/// little-endian length of the header; the header, a JSON object; the tensors' bytes without
/// gaps.
struct SafetensorsHeader: Equatable {
  /// One tensor: its type, its shape and its bytes' place, counted from the end of the header.
  struct Entry: Equatable {
    let name: String
    let element: TensorElement
    let shape: [Int]
    let range: Range<Int>
  }

  /// The format's limit on the header's length.
  static let maximumByteCount = 100_000_000

  var metadata: [String: String]
  /// In the order of their bytes.
  var entries: [Entry]

  /// The header of tensors written one after the other: larger elements first, then by name, so
  /// that each tensor is aligned to its element.
  init(tensors: [(name: String, tensor: Tensor)], metadata: [String: String]) {
    self.metadata = metadata
    let order = tensors.sorted {
      ($1.tensor.element.size, $0.tensor.element.rawValue, $0.name)
        < ($0.tensor.element.size, $1.tensor.element.rawValue, $1.name)
    }
    entries = []
    var offset = 0
    for (name, tensor) in order {
      let end = offset + tensor.bytes.count
      entries.append(
        Entry(name: name, element: tensor.element, shape: tensor.shape, range: offset..<end))
      offset = end
    }
  }

  /// The length prefix and the JSON, padded with spaces so that the data begin at a multiple of 8.
  func encoded() -> [UInt8] {
    var fields: [String] = []
    if !metadata.isEmpty {
      let pairs = metadata.sorted { $0.key < $1.key }
        .map { Self.quoted($0.key) + ":" + Self.quoted($0.value) }
      fields.append("\"__metadata__\":{" + pairs.joined(separator: ",") + "}")
    }
    for entry in entries {
      let shape = entry.shape.map(String.init).joined(separator: ",")
      fields.append(
        Self.quoted(entry.name) + ":{\"dtype\":\"\(entry.element.rawValue)\",\"shape\":[\(shape)],"
          + "\"data_offsets\":[\(entry.range.lowerBound),\(entry.range.upperBound)]}")
    }
    var json = Array(("{" + fields.joined(separator: ",") + "}").utf8)
    json += [UInt8](repeating: 0x20, count: (8 - json.count % 8) % 8)
    let length = UInt64(json.count)
    return (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + json
  }

  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\u{0}"..<"\u{20}":
        let hex = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }

  /// Reads a header and checks it against the number of bytes that follow it.
  init(json: [UInt8], dataByteCount: Int) throws(HeaderParser.Failure) {
    var parser = HeaderParser(json)
    var metadata: [String: String] = [:]
    var entries: [Entry] = []
    try parser.object { (parser, name) throws(HeaderParser.Failure) in
      if name == "__metadata__" {
        try parser.object { (parser, key) throws(HeaderParser.Failure) in
          metadata[key] = try parser.string()
        }
      } else {
        entries.append(try Self.entry(name, &parser))
      }
    }
    try parser.expectEnd()
    self.metadata = metadata
    self.entries = entries.sorted {
      ($0.range.lowerBound, $0.range.upperBound, $0.name)
        < ($1.range.lowerBound, $1.range.upperBound, $1.name)
    }
    try checkPlaces(dataByteCount: dataByteCount)
  }

  private static func entry(
    _ name: String, _ parser: inout HeaderParser
  ) throws(HeaderParser.Failure) -> Entry {
    var type: String?
    var shape: [Int]?
    var offsets: [Int]?
    try parser.object { (parser, key) throws(HeaderParser.Failure) in
      switch key {
      case "dtype": type = try parser.string()
      case "shape": shape = try parser.integers()
      case "data_offsets": offsets = try parser.integers()
      default: throw HeaderParser.Failure(reason: "tensor '\(name)' has an unknown field '\(key)'")
      }
    }
    guard let type, let shape, let offsets else {
      throw .init(reason: "tensor '\(name)' needs 'dtype', 'shape' and 'data_offsets'")
    }
    guard let element = TensorElement(rawValue: type) else {
      let known = TensorElement.allCases.map(\.rawValue).joined(separator: ", ")
      throw .init(reason: "tensor '\(name)' has elements of type '\(type)'; known are \(known)")
    }
    guard offsets.count == 2, offsets[0] <= offsets[1] else {
      throw .init(reason: "tensor '\(name)' has data_offsets \(offsets), not [begin, end]")
    }
    guard let byteCount = byteCount(of: shape, element) else {
      throw .init(reason: "tensor '\(name)' has a shape beyond 2^63 bytes: \(shape)")
    }
    guard byteCount == offsets[1] - offsets[0] else {
      throw .init(
        reason: "tensor '\(name)' of shape \(shape) and type \(type) needs \(byteCount) bytes, "
          + "its data_offsets \(offsets) hold \(offsets[1] - offsets[0])")
    }
    return Entry(name: name, element: element, shape: shape, range: offsets[0]..<offsets[1])
  }

  /// Bytes of a tensor; nil on overflow, also of a product of sizes that a zero would hide.
  private static func byteCount(of shape: [Int], _ element: TensorElement) -> Int? {
    var product = element.size
    var isEmpty = false
    for size in shape {
      if size == 0 {
        isEmpty = true
        continue
      }
      let (next, overflow) = product.multipliedReportingOverflow(by: size)
      if overflow { return nil }
      product = next
    }
    return isEmpty ? 0 : product
  }

  private func checkPlaces(dataByteCount: Int) throws(HeaderParser.Failure) {
    var end = 0
    for entry in entries {
      guard entry.range.lowerBound >= end else {
        throw .init(
          reason: "tensor '\(entry.name)' begins at byte \(entry.range.lowerBound) of the data, "
            + "inside the tensor before it, which ends at \(end)")
      }
      guard entry.range.lowerBound == end else {
        throw .init(
          reason: "bytes \(end)..<\(entry.range.lowerBound) of the data, before tensor "
            + "'\(entry.name)', belong to no tensor")
      }
      end = entry.range.upperBound
    }
    guard end == dataByteCount else {
      throw .init(
        reason: "the header describes \(end) bytes of data, the file holds \(dataByteCount)")
    }
  }
}
