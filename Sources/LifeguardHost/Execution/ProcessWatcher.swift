import CLinux
import Glibc
import LifeguardCore
import Synchronization

/// Tells at once when a process has ended, children and others alike, without polling.
///
/// A pidfd becomes readable when its process ends (pidfd_open(2)); opening it and then comparing
/// the start time makes sure that it is the right process and not one that was given its number.
public final class ProcessWatcher: Sendable {
  /// A watch that can be given up.
  public struct Watch: Hashable, Sendable {
    let number: UInt64
  }

  private struct Entry {
    var identity: ProcessIdentity
    var pidfd: Int32
    var token: Reactor.Token?
    var onExit: @Sendable (ProcessExit) -> Void
  }

  private struct State {
    var entries: [UInt64: Entry] = [:]
    var nextNumber: UInt64 = 1
  }

  private let reactor: Reactor
  private let state = Mutex(State())

  public init(reactor: Reactor) {
    self.reactor = reactor
  }

  /// Calls `onExit` once, on the reactor's thread, when the process ends; a child is reaped.
  ///
  /// - Throws: ESRCH when the process is not there any more.
  public func watch(
    _ identity: ProcessIdentity, onExit: @escaping @Sendable (ProcessExit) -> Void
  ) throws(SystemCallError) -> Watch {
    let pidfd = clinux_pidfd_open(identity.pid)
    guard pidfd >= 0 else {
      throw SystemCallError(call: "pidfd_open", subject: "\(identity.pid)")
    }
    guard ProcessStatus.read(pid: identity.pid)?.identity == identity else {
      close(pidfd)
      throw SystemCallError(call: "pidfd_open", subject: "\(identity.pid)", code: ESRCH)
    }
    return try watch(identity, pidfd: pidfd, onExit: onExit)
  }

  /// The same for a pidfd that is known to be this process'; it is closed here.
  func watch(
    _ identity: ProcessIdentity, pidfd: Int32, onExit: @escaping @Sendable (ProcessExit) -> Void
  ) throws(SystemCallError) -> Watch {
    let number = state.withLock { state in
      let number = state.nextNumber
      state.nextNumber += 1
      state.entries[number] = Entry(identity: identity, pidfd: pidfd, onExit: onExit)
      return number
    }
    do throws(SystemCallError) {
      let token = try reactor.watch(pidfd, for: .readable) { [weak self] _ in self?.ended(number) }
      let isGone = state.withLock { state in
        state.entries[number]?.token = token
        return state.entries[number] == nil
      }
      if isGone { reactor.unwatch(token, of: -1) }
    } catch {
      _ = state.withLock { $0.entries.removeValue(forKey: number) }
      close(pidfd)
      throw error
    }
    return Watch(number: number)
  }

  /// The exit as a stream of one element, for code that awaits it.
  public func exits(of identity: ProcessIdentity) throws(SystemCallError) -> AsyncStream<
    ProcessExit
  > {
    let (stream, continuation) = AsyncStream.makeStream(
      of: ProcessExit.self, bufferingPolicy: .bufferingOldest(1))
    let watch = try watch(identity) { exit in
      continuation.yield(exit)
      continuation.finish()
    }
    continuation.onTermination = { [weak self] _ in self?.cancel(watch) }
    return stream
  }

  /// Stops watching; a child is then not reaped here.
  public func cancel(_ watch: Watch) {
    guard let entry = state.withLock({ $0.entries.removeValue(forKey: watch.number) }) else {
      return
    }
    if let token = entry.token { reactor.unwatch(token, of: entry.pidfd) }
    close(entry.pidfd)
  }

  private func ended(_ number: UInt64) {
    guard let entry = state.withLock({ $0.entries.removeValue(forKey: number) }) else { return }
    let now = BootClock.now()
    var code: Int32 = 0
    var status: Int32 = 0
    let reaped = clinux_reap(entry.pidfd, &code, &status)
    if let token = entry.token { reactor.unwatch(token, of: entry.pidfd) }
    close(entry.pidfd)
    let outcome: ProcessExit.Status =
      reaped != 1
      ? .unknown
      : code == 0 ? .exited(code: status) : .signaled(signal: status, coreDumped: code == 2)
    entry.onExit(ProcessExit(identity: entry.identity, status: outcome, noticedAt: now))
  }
}
