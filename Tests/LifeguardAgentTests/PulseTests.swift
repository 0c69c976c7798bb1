import LifeguardCore
import Testing

@testable import LifeguardAgent

@Suite struct PulseTests {
  private func moment(_ seconds: Double) -> Moment {
    Moment(
      wall: Timestamp(seconds: 1_700_000_000 + seconds), boottime: .seconds(seconds), bootID: "b")
  }

  @Test func `the first turn has 30 s, every other one ten intervals and at least 10 s`() {
    let pulse = Pulse(start: moment(0), interval: .seconds(1))
    #expect(pulse.isAlive(at: moment(29)) && !pulse.isAlive(at: moment(30)))
    #expect(pulse.lastTurn == nil)
    pulse.beat(at: moment(31))
    #expect(pulse.isAlive(at: moment(40)) && !pulse.isAlive(at: moment(41)))
    let slow = Pulse(start: moment(0), interval: .seconds(60))
    slow.beat(at: moment(60))
    #expect(slow.isAlive(at: moment(659)) && !slow.isAlive(at: moment(660)))
  }
}
