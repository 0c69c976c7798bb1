import Glibc
import LifeguardCore

/// How `state.db` was found.
public enum OpenOutcome: Hashable, Sendable {
  /// The first start on this data directory.
  case created
  /// As it was left.
  case opened
  /// There was a state once and it is gone: count budgets as spent and only observe.
  case startedEmpty(reason: String)
  /// The file was damaged; it lies at `setAside`, and an empty one took its place. Count budgets
  /// as spent and only observe.
  case recoveredFromCorruption(setAside: String, reason: String)
}

/// What `state.db` holds at a start.
public struct RestoredState: Sendable {
  /// The serialised `Monitor`, nil when there is none yet.
  public var state: [UInt8]?
  public var outbox: [OutboxMessage]
  public var children: [SupervisedChild]
}

/// The durable state: what must outlive `kill -9` of the agent and a crash of the machine.
///
/// SQLite in WAL mode with synchronous=FULL: when `commit` returns, the change is on the disk.
/// Everything is synchronous and blocks, so the owner is an actor on a `DedicatedThread`; pages
/// and commands read through `StateArchive`, which never delays it.
public final class StateStore {
  /// DESIGN's limit for a serialised `Monitor`.
  public static let stateBytesMax = 256 * 1024
  /// The timeline keeps at most so many entries, however young (about 20 MiB).
  public static let timelineEntriesMax = 100_000

  public let outcome: OpenOutcome
  /// Kept so that the lock lasts as long as the store.
  private let directory: DataDirectory
  private let database: Database
  private var stored: [UInt8]?

  /// Opens or creates `state.db`.
  ///
  /// A damaged file is set aside, never deleted: one that fails SQLite's check, whose state does
  /// not match its checksum, or that `validate` refuses.
  ///
  /// - Parameters:
  ///   - now: for the name of a file that is set aside.
  ///   - validate: decodes the state; what it throws counts as damage.
  /// - Throws: `newerVersion` and whatever keeps the file from being opened or written.
  public init(
    in directory: DataDirectory, now: Timestamp,
    validate: ([UInt8]) throws -> Void = { _ in }
  ) throws(StoreError) {
    self.directory = directory
    let path = directory.file("state.db")
    var status = stat()
    let exists = stat(path, &status) == 0
    let isEmpty = exists && status.st_size == 0 && access("\(path)-wal", F_OK) != 0
    if exists && !isEmpty {
      let reason: String
      do throws(StoreError) {
        (database, stored) = try StateStore.openChecked(path, validate)
        outcome = .opened
        return
      } catch {
        guard case .corrupt(_, let found) = error else { throw error }
        reason = found
      }
      let aside = try SetAside.move(path, at: now)
      outcome = .recoveredFromCorruption(setAside: aside, reason: reason)
    } else if directory.wasUsedBefore {
      outcome = .startedEmpty(reason: isEmpty ? "state.db is empty" : "state.db is missing")
    } else {
      outcome = .created
    }
    database = try Database(path: path)
    try database.prepare(synchronous: .full, migrations: StateSchema.migrations)
  }

  private static func openChecked(
    _ path: String, _ validate: ([UInt8]) throws -> Void
  ) throws(StoreError) -> (Database, [UInt8]?) {
    chmod(path, 0o600)
    let database = try Database(path: path)
    // The version first: the tables of a newer one may look damaged from here.
    try database.prepare(synchronous: .full, migrations: StateSchema.migrations)
    if let complaint = try database.damage() {
      throw .corrupt(path: path, reason: complaint)
    }
    do throws(StoreError) {
      let state = try StateQueries.state(database)
      if let state { try validated(state, path, validate) }
      return (database, state)
    } catch {
      // A table or column that is not there: the file is not what its version says.
      if case .database(let failure) = error {
        throw .corrupt(path: path, reason: failure.message)
      }
      throw error
    }
  }

  private static func validated(
    _ state: [UInt8], _ path: String, _ validate: ([UInt8]) throws -> Void
  ) throws(StoreError) {
    do { try validate(state) } catch {
      throw .corrupt(
        path: path, reason: "the state cannot be read: \(JSONCoder.describe(error))")
    }
  }

  /// What the last run left; in-flight messages are pending again, with their keys.
  public func restore() throws(StoreError) -> RestoredState {
    RestoredState(
      state: stored, outbox: try StateQueries.outbox(database),
      children: try StateQueries.children(database))
  }

