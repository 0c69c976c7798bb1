import Glibc
import LifeguardHost

/// The bearer token: 256 random bits, made at the first start and kept in the data directory.
public struct AccessToken: Sendable {
  /// 64 hexadecimal digits.
  public let text: String

  /// Reads the token of a data directory; makes one if there is none.
  ///
  /// - Throws: `ServerError.token` when the file cannot be read or written, or can be read by
  ///   others.
  public init(inDirectory directory: String) throws(ServerError) {
    let path = AccessToken.path(inDirectory: directory)
    if let text = try AccessToken.read(path) {
      self.text = text
      return
    }
    let fresh = SecretText.random(bytes: 32)
    let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard file >= 0 else { throw .token(path: path, reason: reason()) }
    defer { close(file) }
    let line = Array((fresh + "\n").utf8)
    guard write(file, line, line.count) == line.count, fsync(file) == 0 else {
      let why = reason()
      unlink(path)
      throw .token(path: path, reason: why)
    }
    text = fresh
  }

  /// Where a data directory keeps it.
  public static func path(inDirectory directory: String) -> String { "\(directory)/token" }

  /// The token in a file; nil when there is no such file.
  public static func read(_ path: String) throws(ServerError) -> String? {
    let file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    guard file >= 0 else {
      if errno == ENOENT { return nil }
      throw .token(path: path, reason: reason())
    }
    defer { close(file) }
    var status = stat()
    guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw .token(path: path, reason: "it is not a regular file")
    }
    guard status.st_mode & 0o077 == 0 else {
      throw .token(
        path: path,
        reason: "others may read it; run `chmod 600 \(path)`, or remove it for a new one")
    }
    var buffer = [UInt8](repeating: 0, count: 256)
    let count = Glibc.read(file, &buffer, buffer.count)
    guard count >= 0 else { throw .token(path: path, reason: reason()) }
    let text = String(decoding: buffer[..<count].filter { $0 > 0x20 }, as: UTF8.self)
    guard text.utf8.count >= 32 else {
      throw .token(path: path, reason: "it holds no token; remove it for a new one")
    }
    return text
  }
}

private func reason() -> String { String(cString: strerror(errno)).lowercased() }
