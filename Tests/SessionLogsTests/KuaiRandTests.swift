import DurableFiles
import SessionLogs
import Testing

private let header =
  "user_id,video_id,date,hourmin,time_ms,is_click,is_like,is_follow,is_comment,is_forward,"
  + "is_hate,long_view,play_time_ms,duration_ms,profile_stay_time,comment_stay_time,"
  + "is_profile_enter,is_rand,tab\n"

private func write(_ text: String, _ name: String, in folder: TemporaryFolder) throws -> String {
  let path = folder.path + "/" + name
  try DurableFiles.write(text, to: path)
  return path
}

@Suite("KuaiRand reader")
struct KuaiRandTests {
  @Test("rows come by time, repeats and zero durations are left out and counted")
  func readsLog() throws {
    let folder = try TemporaryFolder()
    let path = try write(
      header + "7,2,20220426,1830,2000,1,0,0,0,0,0,1,1500,3000,0,0,1,0,1\n"
        + "3,4,20220425,900,1000,0,1,0,0,0,0,0,0,8000,0,250,0,0,4\n"
        + "7,2,20220426,1830,2000,0,0,0,0,0,0,0,0,3000,0,0,0,0,1\n"
        + "7,5,20220426,1830,2000,0,0,0,0,0,0,0,0,0,0,0,0,0,1\n", "log.csv", in: folder)
    let log = try KuaiRandLog(contentsOf: path)
    #expect(log.userIDs == [3, 7] && log.videoIDs == [4, 2])
    #expect(
      log.hours == [9, 18] && log.surfaces == [4, 1] && log.dates == [20_220_425, 20_220_426])
    #expect(log.playTimeSeconds == [0, 1.5] && log.durationSeconds == [8, 3])
    #expect(log.commentStaySeconds == [0.25, 0])
    #expect(log.click == [0, 1] && log.like == [1, 0] && log.profileEnter == [0, 1])
    #expect(
      log.report.rowsRead == 4 && log.report.repeatsDropped == 1
        && log.report.zeroDurationsDropped == 1)
  }

  @Test("a bad field names file, line, field, what was expected and what was found")
  func badField() throws {
    let folder = try TemporaryFolder()
    let path = try write(
      header + "3,4,20220425,900,1000,0,1,0,0,0,0,0,0,8000,0,250,0,0,4\n"
        + "7,2,20220426,1830,2000,yes,0,0,0,0,0,1,1500,3000,0,0,1,0,1\n", "log.csv", in: folder)
    #expect(
      throws: KuaiRandError.badField(
        file: path, line: 3, field: "is_click", expected: "an integer from 0 to 1", found: "yes")
    ) { try KuaiRandLog(contentsOf: path) }
  }

  @Test("a cut line, a missing column, a missing file and a file without rows are errors")
  func brokenFiles() throws {
    let folder = try TemporaryFolder()
    let row = "3,4,20220425,900,1000,0,1,0,0,0,0,0,0,8000,0,250,0,0,4\n"
    let cut = try write(header + row + row + "7,2,2022", "cut.csv", in: folder)
    do {
      _ = try KuaiRandLog(contentsOf: cut)
      Issue.record("a cut line was read")
    } catch let error as KuaiRandError {
      #expect(error.description.contains("cut.csv") && error.description.contains("4"))
    }
    let column = try write("user_id,video_id\n1,2\n", "column.csv", in: folder)
    #expect(
      throws: KuaiRandError.missingColumn(
        file: column, column: "date", found: ["user_id", "video_id"])
    ) { try KuaiRandLog(contentsOf: column) }
    let missing = folder.path + "/none.csv"
    #expect(throws: KuaiRandError.missingFile(file: missing)) {
      try KuaiRandLog(contentsOf: missing)
    }
    let empty = try write(header, "empty.csv", in: folder)
    #expect(throws: KuaiRandError.empty(file: empty)) { try KuaiRandLog(contentsOf: empty) }
  }

  @Test(
    "a code that is no whole number, or out of range, is named by file, line and column",
    arguments: ["1e300", "1e30", "nan", "inf", "-1", "-1e300", "1.5", "1000001", "x"])
  func badCode(text: String) throws {
    let folder = try TemporaryFolder()
    let header =
      "user_id,user_active_degree,is_live_streamer,is_video_author,follow_user_num,"
      + "fans_user_num,friend_user_num,register_days"
      + (0..<18).map { ",onehot_feat\($0)" }.joined() + "\n"
    func row(_ id: Int, _ code: String) -> String {
      "\(id),full_active,0,1,2,3,4,5" + (0..<18).map { $0 == 7 ? "," + code : ",1.0" }.joined()
        + "\n"
    }
    let good = try write(header + row(0, "") + row(1, "1000000"), "good.csv", in: folder)
    let users = try KuaiRandUsers(contentsOf: good)
    #expect(users.anonymousCodes[7][0].isNaN && users.anonymousCodes[7][1] == 1_000_000)
    let bad = try write(header + row(0, "4.0") + row(1, text), "bad.csv", in: folder)
    let error = #expect(throws: KuaiRandError.self) { try KuaiRandUsers(contentsOf: bad) }
    guard case .badField(bad, 3, "onehot_feat7", _, text) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test("histories are lists, and a user stands once")
  func readsHistory() throws {
    let folder = try TemporaryFolder()
    let head = "user_id,history_len,last_time_ms,watch_seq,like_seq,long_watch_seq\n"
    let path = try write(head + "0,3,99,5 6 5,,6\n4,1,98,7,7,\n", "history.csv", in: folder)
    let history = try KuaiRandHistory(contentsOf: path)
    #expect(history.userIDs == [0, 4] && history.lengths == [3, 1])
    #expect(Array(history.watched[0]) == [5, 6, 5] && history.liked[0].isEmpty)
    #expect(Array(history.liked[1]) == [7] && Array(history.viewedLong[0]) == [6])
    let twice = try write(head + "4,3,99,5 6 5,,6\n4,1,98,7,7,\n", "twice.csv", in: folder)
    #expect(
      throws: KuaiRandError.badField(
        file: twice, line: 3, field: "user_id", expected: "an id that stands once", found: "4")
    ) { try KuaiRandHistory(contentsOf: twice) }
  }
}
