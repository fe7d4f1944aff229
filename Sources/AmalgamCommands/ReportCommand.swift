import ArgumentParser
import DurableFiles
import ExperimentReports
import PolicyArtifacts

/// `amalgam report`: a finished run as a page with the paper's tables and figures.
struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Write a finished run as one page with the paper's tables and figures.",
    discussion: """
      Reads the folder of a finished `reproduce`, with one seed or several, and the sweeps in its \
      folder `sweeps`. The page is one file that fetches nothing; gnuplot draws its figures, which \
      also stand beside it as SVG and PNG. A report that is there already is replaced.
      """)

  @Argument(help: "The folder of a finished run.")
  var folder: String
  @Option(name: .long, help: "The folder of a sweep to show; may be repeated.")
  var sweep: [String] = []
  @Option(name: .shortAndLong, help: "The folder to write; `report` in the run's if absent.")
  var output: String?
  @Flag(name: .long, help: "Print the result as JSON for machines.") var json = false

  /// What `--json` prints.
  struct Written: Codable {
    /// The page.
    var page: String
    /// The figures' files, each in `figures/` with the endings .svg and .png.
    var figures: [String]
  }

  func run() throws {
    let finished = try FinishedRun(path: folder)
    let report = RunReport(run: finished, sweeps: try sweeps())
    let page = report.page
    let target = output ?? "\(folder)/report"
    if DurableFiles.exists(target), !DurableFiles.exists("\(target)/index.html") {
      throw CommandFailure.usage(
        "\(target) is there and holds no report; expected a folder that is absent or a report's")
    }
    do {
      try page.write(to: target)
    } catch let failure as Gnuplot.Failure {
      throw CommandFailure.failure("\(failure)")
    }
    let written = Written(page: "\(target)/index.html", figures: page.figures.map(\.name))
    if json { return try MachineOutput.print(written) }
    try StandardOutput.print("report: \(written.page), \(written.figures.count) figures")
  }

  /// The sweeps in the run's folder, then those named.
  private func sweeps() throws -> [RunReport.Sweep] {
    let inside = "\(folder)/sweeps"
    let found =
      DurableFiles.exists(inside)
      ? try DurableFiles.names(inFolder: inside).sorted()
        .filter { DurableFiles.exists("\(inside)/\($0)/sweep.json") }
        .map { (path: "\(inside)/\($0)/sweep.json", name: "sweeps/\($0)/sweep.json") } : []
    let named = sweep.map { (path: "\($0)/sweep.json", name: "\($0)/sweep.json") }
    return try (found + named).map { sweep in
      RunReport.Sweep(
        path: sweep.name,
        results: try JSONFile.read(SweepResults.self, from: sweep.path, inSnakeCase: true))
    }
  }
}
