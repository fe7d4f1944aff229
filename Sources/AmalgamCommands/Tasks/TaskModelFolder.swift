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
      throw CommandFailure.usage(
        "\(path): tasks: expected \(builder.schema.names), found \(manifest.tasks)")
    }
    for (field, expected, found) in [
      ("numberNames", builder.numberNames, manifest.numberNames),
      ("categoryNames", builder.categoryNames, manifest.categoryNames),
    ] where expected != found {
      let index = zip(expected, found).prefix { $0 == $1 }.count
      func name(_ names: [String]) -> String {
        index < names.count ? "'\(names[index])' at \(index)" : "\(names.count) names"
      }
      throw CommandFailure.usage(
        "\(path): \(field): the model was trained on other features: expected \(name(expected)), "
          + "found \(name(found))")
    }
    guard manifest.categoryBuckets.count == manifest.categoryNames.count else {
      throw CommandFailure.usage(
        "\(path): categoryBuckets: expected \(manifest.categoryNames.count) numbers, "
          + "found \(manifest.categoryBuckets.count)")
    }
    for (index, buckets) in manifest.categoryBuckets.enumerated()
    where !(0...1_000_000).contains(buckets) {
      throw CommandFailure.usage(
        "\(path): categoryBuckets[\(index)]: expected 0 to 1000000, found \(buckets)")
    }
    do {
      try manifest.options.validate(schema: builder.schema)
    } catch {
      throw CommandFailure.usage("\(path): \(error.description)")
    }
    let weights = try Safetensors.read(folder + "/weights.safetensors")
    do {
      return try model(manifest, weights, path, builder)
    } catch let error as ParameterError {
      throw CommandFailure.usage("\(weights.path): \(error)")
    }
  }

  /// The last day that a stored model learned from; nil: all days.
  ///
  /// - Throws: as `read`.
  package static func lastTrainingDate(of folder: String) throws -> Int? {
    try manifest(of: folder).lastTrainingDate
  }

  private static func manifest(of folder: String) throws -> Manifest {
    let path = folder + "/model.json"
    let manifest = try JSONFile.read(Manifest.self, from: path)
    guard manifest.version == version else {
      throw CommandFailure.usage(
        "\(path): version: expected \(version), found \(manifest.version)")
    }
    if let day = manifest.lastTrainingDate, !(19_700_101...21_001_231).contains(day) {
      throw CommandFailure.usage(
        "\(path): lastTrainingDate: expected a day as 20220504, found \(day)")
    }
    return manifest
  }

  private static func model(
    _ manifest: Manifest, _ file: SafetensorsFile, _ path: String, _ builder: FeatureBuilder
  ) throws -> MultiTaskModel {
    func floats(_ name: String) throws -> [Float] { try file.tensor(name).floats(name) }
    let vocabularies = try manifest.categoryBuckets.enumerated().map { f, buckets in
      let name = "encoder.category\(f)"
      let known = try file.tensor(name).int64s(name).map { Int($0) }
      guard Set(known).count == known.count, known.allSatisfy({ $0 >= 0 }) else {
        throw CommandFailure.usage(
          "\(file.path): \(name): expected values of at least 0, each once")
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
    try check(manifest, path, encoder, file)
    let networks = try (0..<manifest.options.members).map { member in
      try network(member, manifest, encoder, file)
    }
    let seconds = builder.schema.tasks.count { $0.domain == .seconds }
    let maps = try (0..<seconds).map { i in
      let (inputs, outputs) = try (floats("seconds\(i).inputs"), floats("seconds\(i).outputs"))
      guard !inputs.isEmpty, inputs.count == outputs.count,
        (inputs + outputs).allSatisfy(\.isFinite), zip(inputs, inputs.dropFirst()).allSatisfy(<=)
      else {
        throw CommandFailure.usage(
          "\(file.path): seconds\(i): expected rising inputs and as many outputs, all finite")
      }
      return SecondsMap(inputs: inputs, outputs: outputs)
    }
    return MultiTaskModel(
      schema: builder.schema, options: manifest.options, encoder: encoder, networks: networks,
      secondsMaps: maps)
  }

  /// Checks that the manifest's sizes are those of the weights, before networks are made of them.
  private static func check(
    _ manifest: Manifest, _ path: String, _ encoder: InputEncoder, _ file: SafetensorsFile
  ) throws {
    let options = manifest.options
    let members = (0...).prefix { file.contains("member\($0).embeddings.weight") }.count
    guard members == options.members else {
      throw CommandFailure.usage(
        "\(path): options.members: expected \(members), as weights.safetensors holds, "
          + "found \(options.members)")
    }
    let inputs =
      encoder.means.count + encoder.vocabularies.count * options.embeddingDimension
    let wanted = options.architecture.parameterCount(inputs: inputs, tasks: manifest.tasks.count)
    for member in 0..<members {
      let table = try file.shape(of: "member\(member).embeddings.weight")
      guard table == [encoder.tableRows, options.embeddingDimension] else {
        throw CommandFailure.usage(
          "\(path): options.embeddingDimension and categoryBuckets: expected vectors of \(table), "
            + "as weights.safetensors holds, found \([encoder.tableRows, options.embeddingDimension])"
        )
      }
      let stored = try file.names.filter { $0.hasPrefix("member\(member).body.") }
        .reduce(0) { try $0 + file.shape(of: $1).reduce(1, *) }
      guard stored == wanted else {
        throw CommandFailure.usage(
          "\(path): options.architecture: expected sizes of \(stored) parameters, as "
            + "weights.safetensors holds, found sizes of \(wanted)")
      }
    }
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
