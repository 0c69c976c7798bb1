/// The schema of `state.db`, as the steps that led to it; append only.
enum StateSchema {
  static let migrations = [
    """
    CREATE TABLE state(
      id INTEGER PRIMARY KEY CHECK(id = 1), checksum INTEGER NOT NULL, data BLOB NOT NULL);
    CREATE TABLE incident(
      id TEXT PRIMARY KEY, opened INTEGER NOT NULL, closed INTEGER, target TEXT NOT NULL,
      json TEXT NOT NULL) WITHOUT ROWID;
    CREATE INDEX incident_opened ON incident(opened, id);
    CREATE TABLE timeline(
      id INTEGER PRIMARY KEY, incident TEXT NOT NULL, sequence INTEGER NOT NULL,
      wall INTEGER NOT NULL, kind TEXT NOT NULL, json TEXT NOT NULL);
    CREATE UNIQUE INDEX timeline_incident ON timeline(incident, sequence);
    CREATE TABLE outbox(
      key TEXT PRIMARY KEY, receiver TEXT NOT NULL, channel TEXT NOT NULL,
      incident TEXT NOT NULL, payload TEXT NOT NULL, attempts INTEGER NOT NULL,
      next_attempt INTEGER NOT NULL, state TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE child(
      service TEXT PRIMARY KEY, process INTEGER NOT NULL, start_ticks INTEGER NOT NULL,
      log_path TEXT NOT NULL) WITHOUT ROWID;
    """
  ]

  /// FNV-1a, 64 bits (RFC 9923): tells damage, not malice.
  static func checksum(_ bytes: [UInt8]) -> Int64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    return Int64(bitPattern: hash)
  }
}
