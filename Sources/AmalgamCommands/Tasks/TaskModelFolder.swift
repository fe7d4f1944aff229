import DenseKernels
import DurableFiles
import Foundation
import FusionMDP
package import MultiTaskModels
import NeuralNetworks
import SeededRandom

/// A multi-task model on disk: `model.json` (what it is) and `weights.safetensors`.
package enum TaskModelFolder {
  /// The version of the layout of the folder.
  package static let version = 1

  private struct Manifest: Codable {
    var version: Int
    var tasks: [String]
    var lastTrainingDate: Int?
    var options: MultiTaskTrainingOptions
    var numberNames: [String]
    var categoryNames: [String]
    var categoryBuckets: [Int]
  }

  /// Refuses a folder that holds anything but a model, since writing replaces it.
  ///
  /// - Throws: `CommandFailure.usage`.
  static func checkReplaceable(_ folder: String) throws {
    guard DurableFiles.exists(folder) else { return }
    let found = try DurableFiles.names(inFolder: folder)
    if !found.isEmpty, !found.contains("model.json") {
      throw CommandFailure.usage("\(folder) is not empty and holds no model; give another --output")
    }
  }

  /// Writes a model whole or not at all.
  ///
  /// - Parameter lastTrainingDate: the last day that it learned from, as 20220504; nil: all days.
  /// - Throws: `DurableFileError`.
  package static func write(
    _ model: MultiTaskModel, numberNames: [String], categoryNames: [String],
    lastTrainingDate: Int? = nil, to folder: String
  ) throws {
    let manifest = Manifest(
      version: version, tasks: model.schema.names, lastTrainingDate: lastTrainingDate,
      options: model.options,
      numberNames: numberNames, categoryNames: categoryNames,
      categoryBuckets: model.encoder.vocabularies.map { $0.buckets ?? 0 })
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let text = String(decoding: try encoder.encode(manifest), as: UTF8.self) + "\n"
    try DurableFiles.writeFolder(at: folder) { path in
      try DurableFiles.write(text, to: path + "/model.json")
      try Safetensors.write(
        tensors(of: model), metadata: ["format": "amalgam.tasks"],
        to: path + "/weights.safetensors")
    }
  }

  private static func tensors(of model: MultiTaskModel) -> [(String, Tensor)] {
    var tensors: [(String, Tensor)] = [
      ("encoder.means", Tensor(model.encoder.means)),
      ("encoder.deviations", Tensor(model.encoder.deviations)),
    ]
    for (f, vocabulary) in model.encoder.vocabularies.enumerated() {
      tensors.append(("encoder.category\(f)", Tensor(vocabulary.known.map { Int64($0) })))
    }
    for (m, network) in model.networks.enumerated() {
      let table = network.embeddings
      let parameters =
        table.namedParameters(prefix: "member\(m).embeddings.")
        + network.body.namedParameters(prefix: "member\(m).body.")
        + network.linear.namedParameters(prefix: "member\(m).linear.")
      for parameter in parameters {
        tensors.append((parameter.name, Tensor(parameter.values, shape: parameter.shape)))
      }
    }
    for (i, map) in model.secondsMaps.enumerated() {
      tensors.append(("seconds\(i).inputs", Tensor(map.inputs)))
      tensors.append(("seconds\(i).outputs", Tensor(map.outputs)))
    }
    return tensors
  }

  /// Reads a model; it gives the same bits as the one that was written.
  ///
  /// - Parameter builder: whose features the model must have been trained on.
  /// - Throws: `CommandFailure` naming the file when it is of another version or made for other
  ///   features; what reading files and tensors throws.
  package static func read(_ folder: String, builder: FeatureBuilder) throws -> MultiTaskModel {
    let path = folder + "/model.json"
    let manifest = try manifest(of: folder)
    guard manifest.tasks == builder.schema.names else {
      throw CommandFailure.usage("\(path): tasks \(manifest.tasks), not \(builder.schema.names)")
    }
    guard manifest.numberNames == builder.numberNames,
      manifest.categoryNames == builder.categoryNames,
      manifest.categoryBuckets.count == manifest.categoryNames.count
    else {
      throw CommandFailure.usage("\(path): the model was trained on other features")
    }
    do {
      try manifest.options.validate(schema: builder.schema)
    } catch {
      throw CommandFailure.usage("\(path): \(error.description)")
    }
    return try model(manifest, Safetensors.read(folder + "/weights.safetensors"), builder)
  }

  /// The last day that a stored model learned from; nil: all days.
  ///
  /// - Throws: as `read`.
  package static func lastTrainingDate(of folder: String) throws -> Int? {
    try manifest(of: folder).lastTrainingDate
  }

  private static func manifest(of folder: String) throws -> Manifest {
    let path = folder + "/model.json"
    let manifest: Manifest
    do {
      manifest = try JSONDecoder().decode(Manifest.self, from: Data(DurableFiles.read(path)))
    } catch let error as DecodingError {
      throw CommandFailure.usage("\(path): \(error.summary)")
    }
    guard manifest.version == version else {
      throw CommandFailure.usage("\(path): version \(manifest.version), expected \(version)")
    }
    return manifest
  }

  private static func model(
    _ manifest: Manifest, _ file: SafetensorsFile, _ builder: FeatureBuilder
  ) throws -> MultiTaskModel {
    func floats(_ name: String) throws -> [Float] { try file.tensor(name).floats(name) }
    let vocabularies = try manifest.categoryBuckets.enumerated().map { f, buckets in
      let name = "encoder.category\(f)"
      let known = try file.tensor(name).int64s(name).map { Int($0) }
      guard Set(known).count == known.count, (0...1_000_000).contains(buckets) else {
        throw CommandFailure.usage("\(file.path): \(name): values stand twice")
      }
      return CategoryVocabulary(known: known, buckets: buckets == 0 ? nil : buckets)
    }
    let (means, deviations) = try (floats("encoder.means"), floats("encoder.deviations"))
    guard means.count == manifest.numberNames.count, deviations.count == means.count,
      means.allSatisfy(\.isFinite), deviations.allSatisfy({ $0 > 0 && $0.isFinite })
    else {
      throw CommandFailure.usage(
        "\(file.path): expected finite means and positive deviations of "
          + "\(manifest.numberNames.count) features")
    }
    let encoder = InputEncoder(
      means: means, deviations: deviations, vocabularies: vocabularies)
    let networks = try (0..<manifest.options.members).map { member in
      try network(member, manifest, encoder, file)
    }
    let seconds = builder.schema.tasks.count { $0.domain == .seconds }
    let maps = try (0..<seconds).map { i in
      let (inputs, outputs) = try (floats("seconds\(i).inputs"), floats("seconds\(i).outputs"))
      guard !inputs.isEmpty, inputs.count == outputs.count,
        (inputs + outputs).allSatisfy(\.isFinite)
      else { throw CommandFailure.usage("\(file.path): seconds\(i): no map of finite numbers") }
      return SecondsMap(inputs: inputs, outputs: outputs)
    }
    return MultiTaskModel(
      schema: builder.schema, options: manifest.options, encoder: encoder, networks: networks,
      secondsMaps: maps)
  }

  private static func network(
    _ member: Int, _ manifest: Manifest, _ encoder: InputEncoder, _ file: SafetensorsFile
  ) throws -> MultiTaskNetwork {
    var unused = RandomStream(seed: 0, name: "tasks.load")
    var network = MultiTaskNetwork(
      architecture: manifest.options.architecture, numbers: encoder.means.count,
      categories: encoder.vocabularies.count, tableRows: encoder.tableRows,
      dimension: manifest.options.embeddingDimension, tasks: manifest.tasks.count,
      initializedBy: &unused)
    let stored = { (name: String) -> NamedParameter? in
      guard file.contains(name) else { return nil }
      let tensor = try file.tensor(name)
      return NamedParameter(name: name, shape: tensor.shape, values: try tensor.floats(name))
    }
    try network.embeddings.load(prefix: "member\(member).embeddings.", from: stored)
    try network.body.load(prefix: "member\(member).body.", from: stored)
    try network.linear.load(prefix: "member\(member).linear.", from: stored)
    return network
  }
}
