import AmalgamCommands
import Foundation
import FusionMDP
import Testing

@Suite("Docs/StateEncoder.md and the declared states of Examples")
struct StateExampleTests {
  private let page: DocumentationPage

  init() throws { page = try DocumentationPage("StateEncoder.md") }

  private func example(_ folder: String) throws -> StateDefinition {
    let path = DocumentationPage.root.appendingPathComponent("Examples/\(folder)/state.yaml").path
    let definition = try ConfigurationFile.load(StateDefinition(), from: path)
    try definition.check()
    return definition
  }

  @Test("the feed's state has the names that the page lists, in their order")
  func feed() throws {
    let definition = try example("generic-feed")
    #expect(definition.unfitted.isEmpty)
    let listed = try #require(page.files["names"]).split(whereSeparator: \.isWhitespace)
    #expect(try StateEncoder(definition).names == listed.map(String.init))
  }

  @Test("KuaiRand's state is read with every kind of profile feature, and asks to be fitted")
  func kuaiRand() throws {
    let definition = try example("kuairand")
    #expect(
      definition.unfitted == [
        "profile.follow_user_num", "profile.fans_user_num", "profile.register_days",
        "profile.onehot_feat1", "history.topics.values", "statistics",
      ])
    #expect(definition.history.windows.map(\.name) == ["last_5", "last_20", "last_100", "history"])
    #expect(definition.profile[0].values == ["full_active", "high_active", "middle_active"])
    #expect(definition.names.contains("history_log_hours_since_like"))
    #expect(definition.history.topics?.column == "tag")
  }

  @Test("the page's declaration with every key is read, and its tables tell every key")
  func keys() throws {
    let yaml = try #require(page.files["state.yaml"])
    let definition = try ConfigurationFile.overlay(
      StateDefinition(), yaml: yaml, source: "state.yaml")
    try definition.check()
    let text = try ConfigurationFile.text(of: definition)
    var keys = Set<String>()
    for match in text.matches(of: /([a-z_]+):/) { keys.insert(String(match.1)) }
    for key in keys.subtracting(["mean", "deviation", "statistics"]) {
      #expect(yaml.contains("\(key):"), "\(key) in the declaration")
      #expect(page.text.contains("`\(key)`"), "\(key) in a table")
    }
    for feature in SessionFeatures.Feature.allCases {
      #expect(page.text.contains("`\(feature.rawValue)`"), "\(feature.rawValue)")
    }
  }

  @Test("an unknown key is refused with its line, in lists too")
  func unknown() {
    for yaml in ["history:\n  window: [5]\n", "profile:\n- {name: a, typ: number}\n"] {
      let error = #expect(throws: CommandFailure.self) {
        try ConfigurationFile.overlay(StateDefinition(), yaml: yaml, source: "s.yaml")
      }
      #expect(error?.description.contains("unknown key") == true)
    }
  }
}
