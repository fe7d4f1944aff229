import Testing

@Suite("modules")
struct ModuleTests {
  private let declared: [Module]
  private let table: [ModuleRow]
  private let sources: [Repository.File]

  init() throws {
    declared = declaredModules(manifest: try Repository.file("Package.swift").text)
    table = tabledModules(architecture: try Repository.file("ARCHITECTURE.md").text)
    sources = try Repository.files(under: "Sources")
  }

  @Test("the parser of Package.swift finds modules of every form")
  func parser() {
    let manifest = """
      let package = Package(
        targets: [
          module("A"),
          .target(name: "C", cSettings: [.unsafeFlags(["-O3"])]),
          .systemLibrary(name: "S", providers: [.apt(["x"])]),
          module(
            "B",
            ["A", "C", crypto]),
          .executableTarget(name: "main", dependencies: ["B"], swiftSettings: strict),
          tests("A", ["A"]),
          .testTarget(name: "T", swiftSettings: strict),
        ]
      """
    #expect(
      declaredModules(manifest: manifest) == [
        Module(name: "A", imports: [], thirdParty: []),
        Module(name: "C", imports: [], thirdParty: []),
        Module(name: "S", imports: [], thirdParty: []),
        Module(name: "B", imports: ["A", "C"], thirdParty: ["Crypto"]),
        Module(name: "main", imports: ["B"], thirdParty: []),
      ])
  }

  @Test("the module table of ARCHITECTURE.md is the target graph of Package.swift")
  func tableEqualsManifest() {
    #expect(declared.count > 10)
    #expect(Set(table.map(\.module.name)) == Set(declared.map(\.name)))
    for module in declared {
      let row = table.first { $0.module.name == module.name }?.module
      #expect(row == module, "ARCHITECTURE.md and Package.swift differ on \(module.name)")
    }
  }

  @Test("a module imports only modules of lower layers")
  func layers() {
    let layerOf = Dictionary(table.map { ($0.module.name, $0.layer) }) { first, _ in first }
    for row in table {
      for imported in row.module.imports {
        #expect(
          layerOf[imported] ?? .max < row.layer,
          "\(row.module.name) of layer \(row.layer) may not import \(imported)")
      }
    }
  }

  @Test("sources import what their module declares, and each declared import is used")
  func imports() {
    let system: Set = [
      "Foundation", "FoundationEssentials", "Glibc", "Musl", "Darwin", "Dispatch",
      "Synchronization",
    ]
    for module in declared where !module.name.hasPrefix("C") {
      let files = sources.filter { $0.module == module.name }
      let allowed = module.imports.union(module.thirdParty)
      for file in files {
        let beyond = importedModules(file).subtracting(allowed).subtracting(system)
        #expect(beyond.isEmpty, "\(file.path) imports \(beyond.sorted())")
      }
      let used = files.reduce(into: Set<String>()) { $0.formUnion(importedModules($1)) }
      #expect(
        allowed.isSubset(of: used),
        "\(module.name) declares \(allowed.subtracting(used).sorted()) and does not import it")
    }
  }

  @Test("the domain knows no files and no clock: it does not import Foundation")
  func pureModules() {
    for file in sources where ["SeededRandom", "FusionMDP", "UserSimulator"].contains(file.module) {
      let found = importedModules(file).intersection(["Foundation", "FoundationEssentials"])
      #expect(found.isEmpty, "\(file.path) imports \(found.sorted())")
    }
  }

  @Test("serving and policies never link what trains or estimates")
  func servingCannotTrain() {
    for name in ["PolicyArtifacts", "OnlineServing"] {
      var reached: Set<String> = [name]
      while true {
        let next = declared.filter { reached.contains($0.name) }
          .reduce(into: reached) { $0.formUnion($1.imports) }
        if next == reached { break }
        reached = next
      }
      let training: Set = ["BatchRL", "OffPolicyEvaluation", "UserSimulator", "FusionSearch"]
      #expect(reached.isDisjoint(with: training), "\(name) reaches \(reached.sorted())")
    }
  }
}
