import Foundation

/// A figure in gnuplot's language: everything in the script, no other file.
package struct GnuplotScript {
  /// The colors of series, told apart by most color-blind people (Okabe and Ito 2008).
  static let palette = [
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8C564B",
  ]

  /// A picture's format.
  package enum Format: String, CaseIterable, Sendable {
    case svg
    case png
  }

  private let figure: Figure
  private let format: Format
  private let path: String

  /// The script that draws `figure` into the file `path`.
  package init(_ figure: Figure, _ format: Format, to path: String) {
    self.figure = figure
    self.format = format
    self.path = path
  }

  /// The script.
  package var text: String {
    var lines = [
      "set encoding utf8", terminal, "set output \(Self.quoted(path))",
      "set title \(Self.quoted(figure.title)) noenhanced", "set grid ytics lc rgb '#dddddd'",
      "set border 3", "set tics nomirror noenhanced",
      "set key above noenhanced", "set rmargin 4",
      "set style fill transparent solid 0.2 noborder",
    ]
    lines += axis("x", figure.x) + axis("y", figure.y)
    let drawn = figure.series.enumerated().filter { !$0.element.points.isEmpty }
    for (number, series) in drawn {
      lines.append("$data\(number) << EOD")
      lines += series.points.map { point in
        [point.x, point.y, point.low ?? .nan, point.high ?? .nan]
          .map { $0.isFinite ? "\($0)" : "NaN" }.joined(separator: " ")
      }
      lines.append("EOD")
    }
    let curves = drawn.flatMap { plots($1, data: "$data\($0)", color: $1.color ?? $0) }
    // A figure without data still says so.
    lines.append(
      curves.isEmpty
        ? "set label 1 'no data' at graph 0.5,0.5 center\nplot [0:1] [0:1] NaN notitle"
        : "plot " + curves.joined(separator: ", \\\n  "))
    return lines.joined(separator: "\n") + "\n"
  }

  private var terminal: String {
    let (width, height) = (720, Int(720 * figure.aspect))
    return switch format {
    case .svg:
      "set terminal svg size \(width),\(height) dynamic font 'sans-serif,14' background '#ffffff'"
    case .png: "set terminal pngcairo size \(2 * width),\(2 * height) font 'sans,20' linewidth 2"
    }
  }

  private func axis(_ name: String, _ axis: Figure.Axis) -> [String] {
    var lines = ["set \(name)label \(Self.quoted(axis.label)) noenhanced"]
    // An empty plot has a range of its own, which no logarithm and no name fits.
    guard figure.series.contains(where: { !$0.points.isEmpty }) else { return lines }
    if axis.isLogarithmic { lines.append("set logscale \(name)") }
    if let range = axis.range {
      lines.append("set \(name)range [\(range.lowerBound):\(range.upperBound)]")
    } else if !axis.names.isEmpty {
      lines.append("set \(name)range [-0.5:\(Double(axis.names.count) - 0.5)]")
    }
    if !axis.names.isEmpty {
      let places = axis.names.enumerated().map { "\(Self.quoted($1)) \($0)" }
      lines.append(
        "set \(name)tics (\(places.joined(separator: ", ")))"
          + (name == "x" ? " rotate by -45" : ""))
    }
    return lines
  }

  private func plots(_ series: Figure.Series, data: String, color: Int) -> [String] {
    // Dashes tell apart what color alone does not, and lines that lie on each other.
    let dashes = "dt \(color % 4 + 1)"
    let color = Self.palette[color % Self.palette.count]
    let hasBounds = series.points.contains { $0.low != nil && $0.high != nil }
    let title = series.name.isEmpty ? "notitle" : "title \(Self.quoted(series.name))"
    switch series.style {
    case .line:
      let band = "\(data) using 1:3:4 with filledcurves lc rgb '\(color)' notitle"
      return (hasBounds ? [band] : [])
        + ["\(data) using 1:2 with lines lw 2 \(dashes) lc rgb '\(color)' \(title)"]
    case .steps:
      return ["\(data) using 1:2 with steps lw 2 \(dashes) lc rgb '\(color)' \(title)"]
    case .filledSteps:
      return ["\(data) using 1:2 with fillsteps fs solid 0.25 lc rgb '#777777' \(title)"]
    case .points:
      let bars =
        "\(data) using 1:2:3:4 with yerrorbars pt 7 ps 0.7 lw 1.5 lc rgb '\(color)' \(title)"
      return [
        hasBounds ? bars : "\(data) using 1:2 with points pt 7 ps 0.7 lc rgb '\(color)' \(title)"
      ]
    }
  }

  /// A string of gnuplot, in which nothing is special but its quote.
  private static func quoted(_ text: String) -> String {
    let line = text.replacing("\n", with: " ")
    return "'" + line.replacing("'", with: "''") + "'"
  }
}
