import CLinux
import Glibc
import LifeguardCore

/// Decides whether a file may be run: nobody but root, the agent's user or its own owner can have
/// changed it.
///
/// The path is walked from `/` by descriptor, one component at a time, through every symbolic link.
/// Each directory and the file itself must be owned by root or the agent's user and must not be
/// writable by group or others; a sticky directory such as `/tmp` is fine for an entry of the right
/// owner, because nobody else can rename or remove it there. A path that passes cannot be swapped
/// by anyone else before it is executed.
///
/// A script's interpreter is checked in the same way, and so is every other file that decides what
/// an argument vector does (`CommandFiles`): the script in `bash /opt/repair.sh`, the program in
/// `timeout 10 /opt/repair`.
public struct ExecutableTrust: Sendable {
  /// What was found out about a program that may be run.
  public struct Verdict: Hashable, Sendable {
    /// Where it is, absolute; symbolic links are kept, so that a script's `$0` is as written.
    public var path: String
    /// Its owner when that is neither root nor the agent's user: it then runs as that user.
    public var foreignOwner: UInt32?
  }

  private let agentUser: UInt32
  private let searchPath: String

  public init(
    agentUser: UInt32 = geteuid(), searchPath: String = CommandEnvironment.searchPath
  ) {
    self.agentUser = agentUser
    self.searchPath = searchPath
  }

  /// Checks the program of an argument vector, its interpreter, and whatever else it names that
  /// decides what runs.
  ///
  /// - Parameter directory: where the program starts, which relative scripts are named from.
  public func check(
    _ arguments: [String], directory: String = "/"
  ) throws(TrustError) -> Verdict {
    guard let name = arguments.first, !name.isEmpty else { throw .emptyCommand }
    let path = try locate(name)
    var owner: UInt32?
    try checkFile(path, mustBeExecutable: true, owner: &owner, depth: 0)
    for file in CommandFiles.of(arguments) {
      let isProgram = file.role == .program
      let path = try self.path(of: file, in: directory)
      try checkFile(path, mustBeExecutable: isProgram, owner: &owner, depth: isProgram ? 0 : 1)
    }
    return Verdict(path: path, foreignOwner: owner)
  }

  private func path(
    of file: CommandFiles.File, in directory: String
  ) throws(TrustError) -> String {
    if file.text.hasPrefix("/") { return file.text }
    let here = "\(directory)/\(file.text)"
    let isLookedUp = !file.text.contains("/") && file.role != .script
    // A shell looks where it is first (sh(1)), a program is only looked up.
    if !isLookedUp || file.role == .shellScript && access(here, F_OK) == 0 { return here }
    return try locate(file.text)
  }

  /// Checks a file that decides what runs without being run itself: a configuration, a rule file.
  public func checkReadable(_ path: String) throws(TrustError) {
    var owner: UInt32? = agentUser == 0 ? nil : agentUser
    try checkFile(path, mustBeExecutable: false, owner: &owner, depth: 4)
    if let owner, owner != agentUser { throw .owner(path: path, owner: owner) }
  }

  /// The absolute path of a program, from the search path when its name has no slash.
  public func locate(_ name: String) throws(TrustError) -> String {
    if name.hasPrefix("/") { return name }
    guard !name.contains("/") else { throw .relativePath(name) }
    for directory in searchPath.split(separator: ":") where directory.hasPrefix("/") {
      let candidate = "\(directory)/\(name)"
      if access(candidate, X_OK) == 0 { return candidate }
    }
    throw .notFound(name, searchPath: searchPath)
  }

  /// Interpreters of interpreters end at 4, as in the kernel (execve(2)).
  private func checkFile(
    _ path: String, mustBeExecutable: Bool, owner: inout UInt32?, depth: Int
  ) throws(TrustError) {
    let file = try walk(path, owner: &owner)
    defer { close(file) }
    var status = stat()
    guard fstat(file, &status) == 0 else { throw .unreadable(path, code: errno) }
    guard status.st_mode & S_IFMT == S_IFREG else { throw .notAFile(path) }
    if mustBeExecutable && status.st_mode & 0o111 == 0 { throw .notExecutable(path) }
    guard mustBeExecutable, depth < 4 else { return }
    guard let interpreter = firstLine(of: file), !interpreter.isEmpty else { return }
    var interpreterOwner = owner
    let words = interpreter.split(separator: " ", maxSplits: 1).map(String.init)
    try checkFile(words[0], mustBeExecutable: true, owner: &interpreterOwner, depth: depth + 1)
    if words[0].hasSuffix("/env"), words.count == 2 {
      let program = words[1].split(separator: " ").first { !$0.hasPrefix("-") && !$0.contains("=") }
      if let program {
        let found = try locate(String(program))
        try checkFile(found, mustBeExecutable: true, owner: &interpreterOwner, depth: depth + 1)
      }
    }
    owner = interpreterOwner
  }

