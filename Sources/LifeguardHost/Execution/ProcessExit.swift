import LifeguardCore

/// The end of a watched process.
public struct ProcessExit: Hashable, Sendable {
  public enum Status: Hashable, Sendable {
    case exited(code: Int32)
    case signaled(signal: Int32, coreDumped: Bool)
    /// Only a parent learns how a process ended.
    case unknown
  }

  public var identity: ProcessIdentity
  public var status: Status
  /// CLOCK_BOOTTIME when it was noticed.
  public var noticedAt: Duration

  public init(identity: ProcessIdentity, status: Status, noticedAt: Duration) {
    self.identity = identity
    self.status = status
    self.noticedAt = noticedAt
  }

  /// In words: `exit status 1`, `killed by signal 9`.
  public var summary: String {
    switch status {
    case .exited(let code): "exit status \(code)"
    case .signaled(let signal, let dumped):
      "killed by signal \(signal)" + (dumped ? ", core dumped" : "")
    case .unknown: "ended"
    }
  }
}
