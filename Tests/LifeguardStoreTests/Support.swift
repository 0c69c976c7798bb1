import Glibc
import LifeguardCore
import Testing

@testable import LifeguardStore

/// A private folder that goes away with the value.
final class TemporaryFolder {
  let path: String

  init() throws {
    var template = Array("/tmp/lifeguard-store-XXXXXX".utf8CString)
    path = String(cString: try #require(mkdtemp(&template)))
  }

  deinit {
    chmod(path, 0o700)
    remove(path, depth: 4)
  }

  private func remove(_ path: String, depth: Int) {
    for name in names(path) where depth > 0 { remove("\(path)/\(name)", depth: depth - 1) }
    if unlink(path) != 0 { rmdir(path) }
  }
}

/// The entries of a folder, sorted.
func names(_ path: String) -> [String] {
  guard let folder = opendir(path) else { return [] }
  defer { closedir(folder) }
  var names: [String] = []
  while let entry = readdir(folder) {
    let name = withUnsafeBytes(of: entry.pointee.d_name) {
      String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
    }
    if name != "." && name != ".." { names.append(name) }
  }
  return names.sorted()
}

func mode(_ path: String) -> UInt32 {
  var status = stat()
  return stat(path, &status) == 0 ? status.st_mode & 0o777 : 0
}

func size(_ path: String) -> Int {
  var status = stat()
  return stat(path, &status) == 0 ? Int(status.st_size) : -1
}

/// Overwrites bytes of a file in place.
func damage(_ path: String, at offset: Int, _ bytes: [UInt8]) {
  let descriptor = open(path, O_WRONLY | O_CLOEXEC)
  pwrite(descriptor, bytes, bytes.count, off_t(offset))
  close(descriptor)
}

func milliseconds(_ value: Int64) -> Timestamp { Timestamp(milliseconds: value) }

extension StateStore {
  /// Opens the store of a folder, as an agent does.
  static func open(_ path: String) throws -> StateStore {
    try StateStore(in: DataDirectory(path: path), now: milliseconds(1_700_000_000_000))
  }
}

/// A process that writes to a store until it is killed.
struct Writer {
  /// The program beside the test bundle, nil where only the tests were built.
  static let program: String? = {
    guard let bundle = CommandLine.arguments.first(where: { $0.contains(".xctest") }),
      let end = bundle.range(of: ".xctest"),
      let slash = bundle[..<end].lastIndex(of: "/")
    else { return nil }
    let path = "\(bundle[..<slash])/store-writer"
    return access(path, X_OK) == 0 ? path : nil
  }()

  let process: pid_t
  let output: Int32

  init(_ program: String, folder: String, mode: String = "state") throws {
    var ends: [Int32] = [0, 0]
    try #require(pipe(&ends) == 0)
    // Tests that run beside this one must not inherit the ends, or the end of file never comes.
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
    var argv: [UnsafeMutablePointer<CChar>?] = [
      strdup(program), strdup(folder), strdup(mode), nil,
    ]
    defer { for text in argv { free(text) } }
    var process: pid_t = 0
    let failure = posix_spawn(&process, program, &actions, nil, &argv, environ)
    close(ends[1])
    try #require(failure == 0)
    self.process = process
    output = ends[0]
  }

  /// Kills it after `microseconds` from its first commit; the last commit it told of.
  func kill(after microseconds: UInt32) -> Int64 {
    var text: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65536)
    let first = read(output, &buffer, buffer.count)
    text += buffer.prefix(max(first, 0))
    usleep(microseconds)
    Glibc.kill(process, SIGKILL)
    while case let count = read(output, &buffer, buffer.count), count > 0 {
      text += buffer.prefix(count)
    }
    var status: Int32 = 0
    waitpid(process, &status, 0)
    close(output)
    let lines = text.split(separator: UInt8(ascii: "\n"))
    return lines.compactMap { Int64(String(decoding: $0, as: UTF8.self)) }.max() ?? 0
  }
}

extension String {
  fileprivate func range(of text: String) -> String.Index? {
    var index = startIndex
    while index < endIndex {
      if self[index...].hasPrefix(text) { return index }
      index = self.index(after: index)
    }
    return nil
  }
}
