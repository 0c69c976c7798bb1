import LifeguardCore

extension ProcessIdentity {
  /// The process that has this pid now; nil when there is none, or only its zombie.
  public static func current(pid: Int32) -> ProcessIdentity? {
    guard let status = ProcessStatus.read(pid: pid), status.state != .zombie else { return nil }
    return status.identity
  }
}
