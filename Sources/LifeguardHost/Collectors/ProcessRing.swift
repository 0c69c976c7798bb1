import LifeguardCore

/// The process lists of the last minute, for evidence; in memory only, at most 60.
struct ProcessRing {
  static let span = Duration.seconds(60)
  static let countMax = 60

  private(set) var snapshots: [ProcessSnapshot] = []

  /// Adds the newest and drops what is older than a minute; the newest always stays.
  mutating func append(_ snapshot: ProcessSnapshot) {
    snapshots.removeAll { $0.boottime + Self.span < snapshot.boottime }
    if snapshots.count >= Self.countMax { snapshots.removeFirst() }
    snapshots.append(snapshot)
  }
}
