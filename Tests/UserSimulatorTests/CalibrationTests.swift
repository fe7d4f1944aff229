import Testing
import UserSimulator

@Suite struct CalibrationTests {
  @Test("under the reference policy the platform is like the log, number by number")
  func likeTheLog() {
    let check = Fixture.platform.check(users: 256, days: 3, seed: 101, threads: 2)
    for line in check.lines { print(line) }
    print(Fixture.platform.fit)
    #expect(check.failures.isEmpty)
  }
}
