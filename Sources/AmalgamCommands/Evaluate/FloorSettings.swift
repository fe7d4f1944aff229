import OffPolicyEvaluation

/// What an estimate must have behind it, under the key `floors` of a configuration; see
/// `EvidenceFloors`.
struct FloorSettings: Codable, Equatable {
  var leastUsers = EvidenceFloors().leastUsers
  var leastSessions = EvidenceFloors().leastSessions
  var leastEffectiveSampleSize = EvidenceFloors().leastEffectiveSampleSize
  var largestWeightShare = EvidenceFloors().largestWeightShare
  var largestRemovedShare = EvidenceFloors().largestRemovedShare
  var largestMeanWeightZ = EvidenceFloors().largestMeanWeightZ
  var largestMeanWeightDeviation = EvidenceFloors().largestMeanWeightDeviation
  var largestActionDistance = EvidenceFloors().largestActionDistance
  var leastActionSpread = EvidenceFloors().leastActionSpread
  var largestTruncatedShare = EvidenceFloors().largestTruncatedShare
  var requiresConvergence = EvidenceFloors().requiresConvergence

  init() {}

  /// The floors.
  var floors: EvidenceFloors {
    var floors = EvidenceFloors()
    floors.leastUsers = leastUsers
    floors.leastSessions = leastSessions
    floors.leastEffectiveSampleSize = leastEffectiveSampleSize
    floors.largestWeightShare = largestWeightShare
    floors.largestRemovedShare = largestRemovedShare
    floors.largestMeanWeightZ = largestMeanWeightZ
    floors.largestMeanWeightDeviation = largestMeanWeightDeviation
    floors.largestActionDistance = largestActionDistance
    floors.leastActionSpread = leastActionSpread
    floors.largestTruncatedShare = largestTruncatedShare
    floors.requiresConvergence = requiresConvergence
    return floors
  }
}
