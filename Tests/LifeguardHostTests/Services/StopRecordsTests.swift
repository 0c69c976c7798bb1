import Glibc
import LifeguardCore
import TestSupport
import Testing

@testable import LifeguardHost

@Suite struct StopRecordsTests {
  private static let down = UnitProperties(
    [
      "LoadState=loaded", "ActiveState=inactive", "Result=success", "UnitFileState=enabled",
      "ActiveEnterTimestampMonotonic=5",
    ].map { Substring($0) })

  @Test func `a unit that a killed agent had stopped is no operator's wish for the next`()
    async throws
  {
    let host = try Processes()
    defer { host.end() }
    let stops = StopRecords(folder: host.folder)
    func control() -> UnitControl {
      UnitControl(
        unit: "web.service", reader: UnitReader(runner: host.runner, systemctl: ["true"]),
        stops: stops)
    }
    #expect(
      control().state(Self.down)
        == .deliberatelyStopped(reason: "stopped cleanly by somebody else"))
    #expect(await control().perform(.stop, within: .seconds(5)).succeeded)
    #expect(control().state(Self.down) == .dead(reason: "stopped by lifeguard"))
    // Started again, whoever stops it next means it.
    #expect(await control().perform(.start, within: .seconds(5)).succeeded)
    #expect(
      control().state(Self.down)
        == .deliberatelyStopped(reason: "stopped cleanly by somebody else"))
  }

  @Test func `a record of another boot says nothing`() throws {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    StopRecords(folder: folder.path, bootID: "a").note("web.service")
    #expect(StopRecords(folder: folder.path, bootID: "a").contains("web.service"))
    #expect(!StopRecords(folder: folder.path, bootID: "b").contains("web.service"))
    #expect(!StopRecords(folder: folder.path, bootID: "a").contains("db.service"))
  }
}
