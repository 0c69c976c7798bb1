import CLinux
import Glibc

/// A system call that failed: which one, on what, and the kernel's reason.
public struct SystemCallError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The call, as its manual page is named: `open`, `clone3`.
  public var call: String
  /// What it was applied to: a path, an address; empty when there is nothing to name.
  public var subject: String
  /// errno(3).
  public var code: Int32

  public init(call: String, subject: String = "", code: Int32 = errno) {
    self.call = call
    self.subject = subject
    self.code = code
  }

  public var description: String {
    let place = subject.isEmpty ? "" : " \(subject)"
    return "\(call)\(place): \(SystemCallError.message(for: code))"
  }

  /// What strerror(3) says about an errno.
  public static func message(for code: Int32) -> String {
    String(cString: clinux_error_text(code)).lowercased()
  }
}
