import LifeguardCore

/// The reading half of `state.db`, the same for the owner and for readers beside it.
enum StateQueries {
  static func state(_ database: Database) throws(StoreError) -> [UInt8]? {
    var found: (checksum: Int64, data: [UInt8])?
    try database.query("SELECT checksum, data FROM state") { (row: Row) throws(StoreError) in
      found = (row.integer(0), row.blob(1))
    }
    guard let found else { return nil }
    guard StateSchema.checksum(found.data) == found.checksum else {
      throw .corrupt(path: database.path, reason: "the state does not match its checksum")
    }
    return found.data
  }

  static func outbox(_ database: Database) throws(StoreError) -> [OutboxMessage] {
    try messages(database, "", [])
  }

  static func outbox(
    _ database: Database, dueAt now: Timestamp, limit: Int
  ) throws(StoreError) -> [OutboxMessage] {
    try messages(
      database, "WHERE state <> 'abandoned' AND next_attempt <= ?",
      [.integer(now.milliseconds), .integer(Int64(limit))], limit: "LIMIT ?")
  }

  private static func messages(
    _ database: Database, _ condition: String, _ values: [Database.Value], limit: String = ""
  ) throws(StoreError) -> [OutboxMessage] {
    var messages: [OutboxMessage] = []
    let sql = """
      SELECT key, receiver, channel, incident, payload, attempts, next_attempt, state
      FROM outbox \(condition) ORDER BY next_attempt, key \(limit)
      """
    try database.query(sql, values) { (row: Row) throws(StoreError) in
      messages.append(
        OutboxMessage(
          key: row.text(0), receiver: row.text(1), channel: row.text(2), incident: row.text(3),
          payload: row.text(4), attempts: Int(row.integer(5)),
          nextAttempt: Timestamp(milliseconds: row.integer(6)),
          state: row.text(7) == OutboxMessage.State.abandoned.rawValue ? .abandoned : .pending))
    }
    return messages
  }

  static func children(_ database: Database) throws(StoreError) -> [SupervisedChild] {
    var children: [SupervisedChild] = []
    let sql = "SELECT service, process, start_ticks, log_path FROM child ORDER BY service"
    try database.query(sql) { (row: Row) throws(StoreError) in
      children.append(
        SupervisedChild(
          service: row.text(0), process: Int32(truncatingIfNeeded: row.integer(1)),
          startTicks: UInt64(bitPattern: row.integer(2)), logPath: row.text(3)))
    }
    return children
  }

  static func incidents(
    _ database: Database, limit: Int, before: Timestamp?
  ) throws(StoreError) -> [IncidentSummary] {
    var incidents: [IncidentSummary] = []
    let sql = """
      SELECT id, opened, closed, target, json FROM incident
      WHERE opened < ? ORDER BY opened DESC, id DESC LIMIT ?
      """
    let values: [Database.Value] = [
      .integer(before?.milliseconds ?? .max), .integer(Int64(limit)),
    ]
    try database.query(sql, values) { (row: Row) throws(StoreError) in
      incidents.append(
        IncidentSummary(
          id: row.text(0), opened: Timestamp(milliseconds: row.integer(1)),
          closed: row.isNull(2) ? nil : Timestamp(milliseconds: row.integer(2)),
          target: row.text(3), json: row.text(4)))
    }
    return incidents
  }

  static func timeline(
    _ database: Database, incident: String
  ) throws(StoreError) -> [TimelineRecord] {
    var entries: [TimelineRecord] = []
    let sql = "SELECT sequence, wall, kind, json FROM timeline WHERE incident=? ORDER BY sequence"
    try database.query(sql, [.text(incident)]) { (row: Row) throws(StoreError) in
      entries.append(
        TimelineRecord(
          incident: incident, sequence: Int(row.integer(0)),
          at: Timestamp(milliseconds: row.integer(1)), kind: row.text(2), json: row.text(3)))
    }
    return entries
  }
}