  /// What follows `#!`, nil for a binary. An O_PATH descriptor is opened for reading by its name
  /// in `/proc`, so that it is the checked file that is read.
  private func firstLine(of file: Int32) -> String? {
    let reading = open("/proc/self/fd/\(file)", O_RDONLY | O_CLOEXEC)
    guard reading >= 0 else { return nil }
    defer { close(reading) }
    var buffer = [UInt8](repeating: 0, count: 256)
    let length = read(reading, &buffer, buffer.count)
    guard length > 2, buffer[0] == UInt8(ascii: "#"), buffer[1] == UInt8(ascii: "!") else {
      return nil
    }
    let line = buffer[2..<length].prefix { $0 != UInt8(ascii: "\n") }
    return String(String(decoding: line, as: UTF8.self).drop { $0 == " " || $0 == "\t" })
  }

  /// Opens `path` component by component; the caller closes the descriptor.
  private func walk(_ path: String, owner: inout UInt32?) throws(TrustError) -> Int32 {
    guard path.hasPrefix("/") else { throw .relativePath(path) }
    var pending = path.split(separator: "/").map(String.init)
    var trail: [(descriptor: Int32, path: String)] = []
    defer { for step in trail { close(step.descriptor) } }
    trail.append((try openPath(AT_FDCWD, "/", full: "/"), "/"))
    var links = 0
    while !pending.isEmpty {
      let name = pending.removeFirst()
      if name == "." { continue }
      if name == ".." {
        if trail.count > 1 { close(trail.removeLast().descriptor) }
        continue
      }
      let directory = trail[trail.count - 1]
      let full = directory.path == "/" ? "/\(name)" : "\(directory.path)/\(name)"
      try checkOwnership(directory.descriptor, directory.path, owner: &owner)
      let next = try openPath(directory.descriptor, name, full: full)
      var status = stat()
      guard fstat(next, &status) == 0 else {
        close(next)
        throw .unreadable(full, code: errno)
      }
      guard status.st_mode & S_IFMT == S_IFLNK else {
        trail.append((next, full))
        continue
      }
      defer { close(next) }
      links += 1
      // As many as the kernel follows (path_resolution(7)).
      guard links <= 40 else { throw .unreadable(path, code: ELOOP) }
      try accept(owner: status.st_uid, of: full, into: &owner)
      guard let target = readLink(next) else { throw .unreadable(full, code: EINVAL) }
      if target.hasPrefix("/") {
        while trail.count > 1 { close(trail.removeLast().descriptor) }
      }
      pending = target.split(separator: "/").map(String.init) + pending
    }
    let last = trail.removeLast()
    do throws(TrustError) {
      try checkOwnership(last.descriptor, last.path, owner: &owner)
    } catch {
      close(last.descriptor)
      throw error
    }
    return last.descriptor
  }

  private func openPath(
    _ directory: Int32, _ name: String, full: String
  ) throws(TrustError) -> Int32 {
    let descriptor = clinux_open_path(directory, name)
    guard descriptor >= 0 else { throw .unreadable(full, code: errno) }
    return descriptor
  }

  private func readLink(_ descriptor: Int32) -> String? {
    var buffer = [CChar](repeating: 0, count: 4096)
    let length = readlinkat(descriptor, "", &buffer, buffer.count)
    guard length > 0 else { return nil }
    return String(decoding: buffer[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  private func checkOwnership(
    _ descriptor: Int32, _ path: String, owner: inout UInt32?
  ) throws(TrustError) {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw .unreadable(path, code: errno) }
    try accept(owner: status.st_uid, of: path, into: &owner)
    let isDirectory = status.st_mode & S_IFMT == S_IFDIR
    let isSticky = isDirectory && status.st_mode & S_ISVTX != 0
    if status.st_mode & 0o022 != 0 && !isSticky {
      throw .writable(path: path, mode: status.st_mode & 0o7777)
    }
  }

  /// One foreign owner is allowed along a path, when the agent can become that user.
  private func accept(
    owner found: UInt32, of path: String, into owner: inout UInt32?
  ) throws(TrustError) {
    if found == 0 || found == agentUser || found == owner { return }
    guard agentUser == 0, owner == nil else { throw .owner(path: path, owner: found) }
    owner = found
  }
}
