import FusionMDP
import UserSimulator

/// One made-up platform, fitted once and shared by the suites.
enum Fixture {
  static let platform: SimulatedPlatform = {
    do {
      let data = try PlatformData.synthetic(users: 256, videos: 400, seed: 7)
      var configuration = PlatformConfiguration()
      configuration.cohortSize = 128
      return try SimulatedPlatform.fitted(
        data: data, configuration: configuration, seed: 11, threads: 2)
    } catch {
      fatalError("\(error)")
    }
  }()
}

/// A small made-up platform with constants near the fitted ones, for tests of how it works.
enum Small {
  static func fit() -> PlatformFit {
    var fit = PlatformFit.start(types: 5)
    fit.userDeviations = [Double](repeating: 0.5, count: 11)
    fit.videoDeviations = [Double](repeating: 0.5, count: 11)
    fit.arrivalShares = PlatformAnchors.kuaiRand.hourShares
    fit.satisfactionMeans = [0, -0.1, 0, -0.2, 0.05]
    return fit
  }

  static func platform(_ assumptions: Assumptions = Assumptions()) throws -> SimulatedPlatform {
    var configuration = PlatformConfiguration()
    configuration.cohortSize = 16
    return try SimulatedPlatform(
      data: PlatformData.synthetic(users: 60, videos: 200, seed: 2), configuration: configuration,
      assumptions: assumptions, fit: fit(), seed: 3)
  }

  /// The action of these weights, zero for the others.
  static func action(_ weights: [String: Float]) -> [Float] {
    let bounds = FusionWeightBounds.standard(for: .standard)
    return bounds.normalized(TaskSchema.standard.names.map { weights[$0] ?? 0 })
  }

  static func requests(
    _ platform: SimulatedPlatform, policy: (any FusionPolicy)? = nil, seed: UInt64, days: Int = 1,
    threads: Int = 1
  ) -> (run: PlatformRun, requests: [ServedRequest]) {
    var requests: [ServedRequest] = []
    let run = platform.run(
      policy: policy ?? platform.configuration.referencePolicy, from: platform.initialState(),
      days: days, seed: seed, threads: threads
    ) { requests.append($0) }
    return (run, requests)
  }
}
