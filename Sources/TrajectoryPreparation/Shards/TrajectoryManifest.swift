import DurableFiles
import Foundation
public import FusionMDP

/// `manifest.json` of a folder of trajectory shards: what the numbers mean and where they come
/// from.
///
/// Only `format` and `version` are needed to read a folder; the rest explains it.
public struct TrajectoryManifest: Sendable, Equatable, Codable {
  /// One file of the folder.
  public struct Shard: Sendable, Equatable, Codable {
    /// The file's name in the folder.
    public var file: String
    /// The transitions in it.
    public var transitions: Int
    /// The sessions in it.
    public var sessions: Int

    /// A file with so many transitions and sessions.
    public init(file: String, transitions: Int, sessions: Int) {
      self.file = file
      self.transitions = transitions
      self.sessions = sessions
    }
  }

  /// Which part of a log's sessions the folder holds.
  public struct Split: Sendable, Equatable, Codable {
    /// `train` or `test`.
    public var part: String
    /// The share of sessions that went to training.
    public var trainFraction: Double
    /// Test sessions began at this time or later, in milliseconds since 1970.
    public var timeMilliseconds: Int64?

    enum CodingKeys: String, CodingKey {
      case part
      case trainFraction = "train_fraction"
      case timeMilliseconds = "time_ms"
    }
  }

  /// The tables that `play_quantile` was computed by, fitted on the training part.
  public struct PlayQuantiles: Sendable, Equatable, Codable {
    /// One class of durations.
    public struct DurationClass: Sendable, Equatable, Codable {
      /// Where it begins, in seconds; nil: at zero.
      public var fromSeconds: Double?
      /// Where the next begins, in seconds; nil: nowhere.
      public var toSeconds: Double?
      /// Whether it is all items together, for unknown durations and classes with few items.
      public var isAll: Bool
      /// Training items in it.
      public var items: Int
      /// The different knots, in minutes of play, ascending.
      public var minutes: [Float]
      /// How many knots are up to each.
      public var knotsUpTo: [Int]

      enum CodingKeys: String, CodingKey {
        case items, minutes
        case fromSeconds = "from_seconds"
        case toSeconds = "to_seconds"
        case isAll = "all"
        case knotsUpTo = "knots_up_to"
      }
    }

    /// Knots of a class, m.
    public var knots: Int
    /// The classes with knots of their own.
    public var classes: [DurationClass]
  }

  /// The value of `format`.
  public static let formatName = "amalgam trajectories"
  /// The version that this code writes and reads.
  public static let currentVersion = 1
  /// The file's name.
  public static let fileName = "manifest.json"

  /// Always ``formatName``.
  public var format = TrajectoryManifest.formatName
  /// The version of the layout.
  public var version = TrajectoryManifest.currentVersion
  /// What each of the S numbers of a state is.
  public var stateNames: [String]?
  /// What the states were built by, fitted, where the log says it.
  public var stateDefinition: StateDefinition?
  /// What each of the A numbers of an action weighs.
  public var actionNames: [String]?
  /// What each of the V columns of `feedback` counts; needed where there is `feedback`.
  public var signals: [String]?
  /// The tables of `play_quantile`, where there is one.
  public var playQuantiles: PlayQuantiles?
  /// All transitions.
  public var transitions: Int?
  /// All sessions.
  public var sessions: Int?
  /// The files in the order of their sessions; nil: every safetensors file, by name.
  public var shards: [Shard]?
  /// The part of the log.
  public var split: Split?
  /// How the log was cut.
  public var preparation: PreparationConfiguration?
  /// When the log's collection ended, in milliseconds since 1970.
  public var windowEndMilliseconds: Int64?
  /// Where the data come from: names and content hashes.
  public var sources: [String: String]?
  /// How many events of the whole log there are, and how many of each irregularity.
  public var counts: [String: Int]?

  enum CodingKeys: String, CodingKey {
    case format, version, signals, transitions, sessions, shards, split, preparation, sources
    case counts
    case stateNames = "state"
    case stateDefinition = "state_definition"
    case actionNames = "action"
    case windowEndMilliseconds = "window_end_ms"
    case playQuantiles = "play_quantiles"
  }

  /// A manifest that says nothing yet.
  public init() {}

  /// Writes `manifest.json` into a folder.
  /// - Throws: `DurableFileError`.
  public func write(toFolder folder: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let text = String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
    try DurableFiles.write(text, to: folder + "/" + TrajectoryManifest.fileName)
  }

  /// Reads `manifest.json` of a folder.
  /// - Throws: `PreparationError.shards` naming the file and what is wrong with it.
  public init(readingFolder folder: String) throws {
    let path = folder + "/" + TrajectoryManifest.fileName
    guard DurableFiles.exists(path) else {
      throw PreparationError.shards(path: path, "not there: this is no folder of trajectories")
    }
    do {
      self = try JSONFile.read(TrajectoryManifest.self, from: path)
    } catch DurableFileError.malformed(let place, let reason) {
      throw PreparationError.shards(path: place, reason)
    }
    guard format == TrajectoryManifest.formatName else {
      throw PreparationError.shards(
        path: path, "format “\(TrajectoryManifest.formatName)” expected, found “\(format)”")
    }
    guard version == TrajectoryManifest.currentVersion else {
      throw PreparationError.shards(
        path: path,
        "layout version \(TrajectoryManifest.currentVersion) expected, found \(version)")
    }
    do {
      if let stateDefinition { try stateDefinition.check(builds: stateNames ?? []) }
    } catch {
      throw PreparationError.shards(path: path, "state_definition: \(error)")
    }
  }
}
