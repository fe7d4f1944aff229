import FusionMDP
import Testing
import UserSimulator

/// One made-up platform, fitted once and shared by the suites.
enum Fixture {
  static let platform: SimulatedPlatform = {
    do {
      let data = try PlatformData.synthetic(users: 256, videos: 400, seed: 7)
      return try SimulatedPlatform.fitted(data: data, seed: 11, threads: 2)
    } catch {
      fatalError("\(error)")
    }
  }()
  static let state = platform.warmedState(days: 1, seed: 3, threads: 2)
}
