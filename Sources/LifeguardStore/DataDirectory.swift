import Glibc

/// The directory that holds an agent's files, locked for this agent as long as the value lives.
///
/// The lock is flock(2) on the file `lock`, which holds the process id for messages only: a
/// killed agent leaves the file, never the lock.
public final class DataDirectory: Sendable {
  public let path: String
  /// Whether an agent has run on this directory before; then a missing state.db is a loss.
  public let wasUsedBefore: Bool
  private let lock: Int32

  /// Creates the directory (mode 0700) and its parents if need be, and locks it.
  ///
  /// - Throws: `notWritable`, `notADirectory`, `foreignDirectory`, `diskFull`, or `locked` with the
  ///   other's process id.
  public init(path: String) throws(StoreError) {
    self.path = path
    try DataDirectory.create(path)
    let file = "\(path)/lock"
    wasUsedBefore = access(file, F_OK) == 0
    lock = open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard lock >= 0 else { throw DataDirectory.failure(path, errno) }
    guard DataDirectory.takeLock(lock) else {
      let owner = DataDirectory.owner(of: lock)
      close(lock)
      throw .locked(path: path, process: owner)
    }
    // The id is for people; the lock holds even when a full disk has no room for it.
    let text = Array("\(getpid())\n".utf8)
    if ftruncate(lock, 0) == 0 { pwrite(lock, text, text.count, 0) }
  }

  deinit { close(lock) }

  func file(_ name: String) -> String { "\(path)/\(name)" }

  /// A process that a killed agent was just starting holds the lock until its exec: waits 200 ms.
  static func takeLock(_ file: Int32) -> Bool {
    var isLocked = flock(file, LOCK_EX | LOCK_NB) == 0
    for _ in 0..<10 where !isLocked {
      usleep(20_000)
      isLocked = flock(file, LOCK_EX | LOCK_NB) == 0
    }
    return isLocked
  }

  /// Whether a directory may be taken over: it is missing, empty, or one that an agent has used.
  ///
  /// Taking it over gives it another owner and mode, which would make a host unusable where
  /// somebody names `/etc` or `/tmp`.
  ///
  /// - Throws: `notADirectory` or `foreignDirectory`.
  public static func check(_ path: String) throws(StoreError) {
    var status = stat()
    guard stat(path, &status) == 0 else {
      if errno == ENOTDIR { throw .notADirectory(path: path) }
      return
    }
    guard status.st_mode & S_IFMT == S_IFDIR else { throw .notADirectory(path: path) }
    guard status.st_mode & S_ISVTX == 0 else {
      throw .foreignDirectory(path: path, reason: "it is shared: its sticky bit is set")
    }
    let names = entries(of: path)
    if names.contains(where: ["lock", "state.db", "samples.db"].contains) { return }
    if let foreign = names.sorted().first(where: { !mayComeFirst.contains($0) }) {
      throw .foreignDirectory(path: path, reason: "it holds \(foreign.debugDescription)")
    }
  }

  /// What may lie there before the first start: a kill switch, the root of a new file system, and
  /// the output of children, whose folder is made first.
  private static let mayComeFirst: Set<String> = ["freeze", "lost+found", "children"]

  private static func entries(of path: String) -> [String] {
    // What cannot be read cannot be written either, which is reported when it is opened.
    guard let directory = opendir(path) else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names
  }

  /// Makes the directory with its parents where it is missing, for those who need it before an
  /// agent opens it.
  ///
  /// - Throws: as `init`, but for the lock.
  public static func create(_ path: String) throws(StoreError) {
    try check(path)
    var status = stat()
    if stat(path, &status) == 0 {
      guard access(path, W_OK | X_OK) == 0 else { throw failure(path, errno) }
      // Others may neither read nor list what the agent knows about the host.
      if status.st_mode & 0o077 != 0, chmod(path, 0o700) != 0 { throw failure(path, errno) }
      return
    }
    guard mkdir(path, 0o700) != 0 else { return }
    guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash > path.startIndex else {
      throw failure(path, errno)
    }
    try create(parent: String(path[..<slash]))
    guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw failure(path, errno) }
  }

  private static func create(parent: String) throws(StoreError) {
    if mkdir(parent, 0o755) == 0 || errno == EEXIST { return }
    guard errno == ENOENT, let slash = parent.lastIndex(of: "/"), slash > parent.startIndex else {
      throw failure(parent, errno)
    }
    try create(parent: String(parent[..<slash]))
    guard mkdir(parent, 0o755) == 0 || errno == EEXIST else { throw failure(parent, errno) }
  }

  static func failure(_ path: String, _ number: Int32) -> StoreError {
    if number == ENOSPC || number == EDQUOT {
      return .diskFull(
        DatabaseFailure(
          path: path, code: 13, extendedCode: 13, message: describe(errno: number), sql: ""))
    }
    return .notWritable(path: path, reason: describe(errno: number))
  }

  static func owner(of lock: Int32) -> Int32? {
    var buffer = [UInt8](repeating: 0, count: 16)
    let count = pread(lock, &buffer, buffer.count, 0)
    guard count > 0 else { return nil }
    return Int32(String(decoding: buffer.prefix { (0x30...0x39).contains($0) }, as: UTF8.self))
  }
}
