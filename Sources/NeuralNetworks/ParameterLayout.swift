import DenseKernels

/// Where each named parameter of a network stands in its flat vector.
///
/// Gradients, optimizer moments, slow copies and checkpoints are flat vectors of the same
/// length, so whatever works on all parameters at once needs no walk over layers; the names
/// serve files and error messages.
package struct ParameterLayout: Sendable, Equatable {
  /// One named parameter: a row-major block of the flat vector.
  package struct Entry: Sendable, Equatable {
    /// The name of the parameter, unique in its layout (`layer0.weight`).
    package let name: String
    /// The lengths of its axes; a weight of a layer is [inputs, outputs].
    package let shape: [Int]
    /// The index of its first value in the flat vector.
    package let offset: Int

    /// The number of values.
    package var count: Int { shape.reduce(1, *) }
    /// The part of the flat vector that it takes.
    package var range: Range<Int> { offset..<(offset + count) }
  }

  /// The parameters in the order of the flat vector, without gaps.
  package private(set) var entries: [Entry] = []
  /// The length of the flat vector.
  package private(set) var count = 0

  /// A layout without parameters.
  package init() {}

  /// Adds a parameter behind the others.
  ///
  /// - Returns: its entry.
  @discardableResult
  package mutating func append(_ name: String, shape: [Int]) -> Entry {
    precondition(shape.allSatisfy { $0 > 0 }, "parameter \(name) has the empty shape \(shape)")
    precondition(entry(named: name) == nil, "two parameters are named \(name)")
    let entry = Entry(name: name, shape: shape, offset: count)
    entries.append(entry)
    count += entry.count
    return entry
  }

  /// The parameter of that name, or nil.
  package func entry(named name: String) -> Entry? {
    entries.first { $0.name == name }
  }
}

/// What is wrong with stored parameters that are to be loaded into a network.
package enum ParameterError: Error, Equatable, CustomStringConvertible {
  /// The stored parameters hold none of this name.
  case missing(name: String)
  /// The stored parameter has other axes than the network's.
  case wrongShape(name: String, expected: [Int], found: [Int])
  /// The stored parameter has a value that is not a finite number.
  case notFinite(name: String, index: Int)

  /// What was expected, what was found, and where.
  package var description: String {
    switch self {
    case .missing(let name):
      "parameter \(name) is missing"
    case .wrongShape(let name, let expected, let found):
      "parameter \(name) has the shape \(found), the network needs \(expected)"
    case .notFinite(let name, let index):
      "parameter \(name) has a value that is not finite at index \(index)"
    }
  }
}

/// A parameter taken out of a flat vector, as a file stores it.
package struct NamedParameter: Sendable, Equatable {
  /// The name, after the prefix that the caller chose.
  package var name: String
  /// The lengths of the axes.
  package var shape: [Int]
  /// The values, row-major.
  package var values: [Float]

  /// A parameter of the given name, axes and row-major values.
  package init(name: String, shape: [Int], values: [Float]) {
    self.name = name
    self.shape = shape
    self.values = values
  }
}

/// A network whose whole state is one flat vector of parameters.
package protocol ParameterizedNetwork: Sendable {
  /// The names and places of the parameters; constant for the life of the network.
  var layout: ParameterLayout { get }
  /// All parameters, as `layout` places them.
  var parameters: [Float] { get set }
}

extension ParameterizedNetwork {
  /// Moves this slow copy toward the online network: x′ ← η·x + (1 − η)·x′ (paper, alg. 1).
  ///
  /// - Parameter rate: η in 0…1; 1 copies the online network exactly.
  package mutating func softUpdate(toward online: Self, rate: Float) {
    precondition((0...1).contains(rate), "soft update rate \(rate) is outside 0…1")
    precondition(
      parameters.count == online.parameters.count,
      "soft update of \(parameters.count) parameters toward \(online.parameters.count)")
    if rate == 1 {
      parameters = online.parameters
      return
    }
    VectorMath.blend(&parameters, toward: online.parameters, rate: rate)
  }

  /// A gradient of the right length, all zero.
  package func zeroGradient() -> [Float] {
    [Float](repeating: 0, count: layout.count)
  }

  /// The parameters by name, in the order of the layout.
  ///
  /// - Parameter prefix: put before each name (`critic0.`), so that a file may hold several
  ///   networks.
  package func namedParameters(prefix: String = "") -> [NamedParameter] {
    layout.entries.map {
      NamedParameter(
        name: prefix + $0.name, shape: $0.shape, values: Array(parameters[$0.range]))
    }
  }

  /// Takes over stored parameters; if one is wrong, the network stays as it was.
  ///
  /// - Parameters:
  ///   - prefix: what stands before each name, as given to `namedParameters(prefix:)`.
  ///   - stored: gives the stored parameter of a full name, or nil; what it throws is passed on.
  /// - Throws: `ParameterError` if one is missing, has other axes or is not finite.
  package mutating func load(
    prefix: String = "", from stored: (String) throws -> NamedParameter?
  ) throws {
    var loaded = parameters
    for entry in layout.entries {
      let name = prefix + entry.name
      guard let parameter = try stored(name) else { throw ParameterError.missing(name: name) }
      guard parameter.shape == entry.shape, parameter.values.count == entry.count else {
        throw ParameterError.wrongShape(
          name: name, expected: entry.shape, found: parameter.shape)
      }
      if let index = parameter.values.firstIndex(where: { !$0.isFinite }) {
        throw ParameterError.notFinite(name: name, index: index)
      }
      loaded.replaceSubrange(entry.range, with: parameter.values)
    }
    parameters = loaded
  }
}
