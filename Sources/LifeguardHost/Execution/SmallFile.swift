import Glibc

/// Reads files that fit in memory: `/proc`, `/sys`, `/etc/passwd`, pid files.
enum SmallFile {
  /// The contents, up to `limit` bytes; what lies beyond is left out.
  ///
  /// `/proc` files have no size, so this reads until the end instead of asking for it.
  static func bytes(_ path: String, limit: Int = 1 << 20) throws(SystemCallError) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw SystemCallError(call: "open", subject: path) }
    defer { close(descriptor) }
    return try bytes(of: descriptor, path: path, limit: limit)
  }

  static func bytes(
    of descriptor: Int32, path: String, limit: Int = 1 << 20
  ) throws(SystemCallError) -> [UInt8] {
    var contents: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: min(limit, 16384))
    while contents.count < limit {
      let wanted = min(chunk.count, limit - contents.count)
      let length = read(descriptor, &chunk, wanted)
      if length < 0 && errno == EINTR { continue }
      guard length >= 0 else { throw SystemCallError(call: "read", subject: path) }
      if length == 0 { break }
      contents += chunk[..<length]
    }
    return contents
  }

  static func text(_ path: String, limit: Int = 1 << 20) throws(SystemCallError) -> String {
    String(decoding: try bytes(path, limit: limit), as: UTF8.self)
  }

  /// The contents, or nil when the file cannot be read: for facts that may be missing.
  static func textIfReadable(_ path: String, limit: Int = 1 << 20) -> String? {
    do { return try text(path, limit: limit) } catch { return nil }
  }

  /// The target of a symbolic link such as `/proc/1/exe`, or nil.
  static func link(_ path: String) -> String? {
    var buffer = [CChar](repeating: 0, count: 4096)
    let length = readlink(path, &buffer, buffer.count)
    guard length > 0 else { return nil }
    return String(decoding: buffer[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// The names in a directory without `.` and `..`; empty when it cannot be read.
  static func names(in directory: String) -> [String] {
    guard let stream = opendir(directory) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names
  }

  /// Writes to an existing file such as `cgroup.kill` in one call.
  @discardableResult
  static func write(_ text: String, to path: String) -> Bool {
    let descriptor = open(path, O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    let bytes = Array(text.utf8)
    return Glibc.write(descriptor, bytes, bytes.count) == bytes.count
  }
}
