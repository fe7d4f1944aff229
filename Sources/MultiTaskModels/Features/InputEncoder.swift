package import DenseKernels
import SeededRandom

/// The values of one category that have a vector of their own; all others share vector 0.
package struct CategoryVocabulary: Sendable, Equatable {
  /// The values seen often enough in training, ascending.
  package let known: [Int]
  /// Into how many vectors ids are hashed; nil gives each value its own.
  package let buckets: Int?
  private let ranks: [Int: Int]

  /// The values that stand at least `minimumCount` times in `codes`; −1 is never one.
  package init(counting codes: [Int], minimumCount: Int, buckets: Int?) {
    var counts: [Int: Int] = [:]
    for code in codes where code >= 0 { counts[code, default: 0] += 1 }
    let known = counts.filter { $0.value >= minimumCount }.keys.sorted()
    self.init(known: known, buckets: buckets)
  }

  /// A vocabulary as it was stored.
  package init(known: [Int], buckets: Int?) {
    self.known = known
    self.buckets = buckets
    ranks = Dictionary(uniqueKeysWithValues: known.enumerated().map { ($1, $0) })
  }

  /// The number of vectors, that for the unknown included.
  package var size: Int { 1 + (buckets ?? known.count) }

  /// 0 for values out of the vocabulary; else 1 + rank, or 1 + a hash of the id.
  package func index(of code: Int) -> Int {
    guard let rank = ranks[code] else { return 0 }
    guard let buckets else { return 1 + rank }
    return 1 + Int(stableHash(UInt64(code), seed: 0x6d746c) % UInt64(buckets))
  }
}

/// The numbers of features brought to mean 0 and deviation 1, and codes to rows of vectors.
package struct InputEncoder: Sendable, Equatable {
  /// Normalized numbers are cut at ± this.
  package static let limit: Float = 5

  /// [D] of the training rows.
  package let means: [Float]
  /// [D] of the training rows; 1 where a column never varies.
  package let deviations: [Float]
  /// [F] one a category.
  package let vocabularies: [CategoryVocabulary]
  /// [F] where the vectors of each category begin in the one table.
  package let firstRows: [Int]

  /// An encoder fitted to rows that are trained on.
  ///
  /// - Parameters:
  ///   - idCategories: which categories are hashed into `idBuckets` vectors, of values that
  ///     stand at least `minimumIDCount` times.
  package init(
    fittedTo rows: FeatureRows, idCategories: [Bool], idBuckets: Int = 2048,
    minimumIDCount: Int = 20, minimumCount: Int = 100
  ) {
    precondition(rows.count > 0, "an encoder fitted to no rows")
    let (n, d) = (Double(rows.count), rows.numbers.columns)
    var (sums, squares) = ([Double](repeating: 0, count: d), [Double](repeating: 0, count: d))
    for r in 0..<rows.count {
      for c in 0..<d { sums[c] += Double(rows.numbers.values[r * d + c]) }
    }
    let means = sums.map { $0 / n }
    for r in 0..<rows.count {
      for c in 0..<d {
        let difference = Double(rows.numbers.values[r * d + c]) - means[c]
        squares[c] += difference * difference
      }
    }
    let vocabularies = rows.categories.enumerated().map { f, codes in
      CategoryVocabulary(
        counting: codes, minimumCount: idCategories[f] ? minimumIDCount : minimumCount,
        buckets: idCategories[f] ? idBuckets : nil)
    }
    self.init(
      means: means.map { Float($0) },
      deviations: squares.map { $0 / n > 1e-10 ? Float(($0 / n).squareRoot()) : 1 },
      vocabularies: vocabularies)
  }

  /// An encoder as it was stored.
  package init(means: [Float], deviations: [Float], vocabularies: [CategoryVocabulary]) {
    precondition(means.count == deviations.count)
    self.means = means
    self.deviations = deviations
    self.vocabularies = vocabularies
    var (firstRows, next): ([Int], Int) = ([], 0)
    for vocabulary in vocabularies {
      firstRows.append(next)
      next += vocabulary.size
    }
    self.firstRows = firstRows
  }

  /// The number of vectors of all categories together.
  package var tableRows: Int { vocabularies.reduce(0) { $0 + $1.size } }

  /// What the network reads.
  package func encode(_ rows: FeatureRows) -> EncodedRows {
    precondition(
      rows.numbers.columns == means.count && rows.categories.count == vocabularies.count,
      """
      rows of \(rows.numbers.columns) numbers and \(rows.categories.count) categories for an \
      encoder of \(means.count) and \(vocabularies.count)
      """)
    var numbers = rows.numbers
    let d = means.count
    let limit = Self.limit
    let factors = deviations.map { 1 / $0 }
    for r in 0..<rows.count {
      for c in 0..<d {
        let value = (numbers.values[r * d + c] - means[c]) * factors[c]
        numbers.values[r * d + c] = min(max(value, -limit), limit)
      }
    }
    let indices = rows.categories.enumerated().map { f, codes in
      codes.map { firstRows[f] + vocabularies[f].index(of: $0) }
    }
    return EncodedRows(numbers: numbers, indices: indices)
  }
}

/// Normalized numbers [B, D] and rows of the table of vectors [F][B].
package struct EncodedRows: Sendable, Equatable {
  /// [B, D]
  package var numbers: Matrix
  /// [F][B]
  package var indices: [[Int]]

  /// Rows of normalized numbers with their rows of the table.
  package init(numbers: Matrix, indices: [[Int]]) {
    precondition(
      indices.allSatisfy { $0.count == numbers.rows },
      "columns of indices do not have \(numbers.rows) rows")
    self.numbers = numbers
    self.indices = indices
  }

  /// The number of rows.
  package var count: Int { numbers.rows }

  /// The rows at the indices, in their order.
  package func gather(_ rows: [Int]) -> EncodedRows {
    EncodedRows(
      numbers: numbers.gatherRows(rows), indices: indices.map { column in rows.map { column[$0] } })
  }
}
