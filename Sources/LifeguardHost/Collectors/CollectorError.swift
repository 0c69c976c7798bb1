/// Why a collector could not collect.
public enum CollectorError: Error, Hashable, Sendable {
  /// This host does not have what the collector reads (no such file, device or service). Not a
  /// fault: the collector is asked again from time to time.
  case absent(what: String)
  /// A file or a system call failed.
  case unavailable(path: String, errno: Int32)
  /// A file says something else than its documentation.
  case malformed(path: String, reason: String)
  /// A file is longer than any that was foreseen.
  case tooLong(path: String, bytesMax: Int)
  /// It did not come back in time; its thread is left to itself until it does.
  case timedOut(seconds: Double)

  /// Whether there is simply nothing to collect on this host.
  public var isAbsence: Bool {
    switch self {
    case .absent: true
    case .unavailable(_, let code): code == 2  // ENOENT
    case .malformed, .tooLong, .timedOut: false
    }
  }
}

extension CollectorError {
  /// A system call that failed while collecting was set up.
  init(_ error: SystemCallError) {
    self = .unavailable(path: "\(error.call) \(error.subject)", errno: error.code)
  }
}

extension CollectorError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .absent(let what): "this host has no \(what)"
    case .unavailable(let path, let code): "\(path): \(errorText(code))"
    case .malformed(let path, let reason): "\(path): \(reason)"
    case .tooLong(let path, let limit): "\(path): longer than \(limit) bytes; not read"
    case .timedOut(let seconds):
      "no answer within \(seconds) s; look for a stuck mount or device (processes in state D)"
    }
  }
}
