import Glibc
import LifeguardCore
import TestSupport
import Testing

@testable import LifeguardHost

/// The example recovery script, with init tools of its own on the path.
@Suite struct RestartScriptTests {
  private func run(
    _ host: Processes, _ arguments: [String], _ variables: [String: String] = [:]
  ) async -> CommandResult {
    var environment = variables
    environment["PATH"] = "\(host.folder)/bin:/usr/bin:/bin"
    environment["INIT_SCRIPTS"] = "\(host.folder)/init.d"
    environment["SYSTEMD_RUNNING"] = environment["SYSTEMD_RUNNING"] ?? "/no/such/folder"
    let command = Command(
      arguments: ["/bin/sh", SourceTree.path("scripts/restart_service.sh")] + arguments,
      environment: environment, timeout: .seconds(30))
    return await host.runner.run(command)
  }

  private func host() throws -> Processes {
    let host = try Processes(checksTrust: false)
    mkdir("\(host.folder)/bin", 0o755)
    mkdir("\(host.folder)/init.d", 0o755)
    return host
  }

  @Test func `an init script is restarted, and the script says so`() async throws {
    let host = try host()
    defer { host.end() }
    _ = host.script("init.d/web", "echo \"$1\" >> \(host.folder)/calls")
    for variables in [["SERVICE_NAME": "web"], ["LIFEGUARD_SERVICE": "web"]] {
      let result = await run(host, [], variables)
      #expect(result.succeeded, "\(result.standardError.text)")
      #expect(
        result.out
          == "restart_service: web was restarted with \(host.folder)/init.d/web\n")
    }
    #expect(
      SmallFile.textIfReadable("\(host.folder)/calls") == "restart\nstatus\nrestart\nstatus\n")
  }

  @Test func `a failed restart is followed by a stop and a start`() async throws {
    let host = try host()
    defer { host.end() }
    _ = host.script(
      "init.d/web", "echo \"$1\" >> \(host.folder)/calls; [ \"$1\" != restart ]")
    let result = await run(host, ["web"])
    #expect(result.succeeded)
    #expect(result.out.contains("web was stopped and started"))
    #expect(
      SmallFile.textIfReadable("\(host.folder)/calls") == "restart\nstop\nstart\nstatus\n")
  }

  @Test func `a service that does not come up is reported with a reason`() async throws {
    let host = try host()
    defer { host.end() }
    _ = host.script("init.d/down", "[ \"$1\" != status ] || exit 3")
    let down = await run(host, ["down"])
    #expect(down.ending == .exited(code: 1))
    #expect(
      down.standardError.text
        == "restart_service: down was restarted and is not running\n")
    _ = host.script("init.d/broken", "exit 1")
    let broken = await run(host, ["broken"])
    #expect(broken.ending == .exited(code: 1))
    #expect(broken.lastLine?.contains("could not be started") == true)
  }

  @Test func `OpenRC is used where it is`() async throws {
    let host = try host()
    defer { host.end() }
    _ = host.script("bin/rc-service", "echo \"$*\" >> \(host.folder)/calls")
    _ = host.script("init.d/web", "exit 1")
    let result = await run(host, ["web"])
    #expect(result.out == "restart_service: web was restarted with OpenRC\n")
    #expect(SmallFile.textIfReadable("\(host.folder)/calls") == "web restart\nweb status\n")
    #expect(await run(host, ["other"]).ending == .exited(code: 3))
  }

  @Test func `systemd's start limit is reset before the restart`() async throws {
    let host = try host()
    defer { host.end() }
    _ = host.script(
      "bin/systemctl", "echo \"$*\" >> \(host.folder)/calls; [ \"$1\" = show ] && echo loaded")
    let result = await run(host, ["web"], ["SYSTEMD_RUNNING": host.folder])
    #expect(result.ending == .exited(code: 1))
    #expect(
      SmallFile.textIfReadable("\(host.folder)/calls")?.hasPrefix(
        """
        show -p LoadState --value -- web.service
        reset-failed -- web.service
        restart -- web.service
        """) == true)
  }

  @Test(arguments: ["", "-rf", "../etc", "a b", "a;reboot", "$(reboot)", ".hidden", "a/b"])
  func `a name that is no service name is refused before anything is called`(
    name: String
  ) async throws {
    let host = try host()
    defer { host.end() }
    let result = await run(host, [name])
    #expect(result.ending == .exited(code: 2))
    #expect(!result.standardError.isEmpty)
  }

  @Test(.enabled(if: Requirement.program("shellcheck").isMet, "needs shellcheck"))
  func `the script passes shellcheck`() async throws {
    let host = try host()
    defer { host.end() }
    let result = await host.runner.run(
      Command(arguments: ["shellcheck", SourceTree.path("scripts/restart_service.sh")]))
    #expect(result.succeeded, "\(result.out)")
  }
}
