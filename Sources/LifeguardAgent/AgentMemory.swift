import LifeguardCore
import LifeguardStore

/// What the last agent left: its state, its messages, its children.
public struct AgentMemory {
  public var keeper: BufferedStateStore
  public var archive: StateArchive
  public var state: MonitorState
  public var children: [ChildRecord]
  public var report: StartReport
  public var post: DeliveryQueue

  /// Opens the state in a data directory.
  ///
  /// - Throws: `StoreError` when the directory cannot be used at all; a damaged state is set aside
  ///   and reported instead.
  public static func open(_ directory: DataDirectory, at now: Timestamp) throws -> AgentMemory {
    let store = try StateStore(in: directory, now: now) { bytes in
      _ = try JSONCoder.decode(MonitorState.self, from: bytes)
    }
    let restored = try store.restore()
    let keeper = BufferedStateStore(store)
    var post = DeliveryQueue()
    var change = StateChange()
    change.outbox = post.restore(restored.outbox, at: now)
    keeper.commit(change)
    let children = restored.children.map {
      ChildRecord(
        service: $0.service,
        identity: ProcessIdentity(pid: $0.process, startTicks: $0.startTicks))
    }
    return AgentMemory(
      keeper: keeper, archive: StateArchive(path: "\(directory.path)/state.db"),
      state: try restored.state.map { try JSONCoder.decode(MonitorState.self, from: $0) }
        ?? MonitorState(), children: children, report: report(store.outcome), post: post)
  }

  private static func report(_ outcome: OpenOutcome) -> StartReport {
    switch outcome {
    case .created, .opened: StartReport()
    case .startedEmpty(let reason): StartReport(stateWasLost: true, reason: reason)
    case .recoveredFromCorruption(let setAside, let reason):
      StartReport(stateWasLost: true, reason: "\(reason); the old file is \(setAside)")
    }
  }
}
