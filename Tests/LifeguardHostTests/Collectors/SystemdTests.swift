import LifeguardCore
import LifeguardHost
import TestSupport
import Testing

/// Beside a real systemd in a box.
@Suite(.serialized) struct SystemdTests {
  private static let requirement = Requirement.all(.root, .systemdBox)

  @Test func `a host without systemd has nothing to collect, which is not a fault`() throws {
    let folder = try TemporaryFolder()
    let collected = Collecting("systemd", root: FileSystemRoot(folder.path))
    #expect(collected.failures["systemd"]?.isAbsence == true)
  }

  @Test(.enabled(if: requirement.isMet, "\(requirement.reason)"))
  func `units have their states and types, and a failed unit is told`() async throws {
    let box = try await SystemdBox.up()
    try await box.write(
      "[Service]\nType=oneshot\nExecStart=/bin/false\n",
      to: "/etc/systemd/system/doomed.service")
    try await box.write(
      "[Service]\nExecStart=/bin/sleep 600\n", to: "/etc/systemd/system/sleeper.service")
    try await box.require(["systemctl", "daemon-reload"])
    try await box.require(["systemctl", "start", "sleeper.service"])
    _ = try await box.run(["systemctl", "start", "doomed.service"])
    let pid = try TextFile.read(box.folder + "/pid").split { $0 == "\n" || $0 == " " }.first
    let root = FileSystemRoot("/proc/\(try #require(pid))/root")
    let collected = Collecting("systemd", root: root)
    #expect(collected.failures == [:])
    func state(_ unit: String, _ state: String, _ type: String) -> Double? {
      collected.value("node_systemd_unit_state", ["name": unit, "state": state, "type": type])
    }
    #expect(state("doomed.service", "failed", "oneshot") == 1.0)
    #expect(state("doomed.service", "active", "oneshot") == 0.0)
    #expect(state("sleeper.service", "active", "simple") == 1.0)
    #expect((collected.value("node_systemd_units", ["state": "active"]) ?? 0) > 5)
    #expect(collected.value("node_systemd_system_running") == 0.0, "a failed unit degrades it")
    #expect(collected.series.contains { $0.family.name == "node_systemd_version" })
  }
}
