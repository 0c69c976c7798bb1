import Glibc
import LifeguardCore
import Testing

@testable import LifeguardHost

@Suite struct ServiceActivityTests {
  @Test(arguments: [
    ("0::/system.slice/nginx.service", "/system.slice/nginx.service"),
    ("9:cpu:/x\n0::/system.slice/docker.service/main", "/system.slice/docker.service"),
    (
      "0::/system.slice/lifeguard.service/lifeguard.child.ab.web",
      "/system.slice/lifeguard.service/lifeguard.child.ab.web"
    ),
    ("0::/lifeguard.run.7.a.1/deeper", "/lifeguard.run.7.a.1"),
    ("0::/user.slice/user@1.service/x.service", "/user.slice/user@1.service/x.service"),
  ])
  func `the control group of one service is told from those that many share`(
    _ membership: String, _ group: String
  ) {
    #expect(ServiceActivity.ownGroup(membership) == group)
  }

  @Test(arguments: [
    "0::/", "0::/user.slice/user-1.slice/session-3.scope", "0::/system.slice/lifeguard.service",
    "0::/user.slice/user@1.service/session.slice", "3:cpu:/system.slice/nginx.service", "",
  ])
  func `a group that several things share says nothing about one of them`(_ membership: String) {
    #expect(ServiceActivity.ownGroup(membership) == nil)
  }

  /// A master that sleeps while a worker of its works, in a control group of its own or in none.
  @Test(arguments: [true, false])
  func `a worker's work counts as its master's`(_ grouped: Bool) async throws {
    let host = try Processes(groups: grouped ? .find() : nil)
    defer { host.end() }
    if grouped { try #require(host.launcher.groups != nil) }
    let world = Supervision(host)
    let busy = try await world.supervisor.start(
      "busy", Command(arguments: ["bash", "-c", "(while :; do :; done) & wait"]))
    let idle = try await world.supervisor.start("idle", Command(arguments: ["sleep", "300"]))
    let worked = await host.eventually(within: .seconds(30)) {
      (ServiceActivity.cpuTime(of: busy) ?? .zero) > .milliseconds(300)
    }
    #expect(worked, "\(String(describing: ServiceActivity.cpuTime(of: busy)))")
    #expect((ProcessStatus.read(pid: busy.pid)?.cpuTicks ?? 99) < 30, "the master itself is idle")
    #expect(try #require(ServiceActivity.cpuTime(of: idle)) < .milliseconds(100))
    await world.supervisor.stop("busy")
    await world.supervisor.stop("idle")
    #expect(ServiceActivity.cpuTime(of: busy) == nil)
  }

  @Test func `the time of a worker that has ended stays with its master`() async throws {
    let host = try Processes(groups: nil)
    defer { host.end() }
    let world = Supervision(host)
    let work = "bash -c 'for i in {1..200000}; do :; done'; touch \(host.folder)/done; read"
    let child = try await world.supervisor.start(
      "web", Command(arguments: ["bash", "-c", "\(work) < <(sleep 300)"]))
    let isDone = await host.eventually(within: .seconds(30)) {
      access("\(host.folder)/done", F_OK) == 0
    }
    #expect(isDone)
    #expect(try #require(ServiceActivity.cpuTime(of: child)) > .milliseconds(50))
    await world.supervisor.stop("web")
  }
}
