import CLinux
import Glibc
import LifeguardCore

/// Reads all processes of `/proc`, keeping what is needed to tell how busy each is.
///
/// One kept descriptor of `/proc`; per process an open, a read and a close of `stat`. The
/// descriptors of `stat` are not kept: there may be thousands of processes, and a list is rare.
struct ProcessTable {
  /// Processes beyond this number are counted but not listed.
  static let processesMax = 32_768
  /// How many of the busiest are looked at closely, by CPU and by memory, and the length of a list.
  private static let closeCount = 10
  private static let listLength = 20

  private struct Row {
    var statistics: ProcessStatistics
    var entry: ProcessEntry
    /// The last close look, where there was one.
    var look: CloseLook?
    var groups: [String] = []
    var groupsAreKnown = false
  }

  private let directory: OpenDirectory
  private let buffer = ReadBuffer(initialCapacity: 4096, limit: 64 * 1024)
  private let host: HostInfo
  private var rows: [Row] = []
  private var groups: [ProcessGroup] = []
  private var takenAt: Duration?
  private var pids = [Int32](repeating: 0, count: 1024)

  init(_ context: CollectorContext) {
    directory = OpenDirectory(context.root.path("proc"))
    host = context.host
  }

  /// Takes the list at `now`.
  ///
  /// - Throws: `unavailable` when `/proc` cannot be read.
  mutating func read(
    boottime: Duration, takenAt wall: Timestamp, groups: [ProcessGroup],
    looks: [Int32: CloseLook] = [:]
  ) throws(CollectorError) -> Scan {
    let count = try readNumbers()
    let seconds = takenAt.map { (boottime - $0).seconds } ?? 0
    if groups != self.groups {
      self.groups = groups
      for index in rows.indices { rows[index].groupsAreKnown = false }
    }
    var old = rows[...]
    rows = []
    rows.reserveCapacity(count + 16)
    for pid in pids[..<count] {
      guard let statistics = readStatistics(pid) else { continue }
      // Both lists rise by pid, so the old row is found by walking along.
      while let first = old.first, first.entry.pid < pid { old.removeFirst() }
      var row = Row(statistics: statistics, entry: entry(pid, statistics))
      if let before = old.first, before.entry.pid == pid,
        before.statistics.startTicks == statistics.startTicks
      {
        if seconds > 0 { row.entry.processorPercent = percent(statistics, before, seconds) }
        row.look = before.look
        if before.statistics.name == statistics.name {
          row.groups = before.groups
          row.groupsAreKnown = before.groupsAreKnown
        }
      }
      if !row.groupsAreKnown {
        row.groups = belongs(pid, statistics)
        row.groupsAreKnown = true
      }
      rows.append(row)
    }
    takenAt = boottime
    let unread = lookClosely(at: boottime, looks)
    return Scan(
      snapshot: snapshot(boottime: boottime, takenAt: wall), members: members(), unread: unread)
  }

  /// One list, and what it could not look at.
  struct Scan {
    var snapshot: ProcessSnapshot
    var members: [GroupMember]
    /// Busy processes of which only root may see more.
    var unread: [ProcessIdentity]
  }

  private mutating func readNumbers() throws(CollectorError) -> Int {
    guard directory.number >= 0 else {
      throw .unavailable(path: "/proc", errno: -directory.number)
    }
    while true {
      var more: Int32 = 0
      let count = clinux_numeric_entries(directory.number, &pids, pids.count, &more)
      guard count >= 0 else { throw .unavailable(path: "/proc", errno: -count) }
      if more == 0 || pids.count >= Self.processesMax {
        pids[..<Int(count)].sort()
        return Int(count)
      }
      pids = [Int32](repeating: 0, count: min(pids.count * 4, Self.processesMax))
    }
  }

  private func readStatistics(_ pid: Int32) -> ProcessStatistics? {
    guard var content = read("\(pid)/stat") else { return nil }
    return ProcessStatistics(&content)
  }

  /// Reads a small file below `/proc`; `nil` when the process has ended meanwhile.
  private func read(_ path: String) -> ByteCursor? {
    let descriptor = clinux_open_read(directory.number, path)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    let memory = buffer.memory
    let count = clinux_pread(descriptor, memory.baseAddress, memory.count, 0)
    guard count > 0 else { return nil }
    return ByteCursor(Bytes(rebasing: memory.bindMemory(to: UInt8.self)[..<count]))
  }

  private func entry(_ pid: Int32, _ statistics: ProcessStatistics) -> ProcessEntry {
    ProcessEntry(
      pid: pid, parent: statistics.parent, name: statistics.name,
      state: Character(Unicode.Scalar(statistics.state)), processorPercent: 0,
      residentBytes: statistics.residentPages * UInt64(host.pageBytes),
      threads: Int(clamping: statistics.threads), startTicks: statistics.startTicks)
  }

  private func percent(
    _ now: ProcessStatistics, _ before: Row, _ seconds: Double
  ) -> Double {
    let ticks = now.userTicks &+ now.systemTicks
    let earlier = before.statistics.userTicks &+ before.statistics.systemTicks
    guard ticks > earlier else { return 0 }
    return 100 * Double(ticks - earlier) / Double(host.ticksPerSecond) / seconds
  }

