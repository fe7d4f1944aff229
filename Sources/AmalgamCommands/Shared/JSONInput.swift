import DurableFiles
import Foundation

/// JSON files that people write.
enum JSONInput {
  /// Reads a file.
  ///
  /// - Throws: `CommandFailure.usage` naming the file and the line of broken JSON, or the field that
  ///   is missing or of another kind; `DurableFileError` for a file that cannot be read.
  static func read<Value: Decodable>(_ type: Value.Type, from path: String) throws -> Value {
    let data = Data(try DurableFiles.read(path))
    if let problem = problem(in: data) {
      throw CommandFailure.usage("\(path)\(problem)")
    }
    do {
      return try JSONDecoder().decode(type, from: data)
    } catch let error as DecodingError {
      throw CommandFailure.usage("\(path): \(error.summary)")
    }
  }

  /// Why bytes are no JSON, and on which line; nil if they are.
  private static func problem(in data: Data) -> String? {
    do {
      _ = try JSONSerialization.jsonObject(with: data, options: .fragmentsAllowed)
      return nil
    } catch {
      let detail = (error as NSError).userInfo["NSDebugDescription"] as? String
      let reason = detail ?? error.localizedDescription
      // The parser counts characters; people look for lines.
      guard let match = reason.firstMatch(of: /(.*) around character (\d+)/),
        let position = Int(match.2), position <= data.count
      else { return ": not valid JSON: \(reason)" }
      let line = 1 + data.prefix(position).count { $0 == UInt8(ascii: "\n") }
      return ":\(line): not valid JSON: \(match.1) at byte \(position)"
    }
  }
}
