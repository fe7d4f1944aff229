package import ArgumentParser
import DenseKernels
import Foundation

/// The `amalgam` command: one subcommand a verb, each in a file of its own.
package struct Amalgam: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "amalgam",
    abstract: "Learn, evaluate and serve the weights that fuse a recommender's predictions.",
    version: "0.1.0",
    subcommands: [
      ReproduceCommand.self,
      LogsCommand.self,
      SimulateCommand.self,
      RewardCommand.self,
      PrepareCommand.self,
      TrainCommand.self,
      SweepCommand.self,
      ReportCommand.self,
      TasksCommand.self,
      SearchCommand.self,
      EvaluateCommand.self,
      ExperimentCommand.self,
      PolicyCommand.self,
      RankCommand.self,
    ])

  package init() {}

  /// Parses the arguments, runs the verb, and returns the exit status.
  ///
  /// 0 for success and for help, 1 for failure, 2 for wrong usage, 130 after Ctrl-C.
  package static func run(arguments: [String]) async -> Int32 {
    KernelMemory.keepFreed()
    // A limit on the size of files is then an error of the write, and told as one.
    signal(SIGXFSZ, SIG_IGN)
    do {
      var command = try parseAsRoot(arguments)
      if var asynchronous = command as? any AsyncParsableCommand {
        try await asynchronous.run()
      } else {
        try command.run()
      }
      return 0
    } catch let failure as CommandFailure {
      writeError("error: \(failure.description)")
      return failure.kind.rawValue
    } catch {
      return report(error)
    }
  }

  private static func report(_ error: any Error) -> Int32 {
    let status = exitCode(for: error)
    if status == .success {
      do {
        try StandardOutput.print(message(for: error))
        return 0
      } catch {
        return report(error)
      }
    }
    if status == .validationFailure {
      writeError(fullMessage(for: error))
      return CommandFailure.Kind.usage.rawValue
    }
    let failure = CommandFailure(error)
    writeError("error: \(failure.description)")
    return failure.kind.rawValue
  }

  private static func writeError(_ text: String) { StandardError.write(text + "\n") }
}
