import DurableFiles
import ExperimentReports
import Foundation
import Testing

@Suite("report pages")
struct ReportPageTests {
  private func figure(
    x: Figure.Axis = .init("step"), y: Figure.Axis = .init("Q"),
    _ series: [Figure.Series]
  ) -> Figure {
    Figure(
      name: "f", title: "it's \"<Q>\"", x: x, y: y, series: series,
      caption: .init(
        shows: "Q & more", unit: "reward", source: "stages/a.json", paper: "grows", here: nil))
  }

  @Test("a script holds its data, and nothing in a name is gnuplot's language")
  func script() {
    let figure = figure([
      .init(
        "don't", .line,
        [.init(x: 0, y: 1, low: 0.5, high: 1.5), .init(x: 1, y: .nan), .init(x: 2, y: -3)]),
      .init("", .filledSteps, [.init(x: 0, y: 0.25)]),
      .init("empty", .points, []),
    ])
    let text = GnuplotScript(figure, .svg, to: "/tmp/a'b.svg").text
    #expect(text.contains("set output '/tmp/a''b.svg'"))
    #expect(text.contains("set title 'it''s \"<Q>\"' noenhanced"))
    #expect(text.contains("$data0 << EOD\n0.0 1.0 0.5 1.5\n2.0 -3.0 NaN NaN\nEOD"))
    #expect(text.contains("$data0 using 1:3:4 with filledcurves"))
    #expect(text.contains("title 'don''t'"))
    #expect(text.contains("$data1 using 1:2 with fillsteps"))
    #expect(text.contains("notitle") && !text.contains("$data2"))
  }

  @Test("axes: logarithmic, with a range, with names; no data says so")
  func axes() {
    let text = GnuplotScript(
      figure(
        x: .init("rate", isLogarithmic: true), y: .init("task", names: ["click", "like"]),
        [.init("a", .points, [.init(x: 0.1, y: 1)])]), .png, to: "a.png"
    ).text
    #expect(text.contains("set logscale x") && text.contains("set yrange [-0.5:1.5]"))
    #expect(text.contains("set ytics ('click' 0, 'like' 1)"))
    #expect(text.contains("pngcairo") && !text.contains("no data"))
    let ranged = GnuplotScript(
      figure(y: .init("AUC", range: 0.5...1), [.init("a", .points, [.init(x: 1, y: 1)])]), .svg,
      to: "a"
    ).text
    #expect(ranged.contains("set yrange [0.5:1.0]"))
    let empty = GnuplotScript(figure(x: .init("rate", isLogarithmic: true), []), .svg, to: "a").text
    #expect(empty.contains("no data") && !empty.contains("logscale"))
  }

  @Test("the page escapes what it is told, and holds its figures with their texts")
  func page() {
    let page = ReportPage(
      title: "a < b",
      sections: [
        .init(
          "S & T",
          [
            .notice("no \"users\""),
            .table(.init(caption: "c", head: ["m", "v"], rows: [["x<y", "1"]])),
            .figures([figure([])]),
          ])
      ])
    let html = page.html(["f": Array("<svg/>".utf8)])
    #expect(html.contains("<title>a &lt; b</title>") && html.contains("<h2>S &amp; T</h2>"))
    #expect(html.contains("<th scope=\"row\">x&lt;y</th><td>1</td>"))
    #expect(html.contains("alt=\"it's &quot;&lt;Q&gt;&quot;. Q &amp; more\""))
    #expect(html.contains("base64,\(Data("<svg/>".utf8).base64EncodedString())"))
    #expect(html.contains("<dt>Paper</dt><dd>grows</dd>") && !html.contains("<dt>Here</dt>"))
    #expect(html.contains("default-src 'none'"))
  }

  @Test("gnuplot draws both formats; one that is missing or fails is told, and nothing is left")
  func drawing() throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("amalgam-page-\(UUID().uuidString)").path
    try DurableFiles.makeFolders(folder)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let page = ReportPage(
      title: "t",
      sections: [
        .init(
          "s", [.figures([figure([.init("a", .line, [.init(x: 0, y: 1), .init(x: 1, y: 2)])])])])
      ])
    try page.write(to: "\(folder)/report")
    let svg = try DurableFiles.readText("\(folder)/report/figures/f.svg")
    #expect(svg.contains("<svg") && svg.contains("</svg>"))
    let png = try DurableFiles.read("\(folder)/report/figures/f.png")
    #expect(png.starts(with: [0x89, 0x50, 0x4E, 0x47]))
    #expect(throws: Gnuplot.Failure.missing(program: "no-such-gnuplot")) {
      try page.write(to: "\(folder)/other", drawingWith: Gnuplot(program: "no-such-gnuplot"))
    }
    #expect(throws: Gnuplot.Failure.self) {
      try page.write(to: "\(folder)/other", drawingWith: Gnuplot(program: "false"))
    }
    #expect(try DurableFiles.names(inFolder: folder) == ["report"])
  }
}
