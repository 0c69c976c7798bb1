import CSQLite
import Glibc

/// One connection to one SQLite file, used from one thread at a time.
///
/// Thin on purpose: statements are prepared once and kept, every failure carries code, extended
/// code and statement. It is not `Sendable`, so an actor that owns it keeps it on its thread;
/// SQLite's own mutexes are off.
final class Database {
  /// How durable a commit is (https://www.sqlite.org/pragma.html#pragma_synchronous).
  enum Synchronous: String {
    /// Flushed to the disk at each commit.
    case full = "FULL"
    /// Flushed at checkpoints: a crash of the machine may lose the last commits, never the file.
    case normal = "NORMAL"
  }

  enum Value {
    case null
    case integer(Int64)
    case text(String)
    case blob([UInt8])
  }

  let path: String
  private var handle: OpaquePointer?
  private var statements: [String: OpaquePointer] = [:]

  /// - Parameters:
  ///   - busyMilliseconds: how long a call waits for another connection's lock.
  init(
    path: String, readOnly: Bool = false, busyMilliseconds: Int32 = 250
  ) throws(StoreError) {
    self.path = path
    if !readOnly { try Database.createPrivately(path) }
    let access = readOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
    let code = sqlite3_open_v2(path, &handle, access | SQLITE_OPEN_NOMUTEX, nil)
    guard code == SQLITE_OK else { throw failure(code, "") }
    sqlite3_extended_result_codes(handle, 1)
    sqlite3_busy_timeout(handle, busyMilliseconds)
  }

  deinit {
    for statement in statements.values { sqlite3_finalize(statement) }
    sqlite3_close_v2(handle)
  }

  /// SQLite would create the file for everybody to read; its journal files get the same mode.
  private static func createPrivately(_ path: String) throws(StoreError) {
    let descriptor = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0o600)
    if descriptor >= 0 {
      close(descriptor)
      return
    }
    let number = errno
    guard number != EEXIST else { return }
    let code: Int32 =
      switch number {
      case ENOSPC, EDQUOT: SQLITE_FULL
      case EROFS, EACCES, EPERM: SQLITE_READONLY
      default: SQLITE_CANTOPEN
      }
    throw DatabaseFailure(
      path: path, code: code, extendedCode: code, message: describe(errno: number), sql: ""
    ).storeError
  }

  /// Runs one or more statements that give no rows and take no values.
  func execute(_ sql: String) throws(StoreError) {
    let code = sqlite3_exec(handle, sql, nil, nil, nil)
    guard code == SQLITE_OK else { throw failure(code, sql) }
  }

  /// Runs a statement once, ignoring rows.
  func run(_ sql: String, _ values: Value...) throws(StoreError) {
    try query(sql, values) { (_: Row) throws(StoreError) in }
  }

  /// Runs a statement and hands each row over; the row is valid only within the call.
  func query(
    _ sql: String, _ values: [Value] = [], each: (Row) throws(StoreError) -> Void
  ) throws(StoreError) {
    let statement = try prepared(sql)
    defer {
      sqlite3_reset(statement)
      sqlite3_clear_bindings(statement)
    }
    for (index, value) in values.enumerated() {
      let code = bind(value, to: statement, at: Int32(index + 1))
      guard code == SQLITE_OK else { throw failure(code, sql) }
    }
    while true {
      let code = sqlite3_step(statement)
      switch code {
      case SQLITE_ROW: try each(Row(statement: statement))
      case SQLITE_DONE: return
      default: throw failure(code, sql)
      }
    }
  }

  /// The first column of the first row as a whole number, nil without a row.
  func integer(_ sql: String, _ values: Value...) throws(StoreError) -> Int64? {
    var result: Int64?
    try query(sql, values) { (row: Row) throws(StoreError) in
      if result == nil { result = row.integer(0) }
    }
    return result
  }

  /// Runs `body` in one transaction that takes effect whole or not at all.
  func transaction(_ body: () throws(StoreError) -> Void) throws(StoreError) {
    try run("BEGIN IMMEDIATE")
    do throws(StoreError) {
      try body()
      try run("COMMIT")
    } catch {
      // After some failures SQLite has rolled back on its own (sqlite3_get_autocommit).
      if sqlite3_get_autocommit(handle) == 0 {
        sqlite3_exec(handle, "ROLLBACK", nil, nil, nil)
      }
      throw error
    }
  }

  /// Nil when the file's structure is sound, else the first complaint.
  func damage() throws(StoreError) -> String? {
    var complaint: String?
    try query("PRAGMA quick_check(1)") { (row: Row) throws(StoreError) in
      let text = row.text(0)
      if text != "ok" { complaint = text }
    }
    return complaint
  }

  private func prepared(_ sql: String) throws(StoreError) -> OpaquePointer {
    if let statement = statements[sql] { return statement }
    var statement: OpaquePointer?
    let code = sqlite3_prepare_v3(
      handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &statement, nil)
    guard code == SQLITE_OK, let statement else { throw failure(code, sql) }
    statements[sql] = statement
    return statement
  }

  private func bind(_ value: Value, to statement: OpaquePointer, at index: Int32) -> Int32 {
    // SQLite copies the bytes before the call returns (SQLITE_TRANSIENT, which is (void(*)())-1).
    let copied = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
    switch value {
    case .null: return sqlite3_bind_null(statement, index)
    case .integer(let number): return sqlite3_bind_int64(statement, index, number)
    case .text(var text):
      return text.withUTF8 { bytes in
        bytes.withMemoryRebound(to: CChar.self) {
          sqlite3_bind_text(statement, index, $0.baseAddress, Int32($0.count), copied)
        }
      }
    case .blob(let bytes):
      guard !bytes.isEmpty else { return sqlite3_bind_zeroblob(statement, index, 0) }
      return sqlite3_bind_blob(statement, index, bytes, Int32(bytes.count), copied)
    }
  }

  private func failure(_ code: Int32, _ sql: String) -> StoreError {
    let message =
      handle.map { String(cString: sqlite3_errmsg($0)) } ?? String(cString: sqlite3_errstr(code))
    return DatabaseFailure(
      path: path, code: code & 0xFF, extendedCode: code, message: message, sql: sql
    ).storeError
  }
}

/// The current row of a running statement.
struct Row {
  let statement: OpaquePointer

  func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(statement, column) }

  func isNull(_ column: Int32) -> Bool {
    sqlite3_column_type(statement, column) == SQLITE_NULL
  }

  func text(_ column: Int32) -> String {
    guard let start = sqlite3_column_text(statement, column) else { return "" }
    let count = Int(sqlite3_column_bytes(statement, column))
    return String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
  }

  func blob(_ column: Int32) -> [UInt8] {
    guard let start = sqlite3_column_blob(statement, column) else { return [] }
    let count = Int(sqlite3_column_bytes(statement, column))
    return [UInt8](UnsafeRawBufferPointer(start: start, count: count))
  }
}
