import Glibc
import LifeguardCore
import TestSupport
import Testing

@testable import LifeguardHost

@Suite(.enabled(if: Requirement.systemdBox.isMet, "\(Requirement.systemdBox.reason)"))
struct UnitControlTests {
  /// A box with its systemctl in the place of the host's.
  struct World: Sendable {
    let host: Processes
    let box: SystemdBox
    let reader: UnitReader

    init() async throws {
      host = try Processes(checksTrust: false)
      box = try await SystemdBox.up()
      let script = SourceTree.path("Tests/Scenarios/box/systemd-box.sh")
      reader = UnitReader(
        runner: host.runner,
        systemctl: ["/bin/bash", script, "sh", box.folder, "systemctl"])
      try await box.install(unit: "web.service", Self.web)
    }

    static let web = """
      [Service]
      ExecStart=/bin/sleep 1000
      ExecReload=/bin/touch /run/reloaded
      [Install]
      WantedBy=multi-user.target
      """

    func control(_ unit: String = "web.service") -> UnitControl {
      UnitControl(unit: unit, reader: reader)
    }

    func read() async throws -> UnitProperties {
      try #require(try await reader.read(["web.service"])["web.service"])
    }

    /// Without the process: pids inside the box are not those outside.
    func state(_ control: UnitControl) async throws -> ServiceState {
      var properties = try await read()
      properties.mainPID = 0
      return control.state(properties)
    }

    func down() async throws {
      try await box.down()
      host.end()
    }
  }

  @Test(.timeLimit(.minutes(3)))
  func `a unit is started, reloaded, killed, found dead and restarted by a real systemd`()
    async throws
  {
    let world = try await World()
    let control = world.control()
    let limit = Duration.seconds(20)
    #expect(await control.perform(.start, within: limit).succeeded)
    let first = try await world.read()
    #expect(first.activeState == "active")
    #expect(first.mainPID > 1)
    #expect(await control.perform(.reload, within: limit).succeeded)
    #expect(try await world.box.run(["test", "-e", "/run/reloaded"]).succeeded)

    try await world.box.require(["systemctl", "kill", "-s", "KILL", "web"])
    #expect(await eventually { try await world.read().activeState == "failed" })
    #expect(try await world.state(control) == .dead(reason: "result signal, status 9"))
    #expect(await control.perform(.restart, within: limit).succeeded)
    let second = try await world.read()
    #expect(second.mainPID > 1)
    #expect(second.invocationID != first.invocationID)

    try await world.box.require(["systemctl", "stop", "web"])
    #expect(
      try await world.state(control)
        == .deliberatelyStopped(reason: "the unit is disabled and not running"))
    try await world.box.require(["systemctl", "enable", "--now", "web"])
    try await world.box.require(["systemctl", "stop", "web"])
    #expect(
      try await world.state(control)
        == .deliberatelyStopped(reason: "stopped cleanly by somebody else"))
    #expect(await control.perform(.start, within: limit).succeeded)
    #expect(await control.perform(.stop, within: limit).succeeded)
    #expect(try await world.state(control) == .dead(reason: "stopped by lifeguard"))

    let missing = await world.control("no-such.service").state()
    #expect(missing == .unknown("there is no such unit"))
    let outcome = await world.control("no-such.service").perform(.start, within: limit)
    #expect(outcome.result == .failed)
    #expect(outcome.message.contains("no-such.service"))
    try await world.down()
  }

  @Test(.timeLimit(.minutes(3)))
  func `restarts in quick succession do not run into systemd's start limit`() async throws {
    let world = try await World()
    let control = world.control()
    for round in 1...12 {
      let outcome = await control.perform(.restart, within: .seconds(20))
      #expect(outcome.succeeded, "round \(round): \(outcome.message)")
    }
    #expect(try await world.read().activeState == "active")
    try await world.down()
  }

  @Test(.timeLimit(.minutes(3)))
  func `a unit that ignores its stop is killed, cleaned and started`() async throws {
    let world = try await World()
    try await world.box.install(
      unit: "web.service",
      """
      [Service]
      ExecStart=/bin/bash -c 'trap "" TERM; while :; do sleep 0.1; done'
      TimeoutStopSec=600
      """)
    let control = world.control()
    #expect(await control.perform(.start, within: .seconds(20)).succeeded)
    let first = try await world.read()
    let outcome = await control.perform(.stopCleanStart, within: .seconds(6))
    #expect(outcome.succeeded, "\(outcome.message)")
    #expect(outcome.message.contains("killed"))
    let second = try await world.read()
    #expect(second.activeState == "active")
    #expect(second.mainPID != first.mainPID)
    try await world.down()
  }

  @Test(.timeLimit(.minutes(3)))
  func `the example recovery script restarts a unit of a real systemd`() async throws {
    let world = try await World()
    try await world.box.copy(
      SourceTree.path("scripts/restart_service.sh"), to: "/opt/restart_service.sh")
    let script = "/opt/restart_service.sh"
    let said = try await world.box.require([script, "web"])
    #expect(said == "restart_service: web.service was restarted with systemd\n")
    let byVariable = try await world.box.require(["env", "LIFEGUARD_SERVICE=web", script])
    #expect(byVariable.contains("web.service was restarted"))
    let missing = try await world.box.run([script, "no-such"])
    #expect(missing.end == .exited(3))
    #expect(missing.standardError.contains("systemd has no unit no-such.service"))
    try await world.box.require(["ln", "-s", "/dev/null", "/etc/systemd/system/off.service"])
    try await world.box.require(["systemctl", "daemon-reload"])
    let masked = try await world.box.run([script, "off"])
    #expect(masked.end == .exited(1))
    #expect(masked.standardError.contains("off.service is masked"))
    try await world.down()
  }
}
