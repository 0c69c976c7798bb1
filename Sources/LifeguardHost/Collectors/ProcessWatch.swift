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
    var looks: [Int32: CloseLook] = [:]
    var askForLooks: (@Sendable ([ProcessIdentity]) -> Void)?
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

  func finishScan(_ scan: ProcessTable.Scan) {
    let ask = state.withLock { state in
      state.ring.append(scan.snapshot)
      if state.members != scan.members {
        state.members = scan.members
        state.generation += 1
      }
      return state.askForLooks
    }
    if !scan.unread.isEmpty { ask?(scan.unread) }
  }

  /// Who takes close looks for a side that may not: it is asked after each list, and what it
  /// answers is in the next one.
  public func askForLooks(_ ask: @escaping @Sendable ([ProcessIdentity]) -> Void) {
    state.withLock { $0.askForLooks = ask }
  }

  /// Takes looks over, in the place of all earlier ones.
  public func note(looks: [CloseLook]) {
    let byProcess = looks.map { ($0.process.pid, $0) }
    state.withLock { $0.looks = Dictionary(byProcess, uniquingKeysWith: { first, _ in first }) }
  }

  /// By process id.
  var looks: [Int32: CloseLook] { state.withLock { $0.looks } }

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
