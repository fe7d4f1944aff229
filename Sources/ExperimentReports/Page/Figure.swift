/// A figure to be drawn: curves, steps or points over one pair of axes, and what is said of it.
package struct Figure: Sendable, Equatable {
  /// How a series is drawn.
  package enum Style: Sendable, Equatable {
    /// A line through the points, with a band where they have bounds.
    case line
    /// The outline of a histogram: x is the left edge of a bin.
    case steps
    /// A histogram filled in gray: what the others are compared with.
    case filledSteps
    /// Points, with bars where they have bounds.
    case points
  }

  /// One number and, where known, its bounds.
  package struct Point: Sendable, Equatable {
    package var x: Double
    package var y: Double
    package var low: Double?
    package var high: Double?

    /// A point, with bounds if both are known.
    package init(x: Double, y: Double, low: Double? = nil, high: Double? = nil) {
      self.x = x
      self.y = y
      self.low = low
      self.high = high
    }
  }

  /// Some points of one kind.
  package struct Series: Sendable, Equatable {
    /// What stands in the legend; nothing if empty.
    package var name: String
    package var style: Style
    package var points: [Point]
    /// Which color of the palette; the place among the series if nil.
    package var color: Int?

    /// A series; what is not finite cannot be drawn and is left out.
    package init(_ name: String, _ style: Style, _ points: [Point], color: Int? = nil) {
      self.name = name
      self.style = style
      self.points = points.filter { $0.x.isFinite && $0.y.isFinite }
      self.color = color
    }
  }

  /// An axis.
  package struct Axis: Sendable, Equatable {
    /// What it shows, with its unit.
    package var label: String
    package var isLogarithmic: Bool
    package var range: ClosedRange<Double>?
    /// Names of the places 0, 1, 2 …, instead of numbers.
    package var names: [String]

    /// An axis of numbers, or of named places.
    package init(
      _ label: String, isLogarithmic: Bool = false, range: ClosedRange<Double>? = nil,
      names: [String] = []
    ) {
      self.label = label
      self.isLogarithmic = isLogarithmic
      self.range = range
      self.names = names
    }
  }

  /// What is said below a figure.
  package struct Caption: Sendable, Equatable {
    /// What it shows, in a sentence; also the text for whoever cannot see it.
    package var shows: String
    /// The units of its numbers.
    package var unit: String
    /// The files that it is drawn from.
    package var source: String
    /// What the paper found; nil where the paper has no such figure.
    package var paper: String?
    /// What was found here, in numbers.
    package var here: String?

    /// A caption of these parts.
    package init(
      shows: String, unit: String, source: String, paper: String? = nil, here: String? = nil
    ) {
      self.shows = shows
      self.unit = unit
      self.source = source
      self.paper = paper
      self.here = here
    }
  }

  /// The name of its files, without an ending: letters, digits, `-` and `_`.
  package var name: String
  package var title: String
  package var x: Axis
  package var y: Axis
  package var series: [Series]
  package var caption: Caption
  /// Height over width.
  package var aspect: Double

  /// A figure of these parts.
  package init(
    name: String, title: String, x: Axis, y: Axis, series: [Series], caption: Caption,
    aspect: Double = 0.62
  ) {
    self.name = name
    self.title = title
    self.x = x
    self.y = y
    self.series = series
    self.caption = caption
    self.aspect = aspect
  }
}
