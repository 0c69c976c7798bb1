import Glibc
import LifeguardCore
import Testing

@testable import LifeguardHost

@Suite(.enabled(if: Processes.isRoot, "needs root to give files to other users"))
struct ExecutableTrustTests {
  private func problem(_ arguments: [String]) -> TrustError? {
    do throws(TrustError) {
      _ = try ExecutableTrust().check(arguments)
      return nil
    } catch {
      return error
    }
  }

  @Test func `a program of the system and a script of root's may be run`() throws {
    let host = try Processes()
    defer { host.end() }
    #expect(try ExecutableTrust().check(["true"]).path.hasSuffix("/true"))
    let script = host.script("ok.sh", "true")
    #expect(
      try ExecutableTrust().check([script])
        == ExecutableTrust.Verdict(path: script, foreignOwner: nil))
  }

  @Test func `a script that others can change is refused by name and mode`() throws {
    let host = try Processes()
    defer { host.end() }
    let script = host.file("open.sh", "#!/bin/sh\n", mode: 0o777)
    #expect(problem([script]) == .writable(path: script, mode: 0o777))
    #expect(
      problem([script])?.description
        == "\(script) has mode 777 and can be changed by others; chmod go-w \(script)")
    #expect(problem(["bash", script, "argument"]) == .writable(path: script, mode: 0o777))
    #expect(problem(["bash", "-c", "true"]) == nil)
  }

  @Test func `a script is checked behind every option, prefix and relative path`() throws {
    let host = try Processes()
    defer { host.end() }
    let script = host.file("open.sh", "true\n", mode: 0o777)
    for words in [
      ["bash", "-e"], ["bash", "-m"], ["bash", "-o", "pipefail"], ["sh", "-eu"], ["python3", "-u"],
      ["env", "A=1", "bash"], ["timeout", "10"], ["nice", "-n", "5", "setsid", "bash", "-x"],
      ["perl", "-w"],
    ] where words[0] != "python3" || access("/usr/bin/python3", X_OK) == 0 {
      #expect(problem(words + [script]) == .writable(path: script, mode: 0o777), "\(words)")
    }
    let trust = ExecutableTrust()
    func relative(_ arguments: [String]) -> TrustError? {
      do throws(TrustError) {
        _ = try trust.check(arguments, directory: host.folder)
        return nil
      } catch {
        return error
      }
    }
    #expect(relative(["bash", "open.sh"]) == .writable(path: script, mode: 0o777))
    #expect(relative(["bash", "./open.sh"]) == .writable(path: script, mode: 0o777))
    chmod(script, 0o755)
    #expect(relative(["bash", "-e", "open.sh"]) == nil)
    #expect(problem(["env", "-S", "bash \(script)"]) != nil)
    // A shell finds it where programs are.
    #expect(relative(["bash", "true"]) == nil)
  }

  @Test func `a parent directory that others can write to is refused, a sticky one is not`()
    throws
  {
    let host = try Processes()
    defer { host.end() }
    mkdir("\(host.folder)/open", 0o777)
    let script = host.script("open/run.sh", "true")
    chmod("\(host.folder)/open", 0o777)
    #expect(problem([script]) == .writable(path: "\(host.folder)/open", mode: 0o777))
    chmod("\(host.folder)/open", 0o1777)
    #expect(problem([script]) == nil)
  }

  @Test func `an interpreter that others can change is refused`() throws {
    let host = try Processes()
    defer { host.end() }
    let interpreter = host.file("interpreter", "\u{7f}ELF", mode: 0o775)
    let script = host.file("run", "#!\(interpreter) -x\n")
    #expect(problem([script]) == .writable(path: interpreter, mode: 0o775))
    let missing = host.file("env-run", "#!/usr/bin/env no-such-interpreter\n")
    #expect(
      problem([missing])
        == .notFound("no-such-interpreter", searchPath: CommandEnvironment.searchPath))
  }

  @Test func `a symbolic link is followed and the place it leads to is checked`() throws {
    let host = try Processes()
    defer { host.end() }
    mkdir("\(host.folder)/open", 0o777)
    let script = host.script("open/run.sh", "true")
    chmod("\(host.folder)/open", 0o777)
    symlink("open/../open/run.sh", "\(host.folder)/link.sh")
    #expect(
      problem(["\(host.folder)/link.sh"]) == .writable(path: "\(host.folder)/open", mode: 0o777))
    chmod("\(host.folder)/open", 0o755)
    #expect(problem(["\(host.folder)/link.sh"]) == nil)
    symlink("loop", "\(host.folder)/loop")
    #expect(problem(["\(host.folder)/loop"]) == .unreadable("\(host.folder)/loop", code: ELOOP))
    _ = script
  }

  @Test func `what cannot be run is named: a directory, a file without permission, a wrong path`()
    throws
  {
    let host = try Processes()
    defer { host.end() }
    #expect(problem([host.folder]) == .notAFile(host.folder))
    let plain = host.file("plain.sh", "#!/bin/sh\n", mode: 0o644)
    #expect(problem([plain]) == .notExecutable(plain))
    #expect(problem(["./plain.sh"]) == .relativePath("./plain.sh"))
    #expect(problem([]) == .emptyCommand)
  }

  @Test func `a script of another user runs as that user and as nobody else`() async throws {
    let host = try Processes()
    defer { host.end() }
    let account = try #require(UserAccount.find("daemon"))
    let script = host.script("theirs.sh", "id -un")
    chown(script, account.userID, account.groupID)
    let result = await host.runner.run(Command(arguments: [script]))
    #expect(result.out == "daemon\n")
    let other = await host.runner.run(Command(arguments: [script], user: "bin"))
    #expect(
      other.ending
        == .couldNotStart(
          reason:
            "\(script) is owned by uid \(account.userID) and runs only as that user, not as bin"))
  }

  @Test func `a configuration file must be the agent's own or root's`() throws {
    let host = try Processes()
    defer { host.end() }
    let file = host.file("lifeguard.yaml", "mode: auto\n", mode: 0o644)
    try ExecutableTrust().checkReadable(file)
    chown(file, 1, 1)
    #expect(throws: TrustError.owner(path: file, owner: 1)) {
      try ExecutableTrust().checkReadable(file)
    }
  }
}
