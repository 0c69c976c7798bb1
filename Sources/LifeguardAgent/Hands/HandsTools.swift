import LifeguardCore
import LifeguardHost

/// The host's instruments that hands work with, made once.
public struct HandsTools: Sendable {
  public let reactor: Reactor
  public let threads: BlockingThreads
  public let runner: CommandRunner
  public let launcher: Launcher
  public let watcher: ProcessWatcher
  public let units: UnitReader
  public let evidence: EvidenceCollector

  public init() throws {
    reactor = try Reactor()
    threads = try BlockingThreads()
    launcher = Launcher()
    runner = CommandRunner(reactor: reactor, threads: threads, launcher: launcher)
    watcher = ProcessWatcher(reactor: reactor)
    units = UnitReader(runner: runner)
    // Threads of its own: a look at a stuck mount keeps one, and actions must not wait for it.
    evidence = EvidenceCollector(
      runner: runner, threads: try BlockingThreads(threadsMax: 8, jobsMax: 64))
  }
}
