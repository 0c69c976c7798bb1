/// Everything that one decision changes in `state.db`; committed whole or not at all.
public struct StateChange: Sendable {
  /// The serialised `Monitor`, nil when it did not change; at most `StateStore.stateBytesMax`.
  public var state: [UInt8]?
  public var incidents: [IncidentSummary] = []
  public var timeline: [TimelineRecord] = []
  public var outbox: [OutboxChange] = []
  public var children: [ChildChange] = []

  public init(state: [UInt8]? = nil) { self.state = state }

  public var isEmpty: Bool {
    state == nil && incidents.isEmpty && timeline.isEmpty && outbox.isEmpty && children.isEmpty
  }
}

/// A supervised child that is to be adopted again after a restart of the agent.
public struct SupervisedChild: Hashable, Sendable {
  public var service: String
  public var process: Int32
  /// `starttime` of proc_pid_stat(5) in clock ticks: with it, a reused process id is told apart.
  public var startTicks: UInt64
  public var logPath: String

  public init(service: String, process: Int32, startTicks: UInt64, logPath: String) {
    self.service = service
    self.process = process
    self.startTicks = startTicks
    self.logPath = logPath
  }
}

/// What happens to the list of supervised children in one transaction.
public enum ChildChange: Hashable, Sendable {
  case put(SupervisedChild)
  case remove(service: String)

  var service: String {
    switch self {
    case .put(let child): child.service
    case .remove(let service): service
    }
  }
}