  /// Makes a change durable, whole or not at all; returns when it is on the disk.
  ///
  /// Call it before the first effect of the decision starts: intent before action.
  ///
  /// - Throws: `diskFull`, `readOnly`, `inputOutput` and `busy` may pass: commit again later.
  public func commit(_ change: StateChange) throws(StoreError) {
    let state = change.state == stored ? nil : change.state
    if let state, state.count > StateStore.stateBytesMax {
      throw .stateTooLarge(bytes: state.count, limit: StateStore.stateBytesMax)
    }
    var rest = change
    rest.state = state
    guard !rest.isEmpty else { return }
    try database.transaction { () throws(StoreError) in
      if let state {
        try database.run(
          """
          INSERT INTO state VALUES(1, ?, ?)
          ON CONFLICT DO UPDATE SET checksum=excluded.checksum, data=excluded.data
          """,
          .integer(StateSchema.checksum(state)), .blob(state))
      }
      for incident in change.incidents { try write(incident) }
      for entry in change.timeline { try write(entry) }
      for change in change.outbox { try write(change) }
      for change in change.children { try write(change) }
    }
    if let state { stored = state }
  }

  private func write(_ incident: IncidentSummary) throws(StoreError) {
    try database.run(
      "INSERT OR REPLACE INTO incident VALUES(?, ?, ?, ?, ?)",
      .text(incident.id), .integer(incident.opened.milliseconds),
      incident.closed.map { .integer($0.milliseconds) } ?? .null,
      .text(incident.target), .text(incident.json))
  }

  private func write(_ entry: TimelineRecord) throws(StoreError) {
    try database.run(
      """
      INSERT INTO timeline(incident, sequence, wall, kind, json) VALUES(?, ?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET wall=excluded.wall, kind=excluded.kind, json=excluded.json
      """,
      .text(entry.incident), .integer(Int64(entry.sequence)), .integer(entry.at.milliseconds),
      .text(entry.kind), .text(entry.json))
  }

  private func write(_ change: OutboxChange) throws(StoreError) {
    switch change {
    case .put(let message):
      try database.run(
        "INSERT OR REPLACE INTO outbox VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
        .text(message.key), .text(message.receiver), .text(message.channel),
        .text(message.incident), .text(message.payload), .integer(Int64(message.attempts)),
        .integer(message.nextAttempt.milliseconds), .text(message.state.rawValue))
    case .remove(let key): try database.run("DELETE FROM outbox WHERE key=?", .text(key))
    }
  }

  private func write(_ change: ChildChange) throws(StoreError) {
    switch change {
    case .put(let child):
      try database.run(
        "INSERT OR REPLACE INTO child VALUES(?, ?, ?, ?)",
        .text(child.service), .integer(Int64(child.process)),
        .integer(Int64(bitPattern: child.startTicks)), .text(child.logPath))
    case .remove(let service):
      try database.run("DELETE FROM child WHERE service=?", .text(service))
    }
  }

  /// Messages whose time has come, the longest waiting first.
  public func due(at now: Timestamp, limit: Int = 100) throws(StoreError) -> [OutboxMessage] {
    try StateQueries.outbox(database, dueAt: now, limit: limit)
  }

  /// The newest incidents, those opened before `before` when it is given.
  public func incidents(
    limit: Int, before: Timestamp? = nil
  ) throws(StoreError) -> [IncidentSummary] {
    try StateQueries.incidents(database, limit: limit, before: before)
  }

  /// What happened in an incident, in order.
  public func timeline(incident: String) throws(StoreError) -> [TimelineRecord] {
    try StateQueries.timeline(database, incident: incident)
  }

  /// Drops what the audit need not keep: entries from before `before` and the oldest beyond
  /// `entriesMax`, and closed incidents from before `before`. Open incidents stay.
  ///
  /// Works in small bites (5,000 entries a call, about 20 ms), so call it every few minutes.
  public func prune(
    before: Timestamp, entriesMax: Int = StateStore.timelineEntriesMax
  ) throws(StoreError) {
    try database.transaction { () throws(StoreError) in
      // Entries are numbered in the order of their writing, so the oldest are the first.
      try database.run(
        """
        DELETE FROM timeline WHERE id IN (
          SELECT t.id FROM timeline t LEFT JOIN incident i ON i.id = t.incident
          WHERE t.wall < ? AND (i.id IS NULL OR i.closed IS NOT NULL)
          ORDER BY t.id LIMIT 5000)
        """,
        .integer(before.milliseconds))
      try database.run(
        """
        DELETE FROM timeline WHERE id IN (
          SELECT id FROM timeline ORDER BY id
          LIMIT max(0, min(5000, (SELECT count(*) FROM timeline) - ?)))
        """,
        .integer(Int64(entriesMax)))
      try database.run(
        """
        DELETE FROM incident WHERE id IN (
          SELECT id FROM incident WHERE closed < ? ORDER BY opened LIMIT 1000)
        """,
        .integer(before.milliseconds))
    }
    try database.execute("PRAGMA incremental_vacuum(256)")
  }
}
