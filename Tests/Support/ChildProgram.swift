import Glibc
import Synchronization

/// How a program ended.
public enum ProgramEnd: Sendable, Equatable, CustomStringConvertible {
  case exited(Int32)
  case signaled(Int32)

  public var description: String {
    switch self {
    case .exited(let code): "exited with status \(code)"
    case .signaled(let signal): "was ended by signal \(signal)"
    }
  }
}

/// What a program that has ended left behind.
public struct ProgramResult: Sendable, CustomStringConvertible {
  public let end: ProgramEnd
  public let standardOutput: String
  public let standardError: String

  /// Ended by itself with status 0.
  public var succeeded: Bool { end == .exited(0) }

  public var description: String {
    "\(end)\n--- standard output\n\(standardOutput)\n--- standard error\n\(standardError)"
  }
}

/// A program was still running when its time was up; it has been ended.
public struct ProgramTimeout: Error, CustomStringConvertible, Sendable {
  public let argv: [String]
  public let limit: Duration
  public let result: ProgramResult

  public var description: String {
    "\(argv.joined(separator: " ")): still running after \(limit)\n\(result)"
  }
}

/// A real program started by a test: its own process group, its output in files, and never left
/// behind: released, it is killed with its group, and only ever by the ids that this value started.
///
/// ```swift
/// let server = try ChildProgram(["/usr/sbin/nginx", "-c", configuration])
/// defer { server.end() }
/// ```
public final class ChildProgram: Sendable {
  public let argv: [String]
  /// Also the id of the process group.
  public let pid: Int32
  private let outputs: TemporaryFolder
  private let state = Mutex(State())

  private struct State {
    var end: ProgramEnd?
    var isReaped = false
  }

  /// Starts a program; a name without a slash is looked for in the test runner's PATH.
  ///
  /// - Parameters:
  ///   - environment: added to the test runner's own, or its replacement when `inherits` is false.
  ///   - input: standard input as text; without it, /dev/null.
  public init(
    _ argv: [String], environment: [String: String] = [:], inherits: Bool = true,
    workingDirectory: String? = nil, input: String? = nil
  ) throws {
    self.argv = argv
    outputs = try TemporaryFolder()
    var inputPath = "/dev/null"
    if let input {
      inputPath = outputs / "in"
      try TextFile.write(input, to: inputPath)
    }
    pid = try Spawn.start(
      argv, environment: Self.merge(environment, inherits: inherits),
      workingDirectory: workingDirectory, input: inputPath,
      output: outputs / "out", error: outputs / "err")
  }

  deinit { kill() }

  /// Runs a program to its end. When the limit passes first, it is killed and the call throws.
  public static func run(
    _ argv: [String], environment: [String: String] = [:], inherits: Bool = true,
    workingDirectory: String? = nil, input: String? = nil, timeout: Duration = .seconds(30)
  ) async throws -> ProgramResult {
    let program = try ChildProgram(
      argv, environment: environment, inherits: inherits,
      workingDirectory: workingDirectory, input: input)
    if let end = await program.waitForEnd(within: timeout) {
      program.kill()
      return program.result(end)
    }
    program.kill()
    throw ProgramTimeout(
      argv: argv, limit: timeout, result: program.result(.signaled(SIGKILL)))
  }

  /// How it ended, or nil while it runs.
  ///
  /// It stays a zombie until `kill()`, so that its id, which is its group's too, cannot pass to a
  /// stranger in between.
  public var hasEnded: ProgramEnd? {
    state.withLock { state in
      if state.end != nil { return state.end }
      var information = siginfo_t()
      let flags = WEXITED | WNOHANG | WNOWAIT
      guard waitid(P_PID, id_t(pid), &information, flags) == 0, information.si_signo == SIGCHLD
      else { return nil }
      let status = information._sifields._sigchld.si_status
      state.end = information.si_code == endedByItself ? .exited(status) : .signaled(status)
      return state.end
    }
  }

  public var isRunning: Bool { hasEnded == nil }

  /// What it has written so far.
  public var standardOutput: String { text("out") }
  public var standardError: String { text("err") }

  /// Waits for its end, at most this long.
  public func waitForEnd(within limit: Duration) async -> ProgramEnd? {
    _ = await eventually(within: limit, every: .milliseconds(2)) { self.hasEnded != nil }
    return hasEnded
  }

  /// Waits for its end on the calling thread: for places that cannot suspend.
  public func waitForEndBlocking(seconds: Int) -> ProgramEnd? {
    for _ in 0..<(seconds * 200) {
      if let end = hasEnded { return end }
      usleep(5000)
    }
    return hasEnded
  }

  /// Sends a signal to the program alone; does nothing once it has ended.
  public func signal(_ number: Int32) {
    guard isRunning else { return }
    Glibc.kill(pid, number)
  }

  /// Asks it to end (SIGTERM) and kills its process group after `grace`.
  @discardableResult
  public func terminate(grace: Duration = .seconds(5)) async -> ProgramEnd? {
    signal(SIGTERM)
    let end = await waitForEnd(within: grace)
    kill()
    return end ?? hasEnded
  }

  /// Kills its process group, with whatever it left behind there, and collects it; a second call
  /// does nothing.
  public func kill() {
    guard !state.withLock({ $0.isReaped }) else { return }
    Glibc.kill(-pid, SIGKILL)
    for _ in 0..<5000 where isRunning { usleep(1000) }
    state.withLock { state in
      guard state.end != nil, !state.isReaped else { return }
      state.isReaped = waitpid(pid, nil, WNOHANG) == pid
    }
  }

  private func result(_ end: ProgramEnd) -> ProgramResult {
    ProgramResult(end: end, standardOutput: standardOutput, standardError: standardError)
  }

  private func text(_ name: String) -> String {
    // try?: the file exists from the start; a test that reads it later sees what is missing.
    (try? TextFile.read(outputs / name)) ?? ""
  }

  private static func merge(_ added: [String: String], inherits: Bool) -> [String] {
    var all: [String: String] = [:]
    var next = inherits ? environ : nil
    while let entry = next?.pointee {
      let text = String(cString: entry)
      if let equals = text.firstIndex(of: "=") {
        all[String(text[..<equals])] = String(text[text.index(after: equals)...])
      }
      next = next?.advanced(by: 1)
    }
    all.merge(added) { _, new in new }
    return all.map { "\($0.key)=\($0.value)" }.sorted()
  }
}

/// `CLD_EXITED` (sigaction(2)).
private let endedByItself: Int32 = 1
