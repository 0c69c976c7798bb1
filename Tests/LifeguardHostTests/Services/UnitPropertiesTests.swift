import Testing

@testable import LifeguardHost

@Suite struct UnitPropertiesTests {
  private func state(_ text: String, askedToStop: Bool = false) -> ServiceState {
    UnitProperties(text.split(separator: " ")).state(askedToStop: askedToStop)
  }

  @Test func `an operator's stop is no fault, Lifeguard's own stop is`() {
    let stopped =
      "LoadState=loaded ActiveState=inactive SubState=dead Result=success "
      + "UnitFileState=enabled ActiveEnterTimestampMonotonic=5"
    #expect(state(stopped) == .deliberatelyStopped(reason: "stopped cleanly by somebody else"))
    #expect(state(stopped, askedToStop: true) == .dead(reason: "stopped by lifeguard"))
  }

  @Test func `disabled and masked units are not ours, a failed one is dead`() {
    #expect(
      state("LoadState=masked ActiveState=inactive UnitFileState=masked")
        == .deliberatelyStopped(reason: "the unit is masked"))
    #expect(
      state("LoadState=loaded ActiveState=inactive Result=success UnitFileState=disabled")
        == .deliberatelyStopped(reason: "the unit is disabled and not running"))
    #expect(
      state("LoadState=loaded ActiveState=failed Result=signal ExecMainStatus=9")
        == .dead(reason: "result signal, status 9"))
    #expect(
      state("LoadState=loaded ActiveState=inactive Result=success UnitFileState=enabled")
        == .deliberatelyStopped(reason: "not running, and nothing has failed"))
  }

  @Test func `a unit on its way is left to systemd`() {
    #expect(
      state("LoadState=loaded ActiveState=activating SubState=auto-restart")
        == .activating("auto-restart"))
    #expect(
      state("LoadState=loaded ActiveState=failed Result=signal Job=431")
        == .activating("a job is queued"))
    #expect(state("LoadState=loaded ActiveState=active SubState=exited") == .running(nil))
  }

  @Test func `what systemd does not know is unknown, not dead`() {
    #expect(
      state("LoadState=not-found ActiveState=inactive") == .unknown("there is no such unit"))
    #expect(
      state("LoadState=bad-setting ActiveState=inactive")
        == .unknown("the unit file cannot be loaded: bad-setting"))
    #expect(state("") != .dead(reason: ""))
    if case .unknown = state("LoadState=loaded") {
    } else {
      Issue.record("silence is not an answer")
    }
  }

  @Test func `the answers for many units are told apart`() {
    let blocks = UnitReader.blocks("Id=a\nMainPID=7\n\nId=b\nMainPID=0\n")
    #expect(blocks.map { UnitProperties($0).mainPID } == [7, 0])
  }
}
