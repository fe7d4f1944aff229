/// The element types that tensor files hold here.
public enum TensorElement: String, Sendable, CaseIterable {
  /// 64-bit floating point.
  case float64 = "F64"
  /// 64-bit signed integer.
  case int64 = "I64"
  /// 64-bit unsigned integer.
  case uint64 = "U64"
  /// 32-bit floating point.
  case float32 = "F32"
  /// 32-bit signed integer.
  case int32 = "I32"
  /// Bytes.
  case uint8 = "U8"

  /// Bytes an element.
  public var size: Int {
    switch self {
    case .float64, .int64, .uint64: 8
    case .float32, .int32: 4
    case .uint8: 1
    }
  }
}

/// A dense array with an element type and a shape, row-major; its bytes are little-endian.
public struct Tensor: Sendable, Equatable {
  /// The type of the elements.
  public let element: TensorElement
  /// Sizes of the dimensions; empty for a single number.
  public let shape: [Int]
  /// The elements' bytes.
  public let bytes: [UInt8]

  /// Number of elements.
  public var count: Int { shape.reduce(1, *) }

  init(element: TensorElement, shape: [Int], bytes: [UInt8]) {
    self.element = element
    self.shape = shape
    self.bytes = bytes
  }

  private init<Value: BitwiseCopyable>(_ values: [Value], _ shape: [Int]?, _ type: TensorElement) {
    let shape = shape ?? [values.count]
    precondition(
      shape.allSatisfy { $0 >= 0 } && shape.reduce(1, *) == values.count,
      "\(values.count) values do not fill shape \(shape)")
    self.init(
      element: type, shape: shape, bytes: unsafe values.withUnsafeBytes { unsafe [UInt8]($0) })
  }

  /// A `float32` tensor; without a shape it is one-dimensional.
  public init(_ values: [Float], shape: [Int]? = nil) { self.init(values, shape, .float32) }
  /// A `float64` tensor; without a shape it is one-dimensional.
  public init(_ values: [Double], shape: [Int]? = nil) { self.init(values, shape, .float64) }
  /// An `int64` tensor; without a shape it is one-dimensional.
  public init(_ values: [Int64], shape: [Int]? = nil) { self.init(values, shape, .int64) }
  /// A `uint64` tensor; without a shape it is one-dimensional.
  public init(_ values: [UInt64], shape: [Int]? = nil) { self.init(values, shape, .uint64) }
  /// An `int32` tensor; without a shape it is one-dimensional.
  public init(_ values: [Int32], shape: [Int]? = nil) { self.init(values, shape, .int32) }
  /// A `uint8` tensor; without a shape it is one-dimensional.
  public init(_ values: [UInt8], shape: [Int]? = nil) { self.init(values, shape, .uint8) }

  private func values<Value: BitwiseCopyable & ExpressibleByIntegerLiteral>(
    _ type: TensorElement, _ name: String
  ) throws -> [Value] {
    guard element == type else {
      throw DurableFileError.unexpectedTensor(
        name: name, expected: "elements of \(type.rawValue)", found: element.rawValue)
    }
    var values = [Value](repeating: 0, count: count)
    unsafe values.withUnsafeMutableBytes { unsafe $0.copyBytes(from: bytes) }
    return values
  }

  /// The elements of a `float32` tensor; `name` is for the error only.
  public func floats(_ name: String = "") throws -> [Float] { try values(.float32, name) }
  /// The elements of a `float64` tensor; `name` is for the error only.
  public func doubles(_ name: String = "") throws -> [Double] { try values(.float64, name) }
  /// The elements of an `int64` tensor; `name` is for the error only.
  public func int64s(_ name: String = "") throws -> [Int64] { try values(.int64, name) }
  /// The elements of a `uint64` tensor; `name` is for the error only.
  public func uint64s(_ name: String = "") throws -> [UInt64] { try values(.uint64, name) }
  /// The elements of an `int32` tensor; `name` is for the error only.
  public func int32s(_ name: String = "") throws -> [Int32] { try values(.int32, name) }
  /// The elements of a `uint8` tensor; `name` is for the error only.
  public func uint8s(_ name: String = "") throws -> [UInt8] { try values(.uint8, name) }
}
