import DurableFiles
import ExperimentReports
import Foundation
import FusionMDP
import PolicyArtifacts
import RewardFitting
import SessionLogs
import TrajectoryPreparation
import UserSimulator

extension CommandFailure {
  /// What an error of any module means for the person at the terminal.
  ///
  /// Input that is missing or not of its format is wrong usage; everything else is a failure.
  package init(_ error: any Error) {
    switch error {
    case let error as CommandFailure: self = error
    case let error as DurableFileError:
      self.init(kind: error.isAboutInput ? .usage : .failure, description: error.description)
    case let error as PolicyArtifactError:
      self.init(kind: error.isAboutInput ? .usage : .failure, description: error.description)
    case let error as FusionError: self = .usage(error.description)
    case let error as SessionLogError: self = .usage(error.description)
    case let error as ConversionError: self = .usage(error.description)
    case let error as StateDefinitionError: self = .usage("state definition: \(error.description)")
    case let error as StateReplayError: self = .usage(error.description)
    case let error as KuaiRandError: self = .usage(error.description)
    case let error as ResultsError: self = .usage(error.description)
    case let error as PlatformError: self = .usage(error.description)
    case let error as RewardFitError:
      self.init(kind: error.isAboutInput ? .usage : .failure, description: error.description)
    case let error as PreparationError:
      switch error {
      case .configuration, .shards: self = .usage(error.description)
      case .invalidLog, .noTransitions: self = .failure(error.description)
      }
    case let error as DecodingError: self = .usage(error.summary)
    case let error as CocoaError:
      let path = error.filePath.map { "\($0): " } ?? ""
      self = .failure(path + error.localizedDescription)
    default: self = .failure("\(error)")
    }
  }
}

extension DurableFileError {
  /// Whether a named file is missing or not of its format, and not the disk at fault.
  fileprivate var isAboutInput: Bool {
    switch self {
    case .system(_, _, let code): code == ENOENT || code == ENOTDIR || code == EISDIR
    case .malformed, .missingTensor, .unexpectedTensor: true
    }
  }
}

extension PolicyArtifactError {
  /// Whether what was named is missing or not of its format. What was written well and is damaged,
  /// and what the registry's history forbids, is none of the caller's spelling.
  fileprivate var isAboutInput: Bool {
    switch self {
    case .missingFile, .malformedManifest, .unknownFormat, .unknownFormatVersion, .invalidField,
      .invalidTensor, .unknownVersion, .invalidVersionName, .invalidState:
      true
    case .wrongSize, .wrongHash, .notStorable, .versionExists, .nothingReleased,
      .neverReleased, .noEarlierRelease, .malformedPointer, .malformedLedger, .invalidDecision:
      false
    }
  }
}
