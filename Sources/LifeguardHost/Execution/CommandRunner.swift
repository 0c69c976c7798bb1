import CLinux
import Glibc
import LifeguardCore
import Synchronization

/// Runs commands to their end: argument vectors, bounded in time and output, ended as a whole.
///
/// ```
/// run ─▶ thread: trust, user, group, clone, exec ─▶ reactor: output, exit, timeout ─▶ result
/// ```
///
/// A command gets a session, process group and control group of its own, standard input from
/// memory, a clean environment, no descriptor of the agent's, default signal handling, umask 022
/// and no core dumps. At its timeout, and when the calling task is cancelled, everything it has
/// started gets SIGTERM and after the grace SIGKILL, children in sessions of their own included.
/// What a command leaves running when it ends by itself, such as the daemon that an init script
/// has started, is left alone.
public final class CommandRunner: Sendable {
  public struct Options: Hashable, Sendable {
    /// What the command reads; empty reads as the end of the file at once.
    public var standardInput: [UInt8] = []
    /// Beside the command's own variables, which win.
    public var environment: [String: String] = [:]
    /// Between SIGTERM and SIGKILL.
    public var grace: Duration = .seconds(5)
    /// Kept of each stream's beginning, and again of its end.
    public var outputLimit = 32 * 1024
    /// Where the run is written down while it lasts; nil leaves no record of it.
    public var recordFolder: String?
    /// What it acts on, for the record.
    public var subject = ""

    public init() {}
  }

  let reactor: Reactor
  private let threads: BlockingThreads
  let launcher: Launcher
  let bootID = SystemClock().bootID
  private let counter = Mutex(0)
  /// Tells this runner's groups from those of another in the same process and of earlier agents.
  private let name = "\(getpid()).\(String(UInt32.random(in: .min ... .max), radix: 16))"
  static let groupPrefix = "lifeguard.run."

  public init(reactor: Reactor, threads: BlockingThreads, launcher: Launcher) {
    self.reactor = reactor
    self.threads = threads
    self.launcher = launcher
    sweep()
  }

  /// Runs a command; never throws, the result says what happened.
  public func run(_ command: Command, options: Options = Options()) async -> CommandResult {
    let attempt = Attempt()
    let startedAt = BootClock.now()
    let timer = reactor.after(command.timeout) {
      // Only of use while the program is being started; afterwards the command has its own.
      attempt.abandon(
        CommandResult(
          ending: .couldNotStart(reason: "it was not started in time; is it on a stuck mount?"),
          duration: BootClock.now() - startedAt))
    }
    let accepted = threads.submit {
      do throws(LaunchError) {
        let running = try self.launch(command, options, result: attempt.result, at: startedAt)
        self.reactor.cancel(timer)
        running.begin(timeout: max(command.timeout - (BootClock.now() - startedAt), .zero))
        attempt.started(running)
      } catch {
        attempt.abandon(CommandResult(ending: .couldNotStart(reason: error.description)))
      }
    }
    if !accepted {
      attempt.abandon(
        CommandResult(ending: .couldNotStart(reason: LaunchError.tooBusy.description)))
    }
    defer { reactor.cancel(timer) }
    return await withTaskCancellationHandler {
      await attempt.result.value
    } onCancel: {
      attempt.cancel()
    }
  }

  /// Removes the groups of ended agents' commands when what was left in them has ended too.
  ///
  /// Groups of a living process are its own affair: one may be about to be used.
  private func sweep() {
    for group in launcher.groups?.groups(prefix: Self.groupPrefix) ?? [] {
      let name = group.path.split(separator: "/").last?.dropFirst(Self.groupPrefix.count) ?? ""
      guard let pid = Int32(name.prefix { $0 != "." }), kill(pid, 0) != 0, errno == ESRCH else {
        continue
      }
      group.remove()
    }
  }

  /// Looks after a group that a command has left a daemon in, until that has ended.
  func removeLater(_ containment: Containment) {
    reactor.after(.seconds(10)) { [weak self] in
      guard let self, !containment.remove() else { return }
      self.removeLater(containment)
    }
  }

