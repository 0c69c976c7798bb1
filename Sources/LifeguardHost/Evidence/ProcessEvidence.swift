import Glibc
import LifeguardCore

/// What `/proc` says about a process and about the host, as text for people.
enum ProcessEvidence {
  /// As many threads as tell a story; a deadlock shows in the first few.
  private static let threadsMax = 64

  static func pressure() -> String {
    let parts = ["cpu", "memory", "io"].compactMap { name in
      SmallFile.textIfReadable("/proc/pressure/\(name)").map { "\(name):\n\($0)" }
    }
    let load = SmallFile.textIfReadable("/proc/loadavg").map { ["load: \($0)"] } ?? []
    return (parts + load).joined()
  }

  static func memory() -> String { SmallFile.textIfReadable("/proc/meminfo") ?? "" }

  static func mounts() -> String { SmallFile.textIfReadable("/proc/self/mountinfo") ?? "" }

  /// State, memory, users and limits of each process.
  static func status(of processes: [ProcessIdentity]) -> String {
    eachAlive(processes) { pid in
      let executable = SmallFile.link("/proc/\(pid)/exe") ?? "?"
      let status = SmallFile.textIfReadable("/proc/\(pid)/status") ?? ""
      let group = SmallFile.textIfReadable("/proc/\(pid)/cgroup") ?? ""
      return "exe: \(executable)\n\(status)cgroup:\n\(group)"
    }
  }

  /// What each thread waits for: its state, the kernel function, the system call, the kernel stack.
  static func stacks(of processes: [ProcessIdentity]) -> String {
    eachAlive(processes) { pid in
      let threads = SmallFile.names(in: "/proc/\(pid)/task")
      let shown = threads.prefix(threadsMax).map { thread in
        let folder = "/proc/\(pid)/task/\(thread)"
        let name = line("\(folder)/comm") ?? "?"
        let letter = Int32(thread).flatMap { state(pid: pid, thread: $0) } ?? "?"
        let waits = line("\(folder)/wchan") ?? "?"
        let call = line("\(folder)/syscall") ?? "not readable"
        let stack = SmallFile.textIfReadable("\(folder)/stack", limit: 4096) ?? ""
        return
          "thread \(thread) (\(name)) state \(letter) in \(waits), system call \(call)\n\(stack)"
      }
      let hidden = threads.count - shown.count
      return shown.joined() + (hidden > 0 ? "… and \(hidden) more threads\n" : "")
    }
  }

  /// How many descriptors each process has open, by kind, and its limit.
  static func openFiles(of processes: [ProcessIdentity]) -> String {
    eachAlive(processes) { pid in
      let descriptors = SmallFile.names(in: "/proc/\(pid)/fd")
      var kinds: [String: Int] = [:]
      // 10,000 links take about 20 ms to read.
      for descriptor in descriptors.prefix(10_000) {
        let target = SmallFile.link("/proc/\(pid)/fd/\(descriptor)") ?? "gone"
        let kind = target.hasPrefix("/") ? "file" : String(target.prefix { $0 != ":" })
        let isDeleted = target.hasPrefix("/") && target.hasSuffix(" (deleted)")
        kinds[isDeleted ? "deleted file" : kind, default: 0] += 1
      }
      let limits = SmallFile.textIfReadable("/proc/\(pid)/limits") ?? ""
      let limit = limits.split(separator: "\n").first { $0.hasPrefix("Max open files") } ?? ""
      let counts = kinds.sorted { $0.value > $1.value }.map { "\($0.value) \($0.key)" }
      return "\(descriptors.count) open: \(counts.joined(separator: ", "))\n\(limit)\n"
    }
  }

  static func eachAlive(_ processes: [ProcessIdentity], _ body: (Int32) -> String) -> String {
    processes.map { identity in
      ProcessStatus.read(pid: identity.pid)?.identity == identity
        ? "\(identity):\n\(body(identity.pid))" : "\(identity): has ended\n"
    }.joined()
  }

  private static func line(_ path: String) -> String? {
    SmallFile.textIfReadable(path, limit: 4096)?.split(separator: "\n").first.map(String.init)
  }

  private static func state(pid: Int32, thread: Int32) -> String? {
    let text = SmallFile.textIfReadable("/proc/\(pid)/task/\(thread)/stat", limit: 4096) ?? ""
    return ProcessStatus.parse(text)?.state.map { String(UnicodeScalar($0.rawValue)) }
  }
}
