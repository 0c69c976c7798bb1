import Glibc
import LifeguardConfiguration
import LifeguardCore
import LifeguardHost
import Synchronization

/// The small root process: keeps the unprivileged one running, and acts for it.
///
/// ```
/// lifeguard run (root) ─ spawn ─▶ lifeguard run --act-descriptor 3   collects, decides, tells
///        ▲                                   │
///        └── socket pair: orders by name ◀───┘
/// ```
///
/// It parses nothing but its own configuration and the frames of the socket pair.
public final class ActProcess: Sendable {
  /// What reached the process from outside.
  public enum Signal: Sendable {
    case stop
    case reload
  }

  private let hands: LocalHands
  private let load: @Sendable () -> (LoadedConfiguration, RecordedFiles)
  private let executable: String
  private let arguments: [String]
  private let threads: BlockingThreads
  private let current = Mutex<(server: ActServer, pid: pid_t)?>(nil)
  private let isStopping = Mutex(false)

  /// The descriptor at which the other process finds its side.
  public static let descriptor: Int32 = 3

  /// - Parameters:
  ///   - load: reads the configuration and records what it saw.
  ///   - executable: this program.
  ///   - arguments: of the unprivileged process, the program's name first.
  public init(
    hands: LocalHands, threads: BlockingThreads, executable: String, arguments: [String],
    load: @escaping @Sendable () -> (LoadedConfiguration, RecordedFiles)
  ) {
    self.hands = hands
    self.threads = threads
    self.executable = executable
    self.arguments = arguments
    self.load = load
  }

  /// Runs until it is told to stop, or until the other process ends by itself; its exit status.
  ///
  /// One that is killed or crashes is started again: at once, then with a growing pause.
  public func run(_ signals: AsyncStream<Signal>) async throws -> Int32 {
    try await withThrowingTaskGroup(of: Int32?.self) { group in
      group.addTask {
        for await signal in signals { self.take(signal) }
        return nil
      }
      group.addTask { try await self.keepRunning() }
      group.addTask { try await self.endWhatHangs() }
      for try await status in group {
        guard let status else { continue }
        group.cancelAll()
        return status
      }
      return 0
    }
  }

  private func keepRunning() async throws -> Int32 {
    var pause: Duration = .zero
    while true {
      let began = ContinuousClock().now
      let status = try await serveOnce()
      if isStopping.withLock({ $0 }) { return 0 }
      let lasted = ContinuousClock().now - began
      // It ended by its own decision: a bad configuration, a port in use.
      if let code = status, code >= 0 { return code }
      pause = lasted > .seconds(60) ? .zero : min(max(pause * 2, .milliseconds(100)), .seconds(30))
      try await Task.sleep(for: pause)
    }
  }

  /// Starts the other process and serves it until it ends; its exit code, nil when it was killed.
  private func serveOnce() async throws -> Int32? {
    var pair: [Int32] = [-1, -1]
    let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    guard socketpair(AF_UNIX, type, 0, &pair) == 0 else {
      throw SystemCallError(call: "socketpair")
    }
    let server = ActServer(descriptor: pair[0], hands: hands, load: load)
    let otherSide = pair[1]
    async let serving: Void = server.run()
    // It ends with the thread that started it (PR_SET_PDEATHSIG, prctl(2)): the one that waits.
    let ended = await threads.run { () -> Result<Int32, SystemCallError> in
      defer { close(otherSide) }
      return self.runToEnd(otherSide, server)
    }
    server.stop()
    try await serving
    current.withLock { $0 = nil }
    guard let status = try ended?.get() else { return nil }
    return status & 0x7f == 0 ? (status >> 8) & 0xff : nil
  }

  private func runToEnd(_ side: Int32, _ server: ActServer) -> Result<Int32, SystemCallError> {
    let pid: pid_t
    do throws(SystemCallError) { pid = try spawn(side) } catch { return .failure(error) }
    current.withLock { $0 = (server, pid) }
    return .success(ActProcess.wait(for: pid))
  }

  private func spawn(_ descriptor: Int32) throws(SystemCallError) -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, descriptor, ActProcess.descriptor)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    var pid: pid_t = 0
    var argv: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
    defer { for argument in argv { free(argument) } }
    // The environment is handed on: secrets of the configuration may be in it.
    let failure = posix_spawn(&pid, executable, &actions, &attributes, &argv, environ)
    guard failure == 0 else {
      throw SystemCallError(call: "posix_spawn", subject: executable, code: failure)
    }
    return pid
  }

  private static func wait(for pid: pid_t) -> Int32 {
    var status: Int32 = 0
    while waitpid(pid, &status, 0) < 0, errno == EINTR {}
    return status
  }

  /// Kills the other process when it makes no progress, so that it is started again.
  ///
  /// Looks are counted and not seconds: a host that was suspended has missed one look only.
  private func endWhatHangs() async throws -> Int32? {
    var last: (pid: pid_t, count: Int) = (0, 0)
    var silent = 0
    var looks = 0
    while true {
      try await Task.sleep(for: ActProcess.lookInterval)
      looks += 1
      // A minute after the start, and again each hour.
      if looks % 900 == 15 { ResidentCode.giveBack() }
      guard let (server, pid) = current.withLock({ $0 }) else { continue }
      let count = server.lifeCount
      silent = last == (pid, count) ? silent + 1 : 0
      last = (pid, count)
      let limit = count == 0 ? ActProcess.silentLooksAtStart : ActProcess.silentLooksMax
      if silent >= limit {
        silent = 0
        kill(pid, SIGKILL)
      }
    }
  }

  /// The agent says every two seconds that it evaluates; a turn takes milliseconds.
  private static let lookInterval: Duration = .seconds(4)
  /// 20 s: less than the 30 s after which systemd ends the whole unit.
  private static let silentLooksMax = 5
  /// 3 minutes: a large state may have to be set aside first.
  private static let silentLooksAtStart = 45

  private func take(_ signal: Signal) {
    guard let (server, pid) = current.withLock({ $0 }) else { return }
    switch signal {
    case .reload: server.wantReload()
    case .stop:
      isStopping.withLock { $0 = true }
      kill(pid, SIGTERM)
    }
  }
}
