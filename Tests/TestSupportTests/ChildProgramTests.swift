import Glibc
import TestSupport
import Testing

@Suite struct ChildProgramTests {
  @Test func `a program's output, input and status come back`() async throws {
    let result = try await ChildProgram.run(
      ["sh", "-c", "cat; echo problem >&2; exit 7"], input: "hello")
    #expect(result.end == .exited(7))
    #expect(result.standardOutput == "hello")
    #expect(result.standardError == "problem\n")
  }

  @Test func `a program that runs too long is ended and reported`() async throws {
    await #expect(throws: ProgramTimeout.self) {
      try await ChildProgram.run(
        ["sh", "-c", "echo begun; sleep 60"], timeout: .milliseconds(200))
    }
  }

  @Test func `what a program leaves in its group ends with it`() async throws {
    let program = try ChildProgram(["sh", "-c", "sleep 60 & echo $!; wait"])
    #expect(await eventually { program.standardOutput.hasSuffix("\n") })
    let text = program.standardOutput.split(separator: "\n").first.map(String.init)
    let background = try #require(text.flatMap { Int32($0) })
    program.kill()
    #expect(program.hasEnded == .signaled(SIGKILL))
    #expect(await eventually { kill(background, 0) != 0 || isZombie(background) })
  }

  @Test func `a program sees only the descriptors that it is given`() async throws {
    let extra = open("/dev/null", O_RDONLY)
    defer { close(extra) }
    let result = try await ChildProgram.run(["sh", "-c", "ls /proc/self/fd | tr '\\n' ' '"])
    // ls itself holds the folder that it lists.
    #expect(result.standardOutput == "0 1 2 3 ")
  }

  @Test func `a temporary folder disappears with everything in it`() throws {
    let folder = try TemporaryFolder()
    try folder.makeFolder("a/b/c")
    try TextFile.write("x", to: folder / "a/b/c/file", mode: 0o400)
    symlink("/etc/passwd", folder / "a/link")
    folder.remove()
    #expect(!TextFile.exists(folder.path))
    #expect(TextFile.exists("/etc/passwd"))
  }

  @Test func `waiting ends with the condition or with the deadline`() async {
    var asked = 0
    #expect(
      await eventually(within: .seconds(5)) {
        asked += 1
        return asked == 3
      })
    #expect(await !eventually(within: .milliseconds(50)) { false })
  }

  @Test func `a free port can be bound and answers once something listens`() async throws {
    let port = try FreePort.tcp()
    #expect(!FreePort.answers(port))
    let server = try ChildProgram(
      ["python3", "-m", "http.server", "--bind", "127.0.0.1", "\(port)"],
      workingDirectory: SourceTree.path("Tests/Support"))
    defer { server.kill() }
    #expect(await eventually { FreePort.answers(port) })
    let answer = try HTTPExchange.send("GET", "/FreePort.swift", port: port)
    #expect(answer.status == 200)
    #expect(answer.body.contains("enum FreePort"))
  }

  private func isZombie(_ pid: Int32) -> Bool {
    // try?: a process that is gone has no such file, and is no zombie.
    guard let text = try? TextFile.read("/proc/\(pid)/stat") else { return true }
    return text.split(separator: ")").last?.hasPrefix(" Z") ?? false
  }
}
