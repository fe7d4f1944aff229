import CDuckDB

/// Copies one vector of a DuckDB chunk into Swift arrays.
///
/// Valid only while its chunk is: made, read and dropped within one function.
@unsafe
struct VectorReader {
  private let vector: duckdb_vector?
  private let count: Int
  private let data: UnsafeMutableRawPointer?
  /// One bit a row, 1 for a value; nil when every row has one.
  private let validity: UnsafeMutablePointer<UInt64>?

  init(vector: duckdb_vector?, count: Int) {
    unsafe self.vector = unsafe vector
    unsafe self.count = count
    unsafe data = duckdb_vector_get_data(vector)
    unsafe validity = duckdb_vector_get_validity(vector)
  }

  private func isNull(_ row: Int) -> Bool {
    guard let validity = unsafe validity else { return false }
    return unsafe validity[row >> 6] & (1 << UInt64(row & 63)) == 0
  }

  /// Which rows are null; empty when none is.
  var nulls: [Bool] {
    guard unsafe validity != nil else { return [] }
    let mask = unsafe (0..<count).map { unsafe isNull($0) }
    return mask.contains(true) ? mask : []
  }

  /// The values as they stand in memory, with `null` where there is none.
  func copied<Element: BitwiseCopyable>(nullAs null: Element) -> [Element] {
    guard unsafe count > 0, let data = unsafe data else { return [] }
    let typed = unsafe data.assumingMemoryBound(to: Element.self)
    var values = unsafe Array(UnsafeBufferPointer(start: typed, count: count))
    if unsafe validity != nil {
      for row in values.indices where unsafe isNull(row) { values[row] = null }
    }
    return values
  }

  /// Integers of a narrow type as `Int64`.
  func widened<Narrow: FixedWidthInteger & BitwiseCopyable>(
    _ type: Narrow.Type, nullAs null: Int64
  ) -> [Int64] {
    guard unsafe count > 0, let data = unsafe data else { return [] }
    let typed = unsafe data.assumingMemoryBound(to: Narrow.self)
    return unsafe (0..<count).map { unsafe isNull($0) ? null : Int64(typed[$0]) }
  }

  /// The strings, empty where null. DuckDB keeps up to 12 bytes inline.
  var strings: [String] {
    guard let data = unsafe data else { return [] }
    let typed = unsafe data.assumingMemoryBound(to: duckdb_string_t.self)
    return unsafe (0..<count).map { row in
      if unsafe isNull(row) { return "" }
      let length = Int(unsafe typed[row].value.inlined.length)
      if length <= 12 {
        let start = unsafe UnsafeRawPointer(typed + row) + MemoryLayout<UInt32>.size
        return unsafe String(
          decoding: UnsafeRawBufferPointer(start: start, count: length), as: UTF8.self)
      }
      let start = unsafe UnsafeRawPointer(typed[row].value.pointer.ptr)
      return unsafe String(
        decoding: UnsafeRawBufferPointer(start: start, count: length), as: UTF8.self)
    }
  }

  /// The lists: where each row's elements begin once they stand one after the other, a reader of
  /// all elements, and the rows' ranges in it when these are not simply in order.
  var lists: (offsets: [Int], elements: VectorReader, ranges: [Range<Int>]?) {
    let total = Int(unsafe duckdb_list_vector_get_size(vector))
    let elements = unsafe VectorReader(
      vector: duckdb_list_vector_get_child(vector), count: total)
    guard let data = unsafe data else { return unsafe ([0], elements, []) }
    let entries = unsafe data.assumingMemoryBound(to: duckdb_list_entry.self)
    var offsets = [0]
    unsafe offsets.reserveCapacity(count + 1)
    var ranges: [Range<Int>] = []
    unsafe ranges.reserveCapacity(count)
    var inOrder = true
    for row in unsafe 0..<count {
      let isNull = unsafe isNull(row)
      let start = isNull ? 0 : Int(unsafe entries[row].offset)
      let length = isNull ? 0 : Int(unsafe entries[row].length)
      if length > 0 && start != offsets[row] { inOrder = false }
      ranges.append(start..<(start + length))
      offsets.append(offsets[row] + length)
    }
    let isWhole = unsafe inOrder && offsets[count] == total
    return unsafe (offsets, elements, isWhole ? nil : ranges)
  }
}
