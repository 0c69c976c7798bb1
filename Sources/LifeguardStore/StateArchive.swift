import LifeguardCore

/// Reads incidents and timelines beside the `StateStore`, for pages and commands.
///
/// A connection and a thread of its own: readers in WAL mode neither wait for the writer nor make
/// it wait.
public actor StateArchive {
  private let thread = DedicatedThread()
  private let path: String
  private var connection: Database?

  public nonisolated var unownedExecutor: UnownedSerialExecutor {
    thread.asUnownedSerialExecutor()
  }

  /// Opens `state.db` at the first question.
  public init(path: String) { self.path = path }

  /// The newest incidents, those opened before `before` when it is given.
  public func incidents(
    limit: Int, before: Timestamp? = nil
  ) throws(StoreError) -> [IncidentSummary] {
    try StateQueries.incidents(try database(), limit: limit, before: before)
  }

  /// What happened in an incident, in order.
  public func timeline(incident: String) throws(StoreError) -> [TimelineRecord] {
    try StateQueries.timeline(try database(), incident: incident)
  }

  private func database() throws(StoreError) -> Database {
    if let connection { return connection }
    let opened = try Database(path: path, readOnly: true)
    connection = opened
    return opened
  }
}
