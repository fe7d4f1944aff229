import Foundation
import SeededRandom

/// A made-up folder in the format of KuaiRand-Pure: 30 users, 20 videos, 600 impressions of which
/// the last 150 are of 5 May.
struct SmallKuaiRand {
  let scratch: ScratchFolder
  var data: String { scratch.file("data") }

  init(hates: Bool = true) throws {
    scratch = try ScratchFolder()
    try FileManager.default.createDirectory(
      atPath: scratch.file("data"), withIntermediateDirectories: true)
    var stream = RandomStream(seed: 1, name: "small KuaiRand")
    var log =
      "user_id,video_id,date,hourmin,time_ms,is_click,is_like,is_follow,is_comment,is_forward,"
      + "is_hate,long_view,play_time_ms,duration_ms,profile_stay_time,comment_stay_time,"
      + "is_profile_enter,is_rand,tab\n"
    for row in 0..<600 {
      let (user, video) = (stream.index(below: 30), stream.index(below: 20))
      let flags = (0..<8).map { k in
        k == 5 && !hates ? 0 : stream.uniform() < (user % 2 == 0 ? 0.7 : 0.2) ? 1 : 0
      }
      let duration = 5000 * (1 + video)
      let play = stream.index(below: 2 * duration)
      log +=
        "\(user),\(video),\(row < 450 ? 20_220_504 : 20_220_505),1230,"
        + "\(1_651_600_000_000 + row * 60_000),\(flags[0]),\(flags[1]),\(flags[2]),\(flags[3]),"
        + "\(flags[4]),\(flags[5]),\(flags[6]),\(play),\(duration),0,"
        + "\(stream.index(below: 2) * 100),\(flags[7]),0,\(row % 2)\n"
    }
    try write("log_standard_4_25_to_5_08_pure", log)
    var users =
      "user_id,user_active_degree,is_live_streamer,is_video_author,follow_user_num,"
      + "fans_user_num,friend_user_num,register_days"
    users += (0..<18).map { ",onehot_feat\($0)" }.joined() + "\n"
    for user in 0..<30 {
      users += "\(user),full_active,-124,1,\(user),3,1,\(100 * user)"
      users += (0..<18).map { $0 == 4 && user == 3 ? "," : ",\(user % 2)" }.joined() + "\n"
    }
    try write("user_features_pure", users)
    var videos =
      "video_id,author_id,upload_type,video_duration,server_width,server_height,music_id,tag\n"
    for video in 0..<20 {
      let duration = video == 7 ? "" : "\(5000.0 * Double(1 + video))"
      videos += "\(video),\(video % 6),Web,\(duration),720.0,1280.0,\(video % 4),\(video % 3)\n"
    }
    try write("video_features_basic_pure", videos)
    try write(
      "user_history_to_4_24",
      "user_id,history_len,last_time_ms,watch_seq,like_seq,long_watch_seq\n"
        + "0,3,1650000000000,1 2 3,2,1 2\n1,2,1650000000000,4 5,,5\n")
  }

  private func write(_ name: String, _ text: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: "\(data)/\(name)_x.csv"))
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = [
      "-c", "gzip -c \"$0\" > \"$1\"", "\(data)/\(name)_x.csv", "\(data)/\(name).csv.gz",
    ]
    try process.run()
    process.waitUntilExit()
    try FileManager.default.removeItem(atPath: "\(data)/\(name)_x.csv")
  }

  func train(_ output: String, _ more: [String] = []) throws -> AmalgamProcess {
    try AmalgamProcess(
      ["tasks", "train", "--data", data, "--output", scratch.file(output)]
        + ["--set", "epochs=1", "--set", "batchSize=64"] + more)
  }

  func score(_ model: String, _ more: [String] = []) throws -> AmalgamProcess {
    try AmalgamProcess(
      [
        "tasks", "score", "--data", data, "--model", scratch.file(model), "--users", "0,7",
        "--videos", "3,7,19", "--output", scratch.file("\(model).jsonl"),
      ] + more)
  }

  func text(_ name: String) throws -> String {
    try String(contentsOfFile: scratch.file(name), encoding: .utf8)
  }
}
