import LifeguardCore
import Synchronization

/// What is shared between the collectors of processes and those who ask about them.
public final class ProcessWatch: Sendable {
  private struct State {
    var ring = ProcessRing()
    var groups: [ProcessGroup] = []
    var members: [GroupMember] = []
    var generation: UInt64 = 0
    var isScanWanted = false
  }

  private let state = Mutex(State())
  private let everySecond = Atomic<Bool>(false)

  public init() {}

  /// Whether the list of processes is taken every second instead of every ten.
  ///
  /// Set while an alert is pending or firing, so that the evidence has the processes of that time.
  public var isPending: Bool {
    get { everySecond.load(ordering: .relaxed) }
    set { everySecond.store(newValue, ordering: .relaxed) }
  }

  /// The newest list, `nil` before the first.
  public var latest: ProcessSnapshot? { state.withLock { $0.ring.snapshots.last } }

  /// The lists of the last minute, oldest first.
  public var recent: [ProcessSnapshot] { state.withLock { $0.ring.snapshots } }

  /// The groups to watch; their members are looked for at the next tick.
  public var groups: [ProcessGroup] {
    get { state.withLock { $0.groups } }
    set {
      state.withLock { state in
        guard state.groups != newValue else { return }
        state.groups = newValue
        state.generation += 1
        state.isScanWanted = true
      }
    }
  }

  /// The processes that belong to a group, as of the last list.
  public var members: [GroupMember] { state.withLock { $0.members } }

  /// Whether the next tick should take a list although its time has not come.
  var isUrgent: Bool { isPending || state.withLock { $0.isScanWanted } }

  /// The groups, taken by the list that is about to be made.
  func beginScan() -> [ProcessGroup] {
    state.withLock { state in
      state.isScanWanted = false
      return state.groups
    }
  }

  func finishScan(_ snapshot: ProcessSnapshot, members: [GroupMember]) {
    state.withLock { state in
      state.ring.append(snapshot)
      if state.members != members {
        state.members = members
        state.generation += 1
      }
    }
  }

  /// The members with their groups when they have changed since `generation`.
  func changes(
    since generation: UInt64?
  ) -> (generation: UInt64, groups: [String], members: [GroupMember])? {
    state.withLock { state in
      guard generation != state.generation else { return nil }
      return (state.generation, state.groups.map(\.name), state.members)
    }
  }
}
