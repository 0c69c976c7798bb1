import Glibc

/// A call to the operating system that failed: what was tried, on what, and why it failed.
public struct SystemCallError: Error, CustomStringConvertible, Sendable {
  public let call: String
  public let path: String
  public let code: Int32

  public init(_ call: String, _ path: String, _ code: Int32 = errno) {
    self.call = call
    self.path = path
    self.code = code
  }

  public var description: String {
    "\(call) \(path): \(String(cString: strerror(code)))"
  }
}

/// Whole files, read and written at once.
public enum TextFile {
  /// The bytes of a file; works for /proc, whose files have no size.
  public static func bytes(_ path: String) throws -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw SystemCallError("open", path) }
    defer { close(descriptor) }
    var result: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = Glibc.read(descriptor, &buffer, buffer.count)
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw SystemCallError("read", path) }
      if count == 0 { return result }
      result.append(contentsOf: buffer[..<count])
    }
  }

  /// The text of a file; bytes that are not UTF-8 become replacement characters.
  public static func read(_ path: String) throws -> String {
    String(decoding: try bytes(path), as: UTF8.self)
  }

  /// Replaces or creates a file with these permissions.
  public static func write(
    _ text: String, to path: String, mode: mode_t = 0o644
  ) throws {
    try write(Array(text.utf8), to: path, flags: O_TRUNC, mode: mode)
  }

  /// Adds to the end of a file, which is created when it is missing.
  public static func append(_ text: String, to path: String) throws {
    try write(Array(text.utf8), to: path, flags: O_APPEND, mode: 0o644)
  }

  /// Replaces or creates a file of bytes.
  public static func write(bytes: [UInt8], to path: String, mode: mode_t = 0o644) throws {
    try write(bytes, to: path, flags: O_TRUNC, mode: mode)
  }

  public static func exists(_ path: String) -> Bool {
    access(path, F_OK) == 0
  }

  /// The name in a directory entry (readdir(3)).
  public static func name(of entry: UnsafeMutablePointer<dirent>) -> String {
    let offset = MemoryLayout<dirent>.offset(of: \.d_name) ?? 19
    let start = UnsafeRawPointer(entry).advanced(by: offset).assumingMemoryBound(to: CChar.self)
    return String(cString: start)
  }

  private static func write(
    _ bytes: [UInt8], to path: String, flags: Int32, mode: mode_t
  ) throws {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, mode)
    guard descriptor >= 0 else { throw SystemCallError("open", path) }
    defer { close(descriptor) }
    // The creation mask of the test runner must not decide what a test of permissions sees.
    guard fchmod(descriptor, mode) == 0 || flags == O_APPEND else {
      throw SystemCallError("fchmod", path)
    }
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw SystemCallError("write", path) }
      rest = rest.dropFirst(count)
    }
  }
}
