import DurableFiles
import Testing

@Suite("JSON files")
struct JSONFileTests {
  private struct Sample: Decodable, Equatable {
    struct Item: Decodable, Equatable {
      enum Kind: String, Decodable { case video }
      var kind: Kind
      var share: Double
    }
    var count: Int
    var items: [Item]
  }

  private func problem(_ text: String) -> String {
    let error = #expect(throws: DurableFileError.self) {
      try JSONFile.decode(Sample.self, from: Array(text.utf8), path: "a.json")
    }
    return error?.description ?? ""
  }

  @Test("a value is read from its file")
  func reads() throws {
    let folder = try TemporaryFolder()
    try DurableFiles.write(
      #"{"count": 3, "items": [{"kind": "video", "share": 0.5}]}"#, to: folder.file("a.json"))
    #expect(
      try JSONFile.read(Sample.self, from: folder.file("a.json"))
        == Sample(count: 3, items: [Sample.Item(kind: .video, share: 0.5)]))
  }

  @Test("what is wrong is told by file, field, expected and found")
  func fields() {
    #expect(problem(#"{"count": 3}"#) == "a.json: top level: key 'items' is missing")
    #expect(
      problem(#"{"count": 3, "items": [{"kind": "video"}]}"#)
        == "a.json: items[0]: key 'share' is missing")
    #expect(
      problem(#"{"count": "x", "items": []}"#)
        == "a.json: count: expected a whole number, found a string")
    #expect(
      problem(#"{"count": 3, "items": 4}"#) == "a.json: items: expected a list, found number")
    #expect(
      problem(#"{"count": 3, "items": [4]}"#)
        == "a.json: items[0]: expected an object, found number")
    #expect(
      problem(#"{"count": 3, "items": [{"kind": "video", "share": null}]}"#)
        == "a.json: items[0].share: expected a number, found null")
    #expect(problem("[]") == "a.json: top level: expected an object, found an array")
    for number in ["1e30", "1.5"] {
      #expect(
        problem("{\"count\": \(number), \"items\": []}")
          == "a.json: a number does not fit its field (too large, or a fraction for a whole number)"
      )
    }
    let kind = problem(#"{"count": 3, "items": [{"kind": "text", "share": 1}]}"#)
    #expect(kind.hasPrefix("a.json: items[0].kind: ") && kind.contains("text"))
  }

  @Test("broken JSON is told by its line")
  func lines() {
    #expect(problem("{\n \"count\":\n nothing}").hasPrefix("a.json:3: not valid JSON: "))
    #expect(problem("").hasPrefix("a.json: not valid JSON: "))
  }
}
