import LifeguardConfiguration
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

  /// The newest list as text, for evidence.
  public var text: String { latest?.report() ?? "" }
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
