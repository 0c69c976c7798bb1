/// How the loader sees files: closures, so that a test or the Lambda brings its own.
public struct FileAccess: Sendable {
  /// Relative paths start here; absolute.
  public var workingDirectory: String
  /// Reads a regular file; more than the limit in bytes is a failure.
  public var read: @Sendable (_ path: String, _ limit: Int) -> Result<[UInt8], FileFailure>
  /// What is at a path, without following a link in its last part; nil when there is nothing.
  public var status: @Sendable (_ path: String) -> FileStatus?
  /// Where a symbolic link points to, as written in it.
  public var link: @Sendable (_ path: String) -> String?
  /// The names in a directory, in any order; empty when it cannot be read.
  public var list: @Sendable (_ directory: String) -> [String]

  public init(
    workingDirectory: String,
    read: @escaping @Sendable (_ path: String, _ limit: Int) -> Result<[UInt8], FileFailure>,
    status: @escaping @Sendable (_ path: String) -> FileStatus?,
    link: @escaping @Sendable (_ path: String) -> String? = { _ in nil },
    list: @escaping @Sendable (_ directory: String) -> [String]
  ) {
    self.workingDirectory = workingDirectory
    self.read = read
    self.status = status
    self.link = link
    self.list = list
  }
}

/// Why a file could not be read, as a fragment of a sentence.
public struct FileFailure: Error, Hashable, Sendable {
  public var reason: String

  public init(_ reason: String) {
    self.reason = reason
  }
}

/// Who owns something in the file system, and who may write it (stat(2)).
public struct FileStatus: Hashable, Sendable {
  public enum Kind: Hashable, Sendable {
    case file
    case directory
    case link
    case other
  }

  public var kind: Kind
  public var owner: UInt32
  /// The owner's name, when the system knows one.
  public var ownerName: String?
  /// The lower twelve bits of `st_mode`.
  public var mode: UInt32

  public init(kind: Kind, owner: UInt32, ownerName: String? = nil, mode: UInt32) {
    self.kind = kind
    self.owner = owner
    self.ownerName = ownerName
    self.mode = mode
  }

  var isExecutable: Bool { mode & 0o111 != 0 }
  var isWritableByOthers: Bool { mode & 0o022 != 0 }
  var isSticky: Bool { mode & 0o1000 != 0 }

  var octalMode: String {
    let digits = String(mode & 0o7777, radix: 8)
    return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
  }

  var ownerText: String { ownerName ?? "user \(owner)" }
}
