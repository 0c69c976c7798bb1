import LifeguardConfiguration
import LifeguardCore
import LifeguardHost

extension ProcessWatch {
  /// The busiest processes of the newest list, by CPU, then those that are large.
  var top: [TopProcess] {
    guard let latest else { return [] }
    var seen: Set<Int32> = []
    return (latest.byProcessor + latest.byMemory).filter { seen.insert($0.pid).inserted }.map {
      TopProcess(
        pid: $0.pid, name: $0.name, state: String($0.state), cpuPercent: $0.processorPercent,
        residentBytes: $0.residentBytes, threads: $0.threads,
        readBytesPerSecond: $0.readBytesPerSecond, writeBytesPerSecond: $0.writeBytesPerSecond,
        descriptors: $0.descriptors)
    }
  }

  /// The newest list as text, and who was busiest in each list of the minute before (G22).
  public var text: String {
    let lists = recent
    guard let newest = lists.last else { return "" }
    var text = newest.report()
    if lists.count > 1 { text += "\nthe minute before, by CPU\n" }
    for list in lists.dropLast().reversed() {
      text += "\((newest.boottime - list.boottime).text) before: \(list.busiest(5))\n"
    }
    return text
  }
}

extension ProcessWatch {
  /// Takes over what the acting side has found; executables that can be read here count as well.
  func note(members: [String: [Int32]]) {
    groups = groups.map { group in
      var group = group
      group.pids = Set(members[group.name] ?? [])
      return group
    }
  }
}

extension LifeguardConfiguration.ProcessGroup {
  var wanted: ProcessSearch.Wanted {
    ProcessSearch.Wanted(
      name: name, executable: executable,
      user: user.flatMap { UserAccount.find($0)?.userID })
  }

  var watched: LifeguardHost.ProcessGroup {
    LifeguardHost.ProcessGroup(
      name: name, executable: executable,
      user: user.flatMap { UserAccount.find($0)?.userID })
  }
}
