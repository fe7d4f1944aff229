import DurableFiles
import EmbeddedAnalytics
import Foundation
import FusionMDP
import SessionLogs

/// Source files, their mapping and the log that results, in a folder of their own.
struct ConversionFixture {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Writes a file and returns its path.
  func file(_ name: String, _ text: String) throws -> String {
    let path = folder.path + "/" + name
    try DurableFiles.write(text, to: path)
    return path
  }

  var output: String { folder.path + "/log" }

  /// Converts into ``output``.
  func convert(
    _ inputs: [String], _ mapping: LogMapping, findingLimit: Int = 20, threads: Int = 2,
    memoryLimitMegabytes: Int? = nil
  ) throws -> ConversionReport {
    try LogConversion.run(
      inputs: inputs, mapping: mapping, output: output,
      options: LogConversion.Options(
        threads: threads, memoryLimitMegabytes: memoryLimitMegabytes,
        spillFolder: folder.path + "/spill", findingLimit: findingLimit, replacing: true))
  }

  /// The lines of a file of the log.
  func lines(_ name: String) throws -> [String] {
    try DurableFiles.readText(output + "/" + name).split(separator: "\n").map(String.init)
  }
}

/// Two tasks, raw weights in [0, 4] and [−1, 1], a state of two columns.
func tableMapping() -> LogMapping {
  var mapping = LogMapping()
  mapping.tasks = [
    .init(name: "click", domain: "probability"), .init(name: "watch", domain: "seconds"),
  ]
  var decisions = TableMapping()
  decisions.files = ["decisions*"]
  decisions.requestID = FieldSource("rid")
  decisions.userID = FieldSource("uid")
  decisions.time = FieldSource("ts")
  decisions.time?.unit = "s"
  decisions.policyVersion = FieldSource("model")
  decisions.arm = FieldSource("arm")
  decisions.state = ListSource("s_0")
  decisions.state?.column = nil
  decisions.state?.numbered = .init(prefix: "s_", from: 0, to: 1)
  decisions.action = ListSource("w")
  decisions.action?.lower = [0, -1]
  decisions.action?.upper = [4, 1]
  decisions.logPropensity = FieldSource("density")
  decisions.logPropensity?.form = "density"
  decisions.logPropensity?.of = "weights"
  decisions.shown = ListSource("items")
  decisions.taskScores = ListSource("scores")
  var feedback = TableMapping()
  feedback.files = ["feedback*"]
  feedback.requestID = FieldSource("rid")
  feedback.itemID = FieldSource("item")
  feedback.time = FieldSource("at")
  feedback.playTime = FieldSource("play")
  feedback.playTime?.unit = "ms"
  feedback.duration = FieldSource("length")
  feedback.duration?.unit = "min"
  feedback.behaviors = ["click": FieldSource("clicked"), "like": FieldSource("stars")]
  feedback.behaviors?["like"]?.atLeast = 4
  mapping.decisions = decisions
  mapping.feedback = feedback
  return mapping
}

let decisionRows = [
  "r2,u1,1700000060.5,m,,1.5,2,\"[4,0.5]\",,\"[\"\"b\"\"]\",\"[[0.25,8]]\"",
  "r1,u1,1700000000,m,new,1,-2,\"[1,0]\",0.5,\"[\"\"a\"\",\"\"b\"\"]\",\"[[0.5,10],[0.125,20]]\"",
]
let decisionHeader = "rid,uid,ts,model,arm,s_0,s_1,w,density,items,scores\n"
let feedbackHeader = "rid,item,at,play,length,clicked,stars\n"
let feedbackRows = [
  "r1,b,1700000030000,2500,0.5,true,4", "r1,a,1700000010000,1000,1,0,3.5",
  "r2,b,1700000070000,0,0,false,0",
]

func csv(_ header: String, _ rows: [String]) -> String {
  header + rows.map { $0 + "\n" }.joined()
}

/// KuaiRand's shape: rows of one request share user and time.
func impressionMapping() -> LogMapping {
  var table = TableMapping()
  table.userID = FieldSource("user")
  table.time = FieldSource("ms")
  table.policyVersion = FieldSource("p")
  table.policyVersion?.column = nil
  table.policyVersion?.constant = "p1"
  table.itemID = FieldSource("item")
  table.playTime = FieldSource("play")
  table.behaviors = ["click": FieldSource("click")]
  var mapping = LogMapping()
  mapping.impressions = table
  return mapping
}
