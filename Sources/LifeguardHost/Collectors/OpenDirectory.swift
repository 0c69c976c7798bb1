import CLinux
import Glibc

/// A directory that stays open, closed with its last user.
final class OpenDirectory {
  /// The descriptor, or a negative error number.
  let number: Int32

  init(_ path: String) { number = clinux_open_directory(path) }

  deinit { if number >= 0 { close(number) } }
}
