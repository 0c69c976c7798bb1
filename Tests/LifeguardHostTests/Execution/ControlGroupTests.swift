import Glibc
import LifeguardCore
import Testing

@testable import LifeguardHost

@Suite(.enabled(if: ControlGroups.find() != nil, "needs a writable control group hierarchy"))
struct ControlGroupTests {
  private func freezer() -> ControlGroups? {
    let text = SmallFile.textIfReadable("/proc/self/mountinfo") ?? ""
    let old = text.split(separator: "\n").filter { !$0.contains(" - cgroup2 ") }
    return ControlGroups.find(
      mountinfo: old.joined(separator: "\n"),
      membership: SmallFile.textIfReadable("/proc/self/cgroup") ?? "")
  }

  @Test func `a group that was killed once is made anew before it is used again`() async throws {
    let host = try Processes()
    defer { host.end() }
    let groups = try #require(host.launcher.groups)
    let name = "lifeguard.test.\(getpid()).again"
    let first = try #require(groups.group(named: name))
    first.kill()
    let again = try #require(groups.group(named: name))
    #expect(!again.mayCloneInto)
    #expect(again.remove())
    let fresh = try #require(groups.group(named: name))
    #expect(fresh.mayCloneInto == groups.clonesInto)
    #expect(fresh.remove())
  }

  @Test func `with version 1 only, the freezer is preferred and nothing survives`() async throws {
    guard let groups = freezer() else { return }
    #expect(groups.version == .v1(freezer: true))
    let host = try Processes(groups: groups)
    defer { host.end() }
    let script = host.script("tree.sh", CommandRunnerTests.treeOfChildren)
    var options = CommandRunner.Options()
    options.grace = .milliseconds(100)
    let result = await host.runner.run(
      Command(arguments: [script, host.folder], timeout: .seconds(1)), options: options)
    #expect(result.ending == .timedOut)
    #expect(result.survivors == 0)
    for pid in host.pids(in: "pids") { #expect(!host.isAlive(pid)) }
  }

  @Test func `a hierarchy is found below the agent's own group`() throws {
    let mounts = """
      25 20 0:22 / /sys/fs/cgroup ro,nosuid - tmpfs tmpfs ro
      26 25 0:23 / /sys/fs/cgroup/unified rw,nosuid - cgroup2 cgroup2 rw
      garbage
      """
    // Nothing can be made below a path that does not exist.
    #expect(ControlGroups.find(mountinfo: mounts, membership: "0::/no/such/group\n") == nil)
    #expect(ControlGroups.find(mountinfo: "", membership: "0::/\n") == nil)
  }

  @Test func `a fork bomb inside a group does not escape its end`() async throws {
    let host = try Processes()
    defer { host.end() }
    let body =
      "spawn() { for i in 1 2 3; do sleep 300 & done; }; while :; do spawn; sleep 0.01; done"
    let script = host.script("bomb.sh", "trap '' TERM\necho $$ > \(host.folder)/pid\n\(body)")
    var options = CommandRunner.Options()
    options.grace = .milliseconds(100)
    let result = await host.runner.run(
      Command(arguments: [script], timeout: .milliseconds(400)), options: options)
    #expect(result.ending == .timedOut)
    #expect(result.survivors == 0)
  }
}
