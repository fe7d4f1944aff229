import DurableFiles
import Foundation

/// A page of sections with text, tables and figures: one HTML file that fetches nothing.
package struct ReportPage: Sendable, Equatable {
  /// A table.
  package struct Table: Sendable, Equatable {
    package var caption: String
    package var head: [String]
    /// Rows of as many cells as the head; the first cell is the row's head.
    package var rows: [[String]]

    /// A table of these parts.
    package init(caption: String, head: [String], rows: [[String]]) {
      self.caption = caption
      self.head = head
      self.rows = rows
    }
  }

  /// Something that stands on the page.
  package enum Block: Sendable, Equatable {
    case paragraph(String)
    /// Something that nobody should overlook.
    case notice(String)
    case table(Table)
    /// Figures side by side, as the width allows.
    case figures([Figure])
  }

  /// Some blocks under a heading.
  package struct Section: Sendable, Equatable {
    package var heading: String
    package var blocks: [Block]

    /// A section of these parts.
    package init(_ heading: String, _ blocks: [Block]) {
      self.heading = heading
      self.blocks = blocks
    }
  }

  package var title: String
  package var sections: [Section]

  /// A page of these parts.
  package init(title: String, sections: [Section]) {
    self.title = title
    self.sections = sections
  }

  /// All figures, in their order.
  package var figures: [Figure] {
    sections.flatMap(\.blocks).flatMap { block -> [Figure] in
      if case .figures(let figures) = block { figures } else { [] }
    }
  }

  /// Writes a folder with `index.html` and `figures/`, whole or not at all; the page holds its
  /// figures itself, the files are for slides and papers.
  ///
  /// - Throws: `Gnuplot.Failure`, `DurableFileError`.
  package func write(to folder: String, drawingWith gnuplot: Gnuplot = Gnuplot()) throws {
    let names = figures.map(\.name)
    precondition(Set(names).count == names.count, "two figures of one name among \(names)")
    try DurableFiles.writeFolder(at: folder) { temporary in
      let pictures = "\(temporary)/figures"
      try DurableFiles.makeFolders(pictures)
      var drawings: [String: [UInt8]] = [:]
      for figure in figures {
        try gnuplot.draw(figure, into: pictures)
        drawings[figure.name] = try DurableFiles.read("\(pictures)/\(figure.name).svg")
      }
      try DurableFiles.write(html(drawings), to: "\(temporary)/index.html")
    }
  }

  /// The page; `drawings` are the SVG files by the names of figures.
  package func html(_ drawings: [String: [UInt8]]) -> String {
    let body = sections.map { section in
      "<section>\n<h2>\(Self.escaped(section.heading))</h2>\n"
        + section.blocks.map { html($0, drawings) }.joined(separator: "\n") + "\n</section>"
    }
    return """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta http-equiv="Content-Security-Policy" \
      content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
      <title>\(Self.escaped(title))</title>
      <style>
      \(Self.style)
      </style>
      </head>
      <body>
      <main>
      <h1>\(Self.escaped(title))</h1>
      \(body.joined(separator: "\n"))
      </main>
      </body>
      </html>

      """
  }

  private func html(_ block: Block, _ drawings: [String: [UInt8]]) -> String {
    switch block {
    case .paragraph(let text): "<p>\(Self.escaped(text))</p>"
    case .notice(let text): "<p class=\"notice\">\(Self.escaped(text))</p>"
    case .table(let table): html(table)
    case .figures(let figures):
      "<div class=\"figures\">\n"
        + figures.map { html($0, drawings[$0.name] ?? []) }.joined(separator: "\n") + "\n</div>"
    }
  }

  private func html(_ table: Table) -> String {
    let head = table.head.map { "<th scope=\"col\">\(Self.escaped($0))</th>" }.joined()
    let rows = table.rows.map { row in
      let cells = row.enumerated().map { column, cell in
        column == 0
          ? "<th scope=\"row\">\(Self.escaped(cell))</th>" : "<td>\(Self.escaped(cell))</td>"
      }
      return "<tr>\(cells.joined())</tr>"
    }
    // Focusable, so that a keyboard can scroll what is wider than a phone.
    return """
      <div class="wide" tabindex="0" role="region" aria-label="\(Self.escaped(table.caption))">
      <table>
      <caption>\(Self.escaped(table.caption))</caption>
      <thead><tr>\(head)</tr></thead>
      <tbody>
      \(rows.joined(separator: "\n"))
      </tbody>
      </table>
      </div>
      """
  }

  private func html(_ figure: Figure, _ drawing: [UInt8]) -> String {
    let caption = figure.caption
    let parts: [(String, String?)] = [
      ("Unit", caption.unit), ("From", caption.source), ("Paper", caption.paper),
      ("Here", caption.here),
    ]
    let details = parts.compactMap { name, text in
      text.map { "<dt>\(name)</dt><dd>\(Self.escaped($0))</dd>" }
    }
    let width = 720
    return """
      <figure id="\(Self.escaped(figure.name))">
      <img alt="\(Self.escaped("\(figure.title). \(caption.shows)"))" width="\(width)" \
      height="\(Int(Double(width) * figure.aspect))" \
      src="data:image/svg+xml;base64,\(Data(drawing).base64EncodedString())">
      <figcaption><p>\(Self.escaped(caption.shows))</p>
      <dl>\(details.joined())</dl></figcaption>
      </figure>
      """
  }

  private static func escaped(_ text: String) -> String {
    var result = ""
    for character in text {
      switch character {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      default: result.append(character)
      }
    }
    return result
  }

  private static let style = """
    :root { color-scheme: light; }
    body { margin: 0; background: #fff; color: #1a1a1a; font: 16px/1.5 sans-serif; }
    main { max-width: 75rem; margin: 0 auto; padding: 1rem; overflow-wrap: break-word; }
    h1 { font-size: 1.6rem; } h2 { font-size: 1.25rem; margin-top: 2.5rem; }
    .notice { border-left: .3rem solid #d55e00; padding: .5rem 1rem; background: #fff4ec; }
    .wide { overflow-x: auto; }
    table { border-collapse: collapse; font-size: .85rem; }
    caption { text-align: left; padding: .3rem 0; font-weight: bold; }
    th, td { padding: .2rem .6rem; border-bottom: 1px solid #ccc; text-align: right; }
    td { white-space: nowrap; } th[scope=row] { min-width: 9rem; }
    th:first-child, th:last-child, td:last-child { text-align: left; }
    td:last-child { white-space: normal; min-width: 9rem; }
    .figures { display: grid; gap: 1.5rem; \
    grid-template-columns: repeat(auto-fill, minmax(min(100%, 26rem), 1fr)); }
    figure { margin: 0; break-inside: avoid; }
    figure img { width: 100%; height: auto; }
    figcaption { font-size: .85rem; }
    dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 .6rem; margin: 0; }
    dt { font-weight: bold; } dd { margin: 0; min-width: 0; }
    @media print {
      body { font-size: 10pt; } main { max-width: none; padding: 0; }
      .wide { overflow: visible; } table { font-size: 6pt; } td { white-space: normal; }
      th, td { padding: 1pt 2pt; } th[scope=row], td:last-child { min-width: 0; }
      h2 { break-after: avoid; } tr { break-inside: avoid; }
      .figures { grid-template-columns: 1fr 1fr; }
    }
    """
}
