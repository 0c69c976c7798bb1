import Glibc
import TestSupport

/// Looks at processes by their entries in `/proc` (proc(5)).
enum ProcessTable {
  /// The letter of its state, such as S, T or Z; nil when there is no such process.
  static func state(of pid: Int32) -> Character? {
    // try?: what cannot be read has ended.
    guard let text = try? TextFile.read("/proc/\(pid)/stat"), let end = text.lastIndex(of: ")")
    else { return nil }
    return text[text.index(end, offsetBy: 2)...].first
  }

  static func isAlive(_ pid: Int32) -> Bool {
    guard let state = state(of: pid) else { return false }
    return state != "Z" && state != "X"
  }

  static var pids: [Int32] {
    guard let directory = opendir("/proc") else { return [] }
    defer { closedir(directory) }
    var pids: [Int32] = []
    while let entry = readdir(directory) {
      if let pid = Int32(TextFile.name(of: entry)) { pids.append(pid) }
    }
    return pids
  }

  /// Processes that live on a file below this folder: as their program, or as an argument.
  static func using(_ folder: String) -> [Int32] {
    pids.filter { pid in
      guard pid != getpid(), isAlive(pid) else { return false }
      if executable(of: pid)?.hasPrefix(folder + "/") == true { return true }
      // try?: it has ended meanwhile.
      let words = (try? TextFile.read("/proc/\(pid)/cmdline")) ?? ""
      return words.contains(folder + "/")
    }
  }

  /// The processes of one program.
  static func running(_ program: String) -> [Int32] {
    pids.filter { executable(of: $0) == program && isAlive($0) }
  }

  /// The child of a process that runs the same program: the other half of a split agent.
  static func child(of parent: Int32) -> Int32? {
    let program = executable(of: parent)
    return pids.first { pid in
      // try?: it has ended meanwhile.
      guard let text = try? TextFile.read("/proc/\(pid)/stat"), let end = text.lastIndex(of: ")")
      else { return false }
      let fields = text[end...].split(separator: " ")
      return fields.count > 2 && Int32(fields[2]) == parent && executable(of: pid) == program
        && isAlive(pid)
    }
  }

  static func executable(of pid: Int32) -> String? {
    var buffer = [CChar](repeating: 0, count: 4096)
    let count = readlink("/proc/\(pid)/exe", &buffer, buffer.count)
    guard count > 0 else { return nil }
    return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
