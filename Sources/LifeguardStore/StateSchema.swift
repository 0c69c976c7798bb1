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

  /// FNV-1a (RFC 9923) over words of 8 bytes instead of bytes, because a state is long: tells
  /// damage, not malice.
  static func checksum(_ bytes: [UInt8]) -> Int64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    func mix(_ word: UInt64) { hash = (hash ^ word) &* 0x100_0000_01B3 }
    bytes.withUnsafeBytes { raw in
      let whole = raw.count & ~7
      for offset in stride(from: 0, to: whole, by: 8) {
        mix(UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
      }
      for byte in raw[whole...] { mix(UInt64(byte)) }
    }
    return Int64(bitPattern: hash ^ hash >> 32)
  }
}
