import CSQLite
import Glibc

/// Why something could not be stored or read.
public enum StoreError: Error, Sendable, CustomStringConvertible {
  /// No space left; committing again works once there is some.
  case diskFull(DatabaseFailure)
  /// The file or its file system is read-only.
  case readOnly(DatabaseFailure)
  /// The device failed (EIO and its like); committing again may work.
  case inputOutput(DatabaseFailure)
  /// The file is damaged or no database.
  case corrupt(path: String, reason: String)
  /// Another connection kept the database locked beyond the busy time-out.
  case busy(DatabaseFailure)
  /// Any other failure of the database.
  case database(DatabaseFailure)
  /// A version of Lifeguard that is newer than this one wrote the file.
  case newerVersion(path: String, found: Int, known: Int)
  /// A version of Lifeguard that is older than this one wrote the file, and it is only read here.
  case olderVersion(path: String, found: Int)
  /// There is no such file.
  case missing(path: String)
  /// The data directory cannot be created or written.
  case notWritable(path: String, reason: String)
  /// The data directory is something else.
  case notADirectory(path: String)
  /// The data directory holds what is not Lifeguard's, and would be taken over.
  case foreignDirectory(path: String, reason: String)
  /// Another agent uses the data directory.
  case locked(path: String, process: Int32?)
  /// The state is larger than the limit (bytes).
  case stateTooLarge(bytes: Int, limit: Int)

  public var description: String {
    switch self {
    case .diskFull(let failure): "no space left for \(failure.path) (\(failure))"
    case .readOnly(let failure): "\(failure.path) is read-only (\(failure))"
    case .inputOutput(let failure): "\(failure.path) cannot be read or written (\(failure))"
    case .corrupt(let path, let reason): "\(path) is damaged: \(reason)"
    case .busy(let failure): "\(failure.path) is locked by another program (\(failure))"
    case .database(let failure): "\(failure.path): \(failure)"
    case .newerVersion(let path, let found, let known):
      "\(name(path)) was written by a newer version (\(found); this one knows up to \(known)): "
        + "use that version, or another data directory"
    case .olderVersion(let path, let found):
      "\(name(path)) was written by an older version (\(found)): "
        + "start the agent once, which brings it up to date"
    case .missing(let path):
      "there is no \(path): name the agent's data directory with --data"
    case .notWritable(let path, let reason):
      "the data directory \(path) cannot be written (\(reason)): "
        + "make it writable for this user, or name another one with --data"
    case .notADirectory(let path):
      "the data directory \(path) is not a directory: name another one with --data"
    case .foreignDirectory(let path, let reason):
      "the data directory \(path) is not lifeguard's own (\(reason)): "
        + "name an empty or a new directory with --data"
    case .locked(let path, let process):
      "the data directory \(path) is in use by another agent"
        + (process.map { " (process \($0))" } ?? "")
        + ": stop it, or name another directory with --data"
    case .stateTooLarge(let bytes, let limit):
      "the state takes \(bytes) bytes, more than its limit of \(limit)"
    }
  }

  /// Whether the same call may succeed later without anybody repairing the file.
  public var mayPass: Bool {
    switch self {
    case .diskFull, .readOnly, .inputOutput, .busy: true
    case .corrupt, .database, .newerVersion, .olderVersion, .missing, .notWritable, .notADirectory,
      .foreignDirectory, .locked, .stateTooLarge:
      false
    }
  }

  private func name(_ path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? path
  }
}

/// What SQLite says about a call that failed (https://www.sqlite.org/rescode.html).
public struct DatabaseFailure: Error, Hashable, Sendable, CustomStringConvertible {
  public var path: String
  /// The primary result code.
  public var code: Int32
  /// The extended result code; its low byte is `code`.
  public var extendedCode: Int32
  public var message: String
  /// The statement, empty when there was none.
  public var sql: String

  public var description: String {
    "SQLite \(extendedCode): \(message)" + (sql.isEmpty ? "" : " in \"\(sql.prefix(120))\"")
  }

  /// The same as the case that callers tell apart.
  var storeError: StoreError {
    switch code {
    case SQLITE_FULL: .diskFull(self)
    case SQLITE_READONLY: .readOnly(self)
    // The extension of the shared-memory file fails with IOERR_SHMSIZE when the disk is full.
    case SQLITE_IOERR where extendedCode >> 8 == 19: .diskFull(self)
    case SQLITE_IOERR, SQLITE_CANTOPEN: .inputOutput(self)
    case SQLITE_CORRUPT, SQLITE_NOTADB: .corrupt(path: path, reason: message)
    case SQLITE_BUSY, SQLITE_LOCKED: .busy(self)
    default: .database(self)
    }
  }
}

/// The system's words for an error number.
func describe(errno number: Int32) -> String { String(cString: strerror(number)) }
