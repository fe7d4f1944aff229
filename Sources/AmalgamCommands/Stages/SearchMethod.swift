import ArgumentParser
import FusionMDP
import FusionSearch

/// The searches on a simulated platform, all under the same budget of user sessions.
enum SearchMethod: String, Codable, CaseIterable, ExpressibleByArgument {
  case bayesianOptimization = "bayesian_optimization"
  case evolutionStrategy = "evolution_strategy"
  case crossEntropy = "cross_entropy"
  case grid

  /// What its policy is called unless told otherwise.
  var policyName: String { self == .bayesianOptimization ? "best_static" : rawValue }
}

/// What is set before a search, under the key `search` of a configuration.
struct SearchSettings: Codable, Equatable {
  /// The evolution strategy over the parameters of a network state → weights.
  struct Evolution: Codable, Equatable {
    /// Widths of the network's hidden layers.
    var hidden = [16]
    /// σ: the deviation of what is tried from the center.
    var deviation = EvolutionStrategy.Configuration().deviation
    /// η: the length of a step, in natural gradients.
    var learningRate = EvolutionStrategy.Configuration().learningRate
    /// Mirrored pairs a generation.
    var pairs = EvolutionStrategy.Configuration().pairs
    /// Users that try one parameter vector for a day: few, since what chance does to one outcome
    /// averages out over a generation, and many directions are worth more than a precise one.
    var usersPerPoint = 20

    /// The search's own choices.
    var configuration: EvolutionStrategy.Configuration {
      var configuration = EvolutionStrategy.Configuration()
      configuration.deviation = deviation
      configuration.learningRate = learningRate
      configuration.pairs = pairs
      return configuration
    }
  }

  /// The grid over a few weights.
  struct Grid: Codable, Equatable {
    /// The tasks whose weights are tried; the others keep the reference weights.
    var tasks = ["long_view", "like", "watch_time"]
    /// Levels along each weight, evenly over its range.
    var levels = 3
  }

  /// User sessions that may be spent in all.
  var sessionBudget = 20_000
  /// Users that try one point for a day.
  var usersPerPoint = 80
  var evolutionStrategy = Evolution()
  var crossEntropy = CrossEntropyMethod.Configuration()
  var grid = Grid()

  /// Checks every method's settings, whichever is asked for.
  ///
  /// - Throws: `CommandFailure.usage` naming the key, what was expected and found.
  func check() throws {
    for (key, count) in [
      ("sessionBudget", sessionBudget), ("usersPerPoint", usersPerPoint),
      ("evolutionStrategy.usersPerPoint", evolutionStrategy.usersPerPoint),
    ] {
      try CountRange.things.check("search.\(key)", count)
    }
    for width in evolutionStrategy.hidden {
      try CountRange(least: 1, most: 1_024).check("search.evolutionStrategy.hidden", width)
    }
    try CountRange(least: 0, most: 8).check(
      "search.evolutionStrategy.hidden, layers", evolutionStrategy.hidden.count)
    if let problem = evolutionStrategy.configuration.problem {
      throw CommandFailure.usage("search.evolutionStrategy.\(problem)")
    }
    if let problem = crossEntropy.problem {
      throw CommandFailure.usage("search.crossEntropy.\(problem)")
    }
    let axes = try gridAxes
    do {
      _ = try GridSearch(
        start: TaskSchema.standard.names.map { _ in 0 }, axes: axes, levels: grid.levels,
        sessionBudget: sessionBudget, seed: 0)
    } catch {
      throw CommandFailure.usage("search.grid.\(error)")
    }
  }

  /// The places of the grid's tasks.
  ///
  /// - Throws: `CommandFailure.usage`.
  var gridAxes: [Int] {
    get throws {
      let schema = TaskSchema.standard
      var axes: [Int] = []
      for task in grid.tasks {
        guard let axis = schema.index(of: task), !axes.contains(axis) else {
          throw CommandFailure.usage(
            "search.grid.tasks: expected different ones of \(schema.names.joined(separator: ", ")); "
              + "found '\(task)'")
        }
        axes.append(axis)
      }
      guard !axes.isEmpty else {
        throw CommandFailure.usage("search.grid.tasks: expected at least one task, found none")
      }
      return axes
    }
  }
}
