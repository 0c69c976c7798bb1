import Glibc

/// Who this process runs as.
enum FunctionUser {
  static var id: UInt32 { geteuid() }
}
