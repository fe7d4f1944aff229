import DenseKernels
import Testing

@Suite("matrix")
struct MatrixTests {
  private let m = Matrix(rows: 2, columns: 3, values: [1, 2, 3, 4, 5, 6])

  @Test("elements, rows and columns stand in row-major order")
  func layout() {
    #expect(m[0, 2] == 3)
    #expect(m[1, 0] == 4)
    #expect(m.row(1) == [4, 5, 6])
    #expect(m.rows(1..<2) == Matrix(rows: 1, columns: 3, values: [4, 5, 6]))
    #expect(m.rows(1..<1) == Matrix(rows: 0, columns: 3))
    #expect(m.columns(1..<3) == Matrix(rows: 2, columns: 2, values: [2, 3, 5, 6]))
    #expect(m.columns(3..<3) == Matrix(rows: 2, columns: 0))
    #expect(m.transposed() == Matrix(rows: 3, columns: 2, values: [1, 4, 2, 5, 3, 6]))
    var changed = m
    changed[1, 1] = -5
    #expect(changed.values == [1, 2, 3, 4, -5, 6])
    #expect(m[1, 1] == 5)
  }

  @Test("rows are gathered in the order asked for, with repeats")
  func gathering() {
    #expect(m.gatherRows([1, 0, 1]).values == [4, 5, 6, 1, 2, 3, 4, 5, 6])
    #expect(m.gatherRows([]) == Matrix(rows: 0, columns: 3))
    #expect(m.repeatingRows(2).values == [1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6])
    #expect(m.repeatingRows(0) == Matrix(rows: 0, columns: 3))
  }

  @Test("joined columns can be cut out again")
  func joining() {
    let n = Matrix(rows: 2, columns: 1, values: [7, 8])
    let joined = Matrix.joiningColumns([m, n, m])
    #expect(joined.values == [1, 2, 3, 7, 1, 2, 3, 4, 5, 6, 8, 4, 5, 6])
    #expect(joined.columns(0..<3) == m)
    #expect(joined.columns(3..<4) == n)
    var target = Matrix(rows: 2, columns: 3, repeating: 9)
    target.setColumns(at: 1, from: n)
    #expect(target.values == [9, 7, 9, 9, 8, 9])
    let empty = Matrix(rows: 0, columns: 2)
    #expect(Matrix.joiningColumns([empty, empty]) == Matrix(rows: 0, columns: 4))
  }

  @Test("sums of rows and columns, also of nothing")
  func sums() {
    #expect(m.columnSums() == [5, 7, 9])
    #expect(m.rowSums() == [6, 15])
    #expect(Matrix(rows: 0, columns: 2).columnSums() == [0, 0])
    #expect(Matrix(rows: 2, columns: 0).rowSums() == [0, 0])
    var total = m
    total.add(m, scaledBy: -0.5)
    #expect(total.values == [0.5, 1, 1.5, 2, 2.5, 3])
  }

  @Test("sums keep what single precision would lose")
  func preciseSums() {
    // 2²⁴ + 1 + … is stuck at 2²⁴ when accumulated in Float.
    var column = Matrix(rows: 101, columns: 1, repeating: 1)
    column[0, 0] = 16_777_216
    #expect(column.columnSums() == [16_777_316])
    let row = Matrix(rows: 1, columns: 101, values: column.values)
    #expect(row.rowSums() == [16_777_316])
  }
}
