import DurableFiles
import Foundation
import SessionLogs
import Testing

@Suite("KuaiRand tables")
struct KuaiRandReaderTests {
  private let folder = FileManager.default.temporaryDirectory
    .appendingPathComponent("amalgam-kuairand-\(UUID().uuidString)").path

  private static let header =
    "user_id,video_id,date,hourmin,time_ms,is_click,is_like,is_follow,is_comment,is_forward,"
    + "is_hate,long_view,play_time_ms,duration_ms,profile_stay_time,comment_stay_time,"
    + "is_profile_enter,is_rand,tab\n"

  private func write(_ rows: String) throws {
    try DurableFiles.makeFolders(folder)
    try DurableFiles.write(
      Self.header + rows, to: "\(folder)/log_standard_4_25_to_5_08_pure.csv")
  }

  @Test("impressions come oldest first, without repeats and without zero durations")
  func readsLog() throws {
    defer { try? DurableFiles.remove(folder) }
    try write(
      """
      7,3,20220426,1830,2000,1,0,0,0,0,0,1,5500,8000,0,0,1,0,1
      7,3,20220426,1830,2000,1,0,0,0,0,0,1,5500,8000,0,0,1,0,1
      8,4,20220425,900,1000,0,1,0,0,0,0,0,0,4000,0,12,0,0,4
      9,5,20220425,900,1500,0,1,0,0,0,0,0,0,0,0,0,0,0,1

      """)
    let log = try KuaiRandReader(folder: folder).log()
    #expect(log.users == [8, 7])
    #expect(log.hours == [9, 18])
    #expect(log.playSeconds == [0, 5.5])
    #expect(log.longViews == [false, true])
    #expect(log.likes == [true, false])
    #expect(log.commentStays == [true, false])
    #expect(log.repeatCount == 1)
    #expect(log.zeroDurationCount == 1)
  }

  @Test("a missing file is named")
  func missingFile() {
    let error = #expect(throws: KuaiRandError.self) {
      try KuaiRandReader(folder: "/nowhere").users()
    }
    #expect(error?.description == "/nowhere/user_features_pure.csv.gz: there is no such file")
  }

  @Test("a cell that is no number is reported with its line")
  func badCell() throws {
    defer { try? DurableFiles.remove(folder) }
    try write("7,3,20220426,1830,yesterday,1,0,0,0,0,0,1,5500,8000,0,0,1,0,1\n")
    let error = #expect(throws: KuaiRandError.self) {
      try KuaiRandReader(folder: folder).log()
    }
    #expect(error?.reason.contains("Line: 2") == true)
    #expect(error?.reason.contains("yesterday") == true)
  }

  @Test("a log without an impression is an error")
  func emptyLog() throws {
    defer { try? DurableFiles.remove(folder) }
    try write("")
    let error = #expect(throws: KuaiRandError.self) { try KuaiRandReader(folder: folder).log() }
    #expect(error?.reason == "holds no impression of a video with a duration")
  }
}
