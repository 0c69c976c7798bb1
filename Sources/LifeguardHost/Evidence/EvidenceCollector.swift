import LifeguardCore

/// Collects what may explain a fault, within a time that the first action can wait.
///
/// All sections are collected at once. One that fails or is late is named with the reason and holds
/// up nothing; what it still does on its thread is left behind. Environment variables and command
/// lines are never read, because they hold secrets.
public struct EvidenceCollector: Sendable {
  /// What the evidence is about.
  public struct Subject: Sendable {
    public var processes: [ProcessIdentity]
    public var unit: String?
    /// The rolling list of the busiest processes, as text.
    public var topProcesses: @Sendable () -> String

    public init(
      processes: [ProcessIdentity] = [], unit: String? = nil,
      topProcesses: @escaping @Sendable () -> String = { "" }
    ) {
      self.processes = processes
      self.unit = unit
      self.topProcesses = topProcesses
    }
  }

  private struct Source: Sendable {
    var name: String
    var collect: @Sendable () async -> EvidenceBundle.Section
  }

  private let runner: CommandRunner
  private let threads: BlockingThreads
  private let systemctl: [String]
  private let journalctl: [String]

  /// The section that the rolling list of processes is in.
  public static let topProcesses = "top processes"

  /// A section's share: ten sections stay below `EvidenceBundle.bytesMax`.
  static let sectionBytesMax = 96 * 1024

  /// - Parameter threads: of its own, because a section that hangs keeps one.
  public init(
    runner: CommandRunner, threads: BlockingThreads, systemctl: [String] = ["systemctl"],
    journalctl: [String] = ["journalctl"]
  ) {
    self.runner = runner
    self.threads = threads
    self.systemctl = systemctl
    self.journalctl = journalctl
  }

  /// Collects for at most `limit`: 300 ms before a mild action, 5 s before one that loses state.
  public func collect(_ subject: Subject, within limit: Duration) async -> EvidenceBundle {
    let start = BootClock.now()
    let sources = sources(subject, limit: limit)
    let results = await withTaskGroup(of: (Int, EvidenceBundle.Section).self) { group in
      for (index, source) in sources.enumerated() {
        group.addTask { (index, await source.collect()) }
      }
      return await group.reduce(into: [(Int, EvidenceBundle.Section)]()) { $0.append($1) }
    }
    let sections = results.sorted { $0.0 < $1.0 }.map { Self.cut($0.1) }
    return EvidenceBundle(sections: sections, duration: BootClock.now() - start)
  }

  private func sources(_ subject: Subject, limit: Duration) -> [Source] {
    let processes = subject.processes
    var sources = [
      reading(Self.topProcesses, limit) { subject.topProcesses() },
      reading("pressure", limit) { ProcessEvidence.pressure() },
      reading("memory", limit) { ProcessEvidence.memory() },
      reading("mounts", limit) { ProcessEvidence.mounts() },
      reading("kernel messages", limit) { KernelMessages.tail() },
    ]
    if !processes.isEmpty {
      sources += [
        reading("processes", limit) { ProcessEvidence.status(of: processes) },
        reading("stacks", limit) { ProcessEvidence.stacks(of: processes) },
        reading("sockets", limit) { SocketEvidence.sockets(of: processes) },
        reading("open files", limit) { ProcessEvidence.openFiles(of: processes) },
      ]
    }
    if let unit = subject.unit {
      let names = UnitProperties.names + ["StatusText", "StateChangeTimestamp", "MemoryCurrent"]
      let show = ["show", "--no-pager", "-p", names.joined(separator: ","), "--", unit]
      let tail = ["--no-pager", "--quiet", "-o", "short-iso", "-n", "200", "-u", unit]
      sources.append(running("unit", systemctl + show, limit))
      sources.append(running("journal", journalctl + tail, limit))
    }
    return sources
  }

  /// A section read on a thread; late, it is given up.
  private func reading(
    _ name: String, _ limit: Duration, _ body: @escaping @Sendable () -> String
  ) -> Source {
    Source(name: name) {
      let result = OneShot<EvidenceBundle.Section>()
      let timer = runner.reactor.after(limit) {
        result.finish(.init(name: name, text: "", note: "not collected within \(limit)"))
      }
      let accepted = threads.submit {
        let text = body()
        result.finish(.init(name: name, text: text, note: text.isEmpty ? "nothing to read" : nil))
      }
      if !accepted {
        result.finish(.init(name: name, text: "", note: "earlier evidence still hangs"))
      }
      let section = await result.value
      runner.reactor.cancel(timer)
      return section
    }
  }

  private func running(_ name: String, _ arguments: [String], _ limit: Duration) -> Source {
    Source(name: name) {
      var options = CommandRunner.Options()
      options.grace = .milliseconds(20)
      // Half of the share for the beginning, half for the end.
      options.outputLimit = Self.sectionBytesMax / 2
      let command = Command(arguments: arguments, timeout: limit, disruptive: false)
      let result = await runner.run(command, options: options)
      let text = result.standardOutput.text
      guard result.succeeded else {
        let said = result.standardError.text.split(separator: "\n").last.map { ": \($0)" } ?? ""
        return .init(name: name, text: text, note: result.summary + said)
      }
      return .init(name: name, text: text, note: text.isEmpty ? "nothing to read" : nil)
    }
  }

  /// Keeps the end, where the newest lines are.
  private static func cut(_ section: EvidenceBundle.Section) -> EvidenceBundle.Section {
    let excess = section.text.utf8.count - sectionBytesMax
    guard excess > 0 else { return section }
    let kept = String(decoding: Array(section.text.utf8.suffix(sectionBytesMax - 3)), as: UTF8.self)
    return .init(
      name: section.name, text: kept, note: "the first \(excess) bytes were left out")
  }
}
