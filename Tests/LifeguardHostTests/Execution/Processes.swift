import Glibc
import LifeguardCore

@testable import LifeguardHost

/// What tests of processes share: a reactor, a runner, a folder of their own, all removed at the
/// end.
struct Processes: Sendable {
  let reactor: Reactor
  let threads: BlockingThreads
  let launcher: Launcher
  let runner: CommandRunner
  let watcher: ProcessWatcher
  /// Below `/run` or `/var/tmp`, trusted like a real installation; owned by the tests' user.
  let folder: String

  static var isRoot: Bool { geteuid() == 0 }

  init(groups: ControlGroups? = .find(), checksTrust: Bool = true) throws {
    reactor = try Reactor()
    threads = try BlockingThreads()
    launcher = Launcher(groups: groups, checksTrust: checksTrust)
    runner = CommandRunner(reactor: reactor, threads: threads, launcher: launcher)
    watcher = ProcessWatcher(reactor: reactor)
    var template = Array("/tmp/lifeguard-test.XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw SystemCallError(call: "mkdtemp") }
    folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    chmod(folder, 0o755)
  }

  func end() {
    reactor.stop()
    threads.stop()
    remove(folder)
  }

  private func remove(_ path: String) {
    for name in SmallFile.names(in: path) {
      let child = "\(path)/\(name)"
      var status = stat()
      lstat(child, &status)
      if status.st_mode & S_IFMT == S_IFDIR { remove(child) } else { unlink(child) }
    }
    rmdir(path)
  }

  /// Writes a file with a mode, whatever the umask.
  @discardableResult
  func file(_ name: String, _ text: String, mode: UInt32 = 0o755) -> String {
    let path = name.hasPrefix("/") ? name : "\(folder)/\(name)"
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    let bytes = Array(text.utf8)
    write(descriptor, bytes, bytes.count)
    fchmod(descriptor, mode)
    close(descriptor)
    return path
  }

  func script(_ name: String, _ body: String) -> String { file(name, "#!/bin/bash\n\(body)\n") }

  func shell(
    _ text: String, timeout: Duration = .seconds(20), user: String? = nil,
    grace: Duration = .milliseconds(200), input: [UInt8] = [], environment: [String: String] = [:]
  ) async -> CommandResult {
    var options = CommandRunner.Options()
    options.grace = grace
    options.standardInput = input
    let command = Command(
      arguments: ["bash", "-c", text], user: user, environment: environment, timeout: timeout)
    return await runner.run(command, options: options)
  }

  /// Polls until a condition holds; false after the deadline.
  func eventually(
    within limit: Duration = .seconds(10), _ condition: @Sendable () -> Bool
  ) async -> Bool {
    let deadline = BootClock.now() + limit
    while !condition() {
      if BootClock.now() > deadline { return false }
      await reactor.sleep(for: .milliseconds(5))
    }
    return true
  }

  /// The pids that scripts have written to a file, one a line.
  func pids(in name: String) -> [Int32] {
    (SmallFile.textIfReadable("\(folder)/\(name)") ?? "").split(separator: "\n")
      .compactMap { Int32($0) }
  }

  func isAlive(_ pid: Int32) -> Bool { ProcessIdentity.current(pid: pid) != nil }
}

extension CommandResult {
  var out: String { standardOutput.text }
}
