/// What Zhang et al., KDD 2022 (arXiv 2208.04560), table 1, report: to stand beside what is found.
enum PaperResults {
  /// A row of table 1.
  struct Row {
    /// V̂ of the Conservative-OPEstimator, satisfaction a session.
    var offline: Double?
    /// Lifts over Bayesian optimization, as fractions.
    var adTime: Double?
    var upiRate: Double?

    init(_ offline: Double?, adTime: Double?, upiRate: Double?) {
      self.offline = offline
      self.adTime = adTime
      self.upiRate = upiRate
    }
  }

  /// The rows by method.
  static let rows: [Reproduction.Method: Row] = [
    .staticWeights: Row(nil, adTime: 0, upiRate: 0),
    .evolutionStrategy: Row(nil, adTime: 0.00376, upiRate: 0.00402),
    .td3: Row(-648.162, adTime: nil, upiRate: nil),
    .uwacTD3: Row(-297.053, adTime: -0.00513, upiRate: 0.16061),
    .cqlSAC: Row(5.194, adTime: 0.02322, upiRate: 0.10258),
    .batchRLMTF: Row(4.126, adTime: 0.02216, upiRate: 0.09118),
    .randomOnly: Row(3.023, adTime: 0.00862, upiRate: -0.01282),
    .emphasizingTime: Row(nil, adTime: 0.02254, upiRate: 0.08877),
    .emphasizingIntegrity: Row(nil, adTime: 0.01996, upiRate: 0.09464),
    .emphasizingInteraction: Row(nil, adTime: 0.02550, upiRate: 0.09651),
  ]
}
