import Glibc
import LifeguardCore

/// What `/proc/PID/stat` says about a process, as far as steering it needs (proc_pid_stat(5)).
public struct ProcessStatus: Hashable, Sendable {
  public enum State: UInt8, Hashable, Sendable {
    case running = 0x52  // R
    case sleeping = 0x53  // S
    /// Waits in the kernel and cannot be killed, usually for a disk or a stuck mount.
    case uninterruptible = 0x44  // D
    /// By SIGSTOP or a terminal.
    case stopped = 0x54  // T
    /// By a debugger.
    case traced = 0x74  // t
    case zombie = 0x5A  // Z
    case dead = 0x58  // X
    case idle = 0x49  // I
  }

  public var identity: ProcessIdentity
  public var name: String
  /// nil for a state that this version does not know.
  public var state: State?
  public var parent: Int32
  public var processGroup: Int32
  public var session: Int32
  public var isKernelThread: Bool
  /// User and system time of all its threads, in clock ticks of 1/100 s.
  public var cpuTicks: UInt64
  /// The same of children that have ended and were waited for, and of theirs.
  public var childTicks: UInt64

  /// Reads it; nil when the process does not exist.
  public static func read(pid: Int32) -> ProcessStatus? {
    guard pid > 0, let text = SmallFile.textIfReadable("/proc/\(pid)/stat", limit: 4096) else {
      return nil
    }
    return parse(text)
  }

  /// Whether a debugger holds it (`TracerPid` in `/proc/PID/status`).
  public static func isTraced(pid: Int32) -> Bool {
    let text = SmallFile.textIfReadable("/proc/\(pid)/status", limit: 8192) ?? ""
    for line in text.split(separator: "\n") where line.hasPrefix("TracerPid:") {
      return line.split(whereSeparator: \.isWhitespace).last != "0"
    }
    return false
  }

  /// The name may hold spaces and parentheses: it ends at the last `)`.
  static func parse(_ text: String) -> ProcessStatus? {
    let bytes = Array(text.utf8)
    guard let opening = bytes.firstIndex(of: UInt8(ascii: "(")),
      let closing = bytes.lastIndex(of: UInt8(ascii: ")")), opening < closing,
      let pid = Int32(String(decoding: bytes[..<opening], as: UTF8.self).filter { $0 != " " })
    else { return nil }
    let words = bytes[(closing + 1)...].split(separator: UInt8(ascii: " "))
    // words[0] is field 3.
    guard words.count > 20, let state = words[0].first else { return nil }
    func number(_ field: Int) -> UInt64 {
      UInt64(String(decoding: words[field - 3], as: UTF8.self)) ?? 0
    }
    // PF_KTHREAD, include/linux/sched.h.
    let kernelThreadFlag: UInt64 = 0x0020_0000
    return ProcessStatus(
      identity: ProcessIdentity(pid: pid, startTicks: number(22)),
      name: String(decoding: bytes[(opening + 1)..<closing], as: UTF8.self),
      state: State(rawValue: state), parent: Int32(truncatingIfNeeded: number(4)),
      processGroup: Int32(truncatingIfNeeded: number(5)),
      session: Int32(truncatingIfNeeded: number(6)),
      isKernelThread: number(9) & kernelThreadFlag != 0, cpuTicks: number(14) + number(15),
      childTicks: number(16) + number(17))
  }
}
