import DurableFiles
import Foundation

/// The gnuplot program.
package struct Gnuplot: Sendable {
  /// What went wrong with it.
  package enum Failure: Error, Equatable, CustomStringConvertible {
    /// There is none.
    case missing(program: String)
    /// It did not draw.
    case failed(figure: String, status: Int32, message: String)

    /// What was expected, what was found.
    package var description: String {
      switch self {
      case .missing(let program):
        "\(program): no such program is found; figures need gnuplot (Debian's gnuplot-nox)"
      case .failed(let figure, let status, let message):
        "gnuplot ended with status \(status) at figure \(figure): \(message)"
      }
    }
  }

  /// Its name or path.
  private let program: String

  /// The program `program`, found along the PATH.
  package init(program: String = "gnuplot") { self.program = program }

  /// Draws a figure into `folder` in every format.
  ///
  /// - Throws: `Gnuplot.Failure`, or what starting a process throws.
  package func draw(_ figure: Figure, into folder: String) throws {
    for format in GnuplotScript.Format.allCases {
      let script = "\(folder)/\(figure.name).gnuplot"
      let path = "\(folder)/\(figure.name).\(format.rawValue)"
      try DurableFiles.write(GnuplotScript(figure, format, to: path).text, to: script)
      try run(script, figure: figure.name)
      try DurableFiles.remove(script)
    }
  }

  private func run(_ script: String, figure: String) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [program, script]
    let errors = Pipe()
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = errors
    try process.run()
    let message = String(
      decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    // What `env` ends with when it finds no such program.
    if process.terminationStatus == 127 { throw Failure.missing(program: program) }
    // gnuplot draws on after some errors of data and says so.
    guard process.terminationStatus == 0, !message.contains("line ") else {
      throw Failure.failed(
        figure: figure, status: process.terminationStatus,
        message: message.trimmingCharacters(in: .whitespacesAndNewlines))
    }
  }
}
