import Glibc

/// A real systemd, process 1 of namespaces of its own on a throw-away copy of the root file
/// system: units can be started, broken and stopped there without touching the host.
///
/// Wraps `Tests/Scenarios/box/systemd-box.sh`. `down()` removes everything; released without it,
/// the box is taken down too.
public final class SystemdBox: Sendable {
  /// A folder on the host that holds the box; its file system is `root` below it.
  public let folder: String
  private let script: String

  /// Boots a box: about 2 s on a quiet machine.
  ///
  /// - Parameter limit: how long booting may take before the attempt is cleaned up and thrown.
  public static func up(within limit: Duration = .seconds(60)) async throws -> SystemdBox {
    let script = scriptPath
    let seconds = max(limit.components.seconds, 1)
    let result = try await ChildProgram.run(
      ["bash", script, "up"], environment: ["SYSTEMD_BOX_BOOT_SECONDS": "\(seconds)"],
      timeout: limit + .seconds(20))
    guard result.succeeded else { throw SystemdBoxError.failed("up", result) }
    let folder = result.standardOutput.split(separator: "\n").last.map(String.init) ?? ""
    return SystemdBox(folder: folder, script: script)
  }

  private init(folder: String, script: String) {
    self.folder = folder
    self.script = script
  }

  deinit {
    guard TextFile.exists(folder) else { return }
    // try?: a box that cannot be started to be taken down is reported by the next `up`.
    _ = try? ChildProgram(["bash", script, "down", folder]).waitForEndBlocking(seconds: 20)
  }

  /// Runs a program inside, to its end.
  @discardableResult
  public func run(
    _ argv: [String], input: String? = nil, timeout: Duration = .seconds(30)
  ) async throws -> ProgramResult {
    try await ChildProgram.run(
      ["bash", script, "sh", folder] + argv, input: input, timeout: timeout)
  }

  /// Runs a program inside and throws unless it ends with status 0; returns its output.
  @discardableResult
  public func require(
    _ argv: [String], input: String? = nil, timeout: Duration = .seconds(30)
  ) async throws -> String {
    let result = try await run(argv, input: input, timeout: timeout)
    guard result.succeeded else {
      throw SystemdBoxError.failed(argv.joined(separator: " "), result)
    }
    return result.standardOutput
  }

  /// Starts a program inside that keeps running; end it with `terminate()`.
  public func start(_ argv: [String]) throws -> ChildProgram {
    try ChildProgram(["bash", script, "sh", folder] + argv)
  }

  /// Copies a file or a folder of the host into the box.
  public func copy(_ source: String, to target: String) async throws {
    let result = try await ChildProgram.run(
      ["bash", script, "copy", folder, source, target], timeout: .seconds(60))
    guard result.succeeded else { throw SystemdBoxError.failed("copy \(source)", result) }
  }

  /// Writes a file inside, owned by root.
  public func write(_ text: String, to path: String, mode: String = "0644") async throws {
    try await require(
      ["install", "-D", "-m", mode, "-o", "root", "-g", "root", "/dev/stdin", path], input: text)
  }

  /// The text of a file inside.
  public func read(_ path: String) async throws -> String {
    try await require(["cat", path])
  }

  /// Writes a unit file and has systemd read it.
  public func install(unit name: String, _ text: String) async throws {
    try await write(text, to: "/etc/systemd/system/\(name)")
    try await require(["systemctl", "daemon-reload"])
  }

  /// Puts the command and its unit into the box, without starting it.
  public func installLifeguard(_ binary: String, configuration: String) async throws {
    let result = try await ChildProgram.run(
      ["bash", script, "install", folder, binary], timeout: .seconds(60))
    guard result.succeeded else { throw SystemdBoxError.failed("install \(binary)", result) }
    try await write(configuration, to: "/etc/lifeguard/lifeguard.yaml")
  }

  /// Takes the box down: its processes, mounts, control groups and files.
  public func down() async throws {
    let result = try await ChildProgram.run(
      ["bash", script, "down", folder], timeout: .seconds(30))
    guard result.succeeded else { throw SystemdBoxError.failed("down", result) }
  }

  /// Why a box cannot run here, or nil when it can; asked once in a run of the tests.
  public static let unavailableReason: String? = {
    // try?: a script that cannot even be started is a reason too, and is given below.
    guard let program = try? ChildProgram(["bash", scriptPath, "check"]) else {
      return "needs a systemd box: bash cannot be started"
    }
    guard let end = program.waitForEndBlocking(seconds: 20) else {
      return "needs a systemd box: its check did not end within 20 s"
    }
    if end == .exited(0) { return nil }
    let said = program.standardOutput.split(separator: "\n").last.map(String.init)
    return said ?? "needs a systemd box: its check \(end)"
  }()

  private static var scriptPath: String {
    SourceTree.path("Tests/Scenarios/box/systemd-box.sh")
  }
}

/// A step of a box that failed, with what it printed.
public enum SystemdBoxError: Error, CustomStringConvertible {
  case failed(String, ProgramResult)

  public var description: String {
    switch self {
    case .failed(let step, let result): "systemd box: \(step): \(result)"
    }
  }
}
