/// A module as Package.swift declares it or as ARCHITECTURE.md tells it.
struct Module: Equatable {
  var name: String
  /// Modules of this package.
  var imports: Set<String>
  /// Products of other packages, by module name.
  var thirdParty: Set<String>
}

/// The products of other packages under the names that Package.swift gives them.
let thirdPartyNames = [
  "crypto": "Crypto", "arguments": "ArgumentParser", "yams": "Yams", "grdb": "GRDB",
]

/// The modules that Package.swift declares, without tests.
///
/// It reads the forms that the manifest uses: `module("Name", ["Import", product])` and
/// `.target(name: "Name", dependencies: […])` with its siblings.
func declaredModules(manifest: String) -> [Module] {
  guard let start = manifest.firstRange(of: "  targets: [\n")?.upperBound else { return [] }
  var rest = manifest[start...]
  var found: [Module] = []
  while let match = rest.firstMatch(
    of: /\b(module|target|executableTarget|systemLibrary|tests|testTarget)\(/)
  {
    let call = balanced(rest[match.range.upperBound...])
    rest = rest[call.endIndex...]
    if match.1 == "tests" || match.1 == "testTarget" { continue }
    guard let name = call.firstMatch(of: /"([^"]+)"/) else { continue }
    var dependencies = call[name.range.upperBound...]
    if match.1 != "module" {
      guard let list = dependencies.firstRange(of: "dependencies: [") else {
        found.append(Module(name: String(name.1), imports: [], thirdParty: []))
        continue
      }
      dependencies = dependencies[list.upperBound...].prefix { $0 != "]" }
    }
    let ours = dependencies.matches(of: /"([^"]+)"/).map { String($0.1) }
    let others = thirdPartyNames.filter { name, _ in
      dependencies.split { !$0.isLetter && $0 != "\"" }.contains(Substring(name))
    }
    found.append(
      Module(name: String(name.1), imports: Set(ours), thirdParty: Set(others.values)))
  }
  return found
}

/// The text up to the parenthesis that closes the one before it.
private func balanced(_ text: Substring) -> Substring {
  var depth = 1
  for index in text.indices {
    switch text[index] {
    case "(": depth += 1
    case ")": depth -= 1
    default: break
    }
    if depth == 0 { return text[..<index] }
  }
  return text
}

/// A row of the module table in ARCHITECTURE.md: layer, module, what it is, imports, third party.
struct ModuleRow {
  /// "C" is below 0.
  var layer: Int
  var module: Module
}

/// The rows of the module table.
func tabledModules(architecture: String) -> [ModuleRow] {
  architecture.split(separator: "\n").compactMap { line in
    let cells = line.split(separator: "|", omittingEmptySubsequences: false)
      .map { cell in cell.drop { $0 == " " } }
    guard cells.count == 7, let name = cells[2].firstMatch(of: /^`([A-Za-z]+)`/) else { return nil }
    let layer = cells[1].hasPrefix("C") ? -1 : Int(cells[1].prefix { $0.isNumber })
    guard let layer else { return nil }
    func names(_ cell: Substring) -> Set<String> {
      Set(cell.matches(of: /`([A-Za-z]+)`/).map { String($0.1) })
    }
    return ModuleRow(
      layer: layer,
      module: Module(
        name: String(name.1), imports: names(cells[4]), thirdParty: names(cells[5])))
  }
}

/// The modules that a Swift file imports.
func importedModules(_ file: Repository.File) -> Set<String> {
  Set(
    file.lines.compactMap { line in
      guard line.contains("import ") else { return nil }
      return line.firstMatch(
        of: /^ *(?:@\w+ +)*(?:(?:public|package|internal|fileprivate|private) +)?import +(\w+)/
      ).map { String($0.1) }
    })
}