  private func launch(
    _ command: Command, _ options: Options, result: OneShot<CommandResult>, at startedAt: Duration
  ) throws(LaunchError) -> RunningCommand {
    let marker = nextMarker()
    var variables = options.environment
    if launcher.groups == nil { variables[DescendantSearch.markerName] = marker }
    let prepared = try launcher.prepare(command, environment: variables)
    do {
      let input = try openInput(options.standardInput)
      defer { close(input) }
      let output = try OutputPipe(reactor: reactor, keeping: options.outputLimit)
      let error = try OutputPipe(reactor: reactor, keeping: options.outputLimit)
      let group = launcher.groups?.group(named: Self.groupPrefix + marker)
      var record = options.recordFolder.map {
        RunRecord(
          folder: $0, marker: marker, subject: options.subject, leader: nil,
          deadline: startedAt + command.timeout, bootID: bootID)
      }
      record?.write()
      do throws(LaunchError) {
        let process = try launcher.start(
          prepared, input: input, output: output.writingEnd, error: error.writingEnd, group: group)
        record?.leader = process.identity
        record?.write()
        return RunningCommand(
          process: process,
          containment: Containment(leader: process.identity, group: group, marker: marker),
          output: output, error: error, grace: options.grace, runner: self, startedAt: startedAt,
          result: result, record: record)
      } catch {
        group?.remove()
        record?.remove()
        throw error
      }
    } catch let error as LaunchError {
      throw error
    } catch let error as SystemCallError {
      throw .failed(error, doing: "pipes")
    } catch {
      throw .tooBusy
    }
  }

  /// A file in memory rather than a pipe: the command reads it when it likes, or never, and nobody
  /// has to keep writing.
  private func openInput(_ bytes: [UInt8]) throws(SystemCallError) -> Int32 {
    guard !bytes.isEmpty else {
      let null = open("/dev/null", O_RDONLY | O_CLOEXEC)
      guard null >= 0 else { throw SystemCallError(call: "open", subject: "/dev/null") }
      return null
    }
    let file = clinux_memory_file("standard-input")
    guard file >= 0 else { throw SystemCallError(call: "memfd_create") }
    var written = 0
    while written < bytes.count {
      let count = bytes[written...].withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
      guard count > 0 else {
        let error = SystemCallError(call: "write", subject: "standard input")
        close(file)
        throw error
      }
      written += count
    }
    lseek(file, 0, SEEK_SET)
    return file
  }

  private func nextMarker() -> String {
    let number = counter.withLock { counter in
      counter += 1
      return counter
    }
    return "\(name).\(number)"
  }

  /// A walk through `/proc` may hang and belongs on a thread; a control group answers at once.
  func onThread(for containment: Containment, _ job: @escaping @Sendable () -> Void) {
    if containment.group != nil { return job() }
    if !threads.submit(job) {
      reactor.after(.milliseconds(50)) { self.onThread(for: containment, job) }
    }
  }

  func forget(_ process: Launcher.Started) { close(process.pidfd) }

  /// Takes the exit status of a process that outlived SIGKILL when it ends at last.
  func reapLater(_ process: Launcher.Started) {
    reactor.after(.seconds(1)) {
      var code: Int32 = 0
      var status: Int32 = 0
      if clinux_reap(process.pidfd, &code, &status) == 0 { return self.reapLater(process) }
      self.forget(process)
    }
  }

  /// A run before and after there is a process.
  private final class Attempt: Sendable {
    private enum Phase {
      case starting
      case running(RunningCommand)
      case abandoned
    }

    let result = OneShot<CommandResult>()
    private let phase = Mutex(Phase.starting)

    func started(_ running: RunningCommand) {
      let isWanted = phase.withLock { phase in
        if case .abandoned = phase { return false }
        phase = .running(running)
        return true
      }
      if !isWanted { running.end(because: .cancelled) }
    }

    /// Gives up while nothing runs yet; a process that appears later is ended at once.
    func abandon(_ outcome: CommandResult) {
      let isStarting = phase.withLock { phase in
        guard case .starting = phase else { return false }
        phase = .abandoned
        return true
      }
      if isStarting { result.finish(outcome) }
    }

    func cancel() {
      let running: RunningCommand? = phase.withLock { phase in
        if case .running(let running) = phase { return running }
        return nil
      }
      if let running {
        running.end(because: .cancelled)
      } else {
        abandon(CommandResult(ending: .cancelled))
      }
    }
  }
}