  /// Looks at I/O and descriptors of the busiest alone: both cost much and need privileges. Where
  /// those are missing, a look that somebody else has taken is used; the processes that need one
  /// are returned.
  private mutating func lookClosely(
    at now: Duration, _ looks: [Int32: CloseLook]
  ) -> [ProcessIdentity] {
    let byProcessor = busiest(Self.closeCount) { $0.entry.processorPercent }
    let byMemory = busiest(Self.closeCount) { Double($0.entry.residentBytes) }
    let chosen = Set(byProcessor + byMemory)
    for index in rows.indices where !chosen.contains(index) { rows[index].look = nil }
    var unread: [ProcessIdentity] = []
    for index in chosen {
      let entry = rows[index].entry
      let process = ProcessIdentity(pid: entry.pid, startTicks: entry.startTicks)
      let own = ownLook(process, at: now)
      if own == nil { unread.append(process) }
      let given = looks[process.pid].flatMap { $0.process == process ? $0 : nil }
      guard let look = own ?? given else { continue }
      rows[index].entry.descriptors = look.descriptors
      if let before = rows[index].look, look.takenAt > before.takenAt {
        let seconds = (look.takenAt - before.takenAt).seconds
        rows[index].entry.readBytesPerSecond = rate(look.bytesRead, before.bytesRead, seconds)
        rows[index].entry.writeBytesPerSecond =
          rate(look.bytesWritten, before.bytesWritten, seconds)
      }
      rows[index].look = look
    }
    return unread
  }

  private func rate(_ now: UInt64, _ before: UInt64, _ seconds: Double) -> Double {
    Double(now &- min(before, now)) / seconds
  }

  /// What this process may see by itself; nil when it may not.
  private func ownLook(_ process: ProcessIdentity, at now: Duration) -> CloseLook? {
    guard let storage = storage(process.pid) else { return nil }
    let folder = openat(directory.number, "\(process.pid)/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    var descriptors: Int?
    if folder >= 0 {
      let count = clinux_count_entries(folder)
      if count >= 0 { descriptors = Int(count) }
      close(folder)
    }
    return CloseLook(
      process: process, takenAt: now, bytesRead: storage.read, bytesWritten: storage.written,
      descriptors: descriptors)
  }

  private func storage(_ pid: Int32) -> (read: UInt64, written: UInt64)? {
    guard var content = read("\(pid)/io") else { return nil }
    var (read, written): (UInt64?, UInt64?) = (nil, nil)
    while var line = content.line() {
      guard let key = line.take(before: UInt8(ascii: ":")) else { return nil }
      if key.equals("read_bytes") { read = line.unsigned() }
      if key.equals("write_bytes") { written = line.unsigned() }
    }
    guard let read, let written else { return nil }
    return (read, written)
  }

  /// Indices of the rows with the largest values above zero.
  private func busiest(_ count: Int, by value: (Row) -> Double) -> [Int] {
    var best: [(index: Int, value: Double)] = []
    for index in rows.indices {
      let value = value(rows[index])
      guard value > 0, best.count < count || value > best[best.count - 1].value else { continue }
      let place = best.firstIndex { $0.value < value } ?? best.count
      best.insert((index, value), at: place)
      if best.count > count { best.removeLast() }
    }
    return best.map(\.index)
  }

  private func snapshot(boottime: Duration, takenAt: Timestamp) -> ProcessSnapshot {
    func list(_ value: (Row) -> Double) -> [ProcessEntry] {
      busiest(Self.listLength, by: value).map { rows[$0].entry }
    }
    var states: [Character: Int] = [:]
    for row in rows { states[row.entry.state, default: 0] += 1 }
    return ProcessSnapshot(
      takenAt: takenAt, boottime: boottime, processes: rows.count,
      threads: rows.reduce(0) { $0 + $1.entry.threads }, states: states,
      byProcessor: list { $0.entry.processorPercent },
      byMemory: list { Double($0.entry.residentBytes) },
      byStorage: list { ($0.entry.readBytesPerSecond ?? 0) + ($0.entry.writeBytesPerSecond ?? 0) },
      byDescriptors: list { Double($0.entry.descriptors ?? 0) })
  }

  private func members() -> [GroupMember] {
    guard !groups.isEmpty else { return [] }
    return rows.flatMap { row in
      row.groups.map {
        GroupMember(group: $0, pid: row.entry.pid, startTicks: row.entry.startTicks)
      }
    }
  }

  private func belongs(_ pid: Int32, _ statistics: ProcessStatistics) -> [String] {
    guard !groups.isEmpty else { return [] }
    var executable: String??
    var user: UInt32??
    return groups.compactMap { group in
      if group.pids.contains(pid) { return group.name }
      guard group.hasCriteria else { return nil }
      if let name = group.commandName, name != statistics.name { return nil }
      if let wanted = group.user {
        let known = user ?? .some(owner(pid))
        user = known
        if known != wanted { return nil }
      }
      if let wanted = group.executable {
        let known = executable ?? .some(link("\(pid)/exe"))
        executable = known
        // A running program whose file was replaced by an upgrade is still the same service.
        if known != wanted && known != wanted + " (deleted)" { return nil }
      }
      return group.name
    }
  }

  private func owner(_ pid: Int32) -> UInt32? {
    var facts = stat()
    guard fstatat(directory.number, "\(pid)", &facts, 0) == 0 else { return nil }
    return facts.st_uid
  }

  private func link(_ path: String) -> String? {
    var target = [CChar](repeating: 0, count: 4096)
    let count = readlinkat(directory.number, path, &target, target.count)
    guard count > 0 else { return nil }
    return String(decoding: target[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
