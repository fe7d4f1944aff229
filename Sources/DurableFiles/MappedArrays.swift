/// Numbers of a mapped tensor file, read when they are asked for.
///
/// `Element` is `Float`, `Double`, `Int32`, `Int64`, `UInt64` or `UInt8`.
public struct MappedArray<Element: BitwiseCopyable & Sendable>: Sendable {
  /// Sizes of the dimensions.
  public let shape: [Int]
  /// Number of elements.
  public let count: Int
  private let file: MappedFile
  private let offset: Int

  init(file: MappedFile, offset: Int, shape: [Int]) {
    self.file = file
    self.offset = offset
    self.shape = shape
    count = shape.reduce(1, *)
  }

  /// The element at `index` of the flattened array.
  public subscript(index: Int) -> Element {
    precondition(index >= 0 && index < count, "element \(index) of \(count)")
    return file.element(at: offset + index * MemoryLayout<Element>.stride, as: Element.self)
  }

  /// Copies the elements of `range` to `target` from index `position` on.
  public func copy(_ range: Range<Int>, into target: inout [Element], at position: Int) {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= count, "elements \(range) of \(count)")
    file.copy(
      from: offset + range.lowerBound * MemoryLayout<Element>.stride, count: range.count,
      into: &target, at: position)
  }
}

extension MappedArray where Element: ExpressibleByIntegerLiteral {
  /// All elements, copied into memory.
  public func array() -> [Element] {
    var values = [Element](repeating: 0, count: count)
    copy(0..<count, into: &values, at: 0)
    return values
  }
}

/// A mapped `float32` tensor.
public typealias MappedFloats = MappedArray<Float>
/// A mapped `int64` tensor.
public typealias MappedInt64s = MappedArray<Int64>
/// A mapped `uint64` tensor.
public typealias MappedUInt64s = MappedArray<UInt64>
