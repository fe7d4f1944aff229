import DurableFiles
import Foundation

/// The runs of several seeds, side by side: each a process of its own with a share of the threads.
///
/// A process more uses two cores better than a thread more, and the number of threads changes no bit
/// of a run. A seed that stopped goes on where it was.
struct SeedProcesses {
  /// One seed's run.
  struct Run {
    var seed: UInt64
    /// Its folder, with its configuration in it.
    var folder: String
    /// Where its progress is written.
    var log: String
    /// Arguments that run it on some threads.
    var arguments: (_ threads: Int) -> [String]
  }

  let runs: [Run]
  let threads: Int

  /// The threads of each run: those of the last, incomplete group have more.
  var shares: [Int] {
    let width = min(threads, runs.count)
    let rest = runs.count % width
    return runs.indices.map { index in
      index < runs.count - rest ? max(1, threads / width) : max(1, threads / rest)
    }
  }

  /// Runs all to their ends.
  ///
  /// - Throws: `CommandFailure.failure` with what the first seed that failed said; the others are
  ///   stopped and keep what they finished. `.interrupted` on Ctrl-C, likewise.
  func callAsFunction() throws {
    let progress = ProgressLine("seeds", total: runs.count)
    let (shares, width) = (shares, min(threads, runs.count))
    var waiting = Array(runs.indices.reversed())
    var running: [(index: Int, process: Process)] = []
    var done = 0
    var failure: CommandFailure?
    while !running.isEmpty || (failure == nil && !waiting.isEmpty) {
      while failure == nil, running.count < width, let next = waiting.popLast() {
        running.append((next, try start(runs[next], threads: shares[next])))
      }
      Thread.sleep(forTimeInterval: 0.2)
      for (index, process) in running where !process.isRunning {
        if process.terminationStatus == 0 {
          done += 1
        } else if failure == nil {
          failure = told(by: runs[index], process)
          for other in running where other.process.isRunning { other.process.interrupt() }
        }
      }
      running.removeAll { !$0.process.isRunning }
      if Interruption.shared.isRequested, failure == nil {
        // Processes are in groups of their own, so that Ctrl-C at a terminal reaches them only here.
        failure = .interrupted("stopped; --resume goes on with every seed where it was")
        for other in running { other.process.interrupt() }
      }
      progress.update(done, note: running.map { note(runs[$0.index]) }.joined(separator: ", "))
    }
    if let failure { throw failure }
    progress.finish()
  }

  private func start(_ run: Run, threads: Int) throws -> Process {
    guard let program = Bundle.main.executableURL else {
      throw CommandFailure.failure("the program's own path is not known")
    }
    try DurableFiles.write("", to: run.log)
    let process = Process()
    process.executableURL = program
    process.arguments = run.arguments(threads)
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: run.log))
    try process.run()
    return process
  }

  /// What a seed's process said last.
  private func told(by run: Run, _ process: Process) -> CommandFailure {
    let lines = (try? DurableFiles.readText(run.log).split(whereSeparator: \.isNewline)) ?? []
    let last = lines.last { $0.hasPrefix("error: ") }?.dropFirst("error: ".count) ?? lines.last
    let message = "seed \(run.seed): \(last ?? "no message"); its progress is in \(run.log)"
    return process.terminationReason == .exit && process.terminationStatus == 2
      ? .usage(message) : .failure(message)
  }

  /// The stage that a run finished last.
  private func note(_ run: Run) -> String {
    let stages = "\(run.folder)/stages"
    let names = (try? DurableFiles.names(inFolder: stages)) ?? []
    let newest = names.max { first, second in
      Self.changed("\(stages)/\(first)") < Self.changed("\(stages)/\(second)")
    }
    return "seed \(run.seed): \(newest?.replacing(".json", with: "") ?? "begins")"
  }

  private static func changed(_ path: String) -> Date {
    let attributes = try? FileManager.default.attributesOfItem(atPath: path)
    return attributes?[.modificationDate] as? Date ?? .distantPast
  }
}
