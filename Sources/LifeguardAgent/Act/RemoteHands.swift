import LifeguardConfiguration
import LifeguardCore
import LifeguardHost
import Synchronization

/// Asks the acting process; holds no privilege itself.
public final class RemoteHands: Hands {
  typealias Connection = FrameConnection<ActReply, ActRequest>

  private struct Waiting {
    var next = 1
    var replies: [Int: CheckedContinuation<ActReply?, Never>] = [:]
    var isGone = false
    var report: (@Sendable (HandsReport) -> Void)?
    var identities: [String: ProcessIdentity] = [:]
  }

  private let connection: Connection
  private let waiting = Mutex(Waiting())
  private let threads: BlockingThreads
  private let processes: ProcessWatch
  private let onReload: @Sendable () -> Void
  private let onGone: @Sendable () -> Void

  /// - Parameters:
  ///   - descriptor: this side of the socket pair.
  ///   - threads: for looks at every process, which this side may take as well.
  ///   - processes: the busiest: this side lists them, and the acting one looks closer.
  ///   - onReload: the acting process was asked to reload.
  ///   - onGone: it is gone; without it nothing can be done, so the caller ends.
  public init(
    descriptor: Int32, threads: BlockingThreads, processes: ProcessWatch,
    onReload: @escaping @Sendable () -> Void,
    onGone: @escaping @Sendable () -> Void
  ) {
    connection = Connection(descriptor: descriptor)
    self.threads = threads
    self.processes = processes
    self.onReload = onReload
    self.onGone = onGone
  }

  /// Begins to listen; call it once.
  public func begin() throws {
    try connection.begin({ [self] in take($0) }, ended: { [self] in end() })
    processes.askForLooks { [connection] in connection.send(.look($0)) }
  }

  /// Tells the acting process that evaluation makes progress; it ends a half that stops saying so.
  public func tellAlive() { connection.send(.alive) }

  public func watch(
    children: [ChildRecord], startsMissing: Bool,
    report: @escaping @Sendable (HandsReport) -> Void
  ) async {
    waiting.withLock { $0.report = report }
    connection.send(.watch(children, startsMissing: startsMissing))
    let forever = Bell()
    while !Task.isCancelled { await forever.wait() }
  }

  public func perform(_ order: StepOrder) async -> StepResult {
    guard case .performed(_, let result) = await ask({ .perform($0, order) }) else {
      return StepResult(status: .unknown, summary: "the acting process is gone")
    }
    return result
  }

  public func prepare(_ order: PreparationOrder) async -> PreparationReport {
    // The processes of now, not of when the acting side is done.
    let busiest = processes.text
    guard case .prepared(_, let report) = await ask({ .prepare($0, order) }) else {
      let refusal = Refusal(
        .executor, code: "acting_process_gone", "the process that acts is gone")
      return PreparationReport(refusals: [refusal], evidence: EvidenceReport())
    }
    return PreparationReport(
      refusals: report.refusals, evidence: completed(report.evidence, busiest))
  }

  public func collectEvidence(_ request: EvidenceRequest) async -> EvidenceReport {
    let busiest = processes.text
    guard case .evidence(_, let report) = await ask({ .evidence($0, request) }) else {
      return EvidenceReport()
    }
    return completed(report, busiest)
  }

  private func completed(_ report: EvidenceReport, _ busiest: String) -> EvidenceReport {
    var report = report
    let title = EvidenceCollector.topProcesses
    report.sections.removeAll { $0.title == title }
    report.sections.insert(EvidenceReport.Section(title: title, text: busiest), at: 0)
    report.summary += EvidenceReport.busiest(in: busiest)
    return report
  }

  /// `/proc/PID/stat` and a control group's `cpu.stat` may be read by everybody.
  public func cpuTime(of service: String) async -> Duration? {
    guard let identity = waiting.withLock({ $0.identities[service] }) else { return nil }
    return await threads.run { ServiceActivity.cpuTime(of: identity) } ?? nil
  }

  public func allowStarts(_ allowed: Bool) async { connection.send(.allowStarts(allowed)) }

  /// The acting process reads its configuration when it is asked for it.
  public func reload() async {}

  /// The configuration as the acting process sees it now; nil when that is gone.
  public func configurationFiles() async -> RecordedFiles? {
    guard case .configuration(_, let files) = await ask({ .reload($0) }) else { return nil }
    return files
  }

  private func ask(_ request: (Int) -> ActRequest) async -> ActReply? {
    let number = waiting.withLock { waiting in
      defer { waiting.next += 1 }
      return waiting.next
    }
    let message = request(number)
    return await withCheckedContinuation { continuation in
      let isGone = waiting.withLock { waiting in
        if !waiting.isGone { waiting.replies[number] = continuation }
        return waiting.isGone
      }
      if isGone { return continuation.resume(returning: nil) }
      if !connection.send(message) { answer(number, nil) }
    }
  }

  private func take(_ reply: ActReply) {
    switch reply {
    case .report(let report):
      if case .observed(let observation) = report {
        waiting.withLock { $0.identities[observation.service] = observation.condition.identity }
      }
      waiting.withLock { $0.report }?(report)
    case .performed(let number, _), .prepared(let number, _), .evidence(let number, _),
      .configuration(let number, _):
      answer(number, reply)
    case .looked(let looks): processes.note(looks: looks)
    case .reloadWanted: onReload()
    }
  }

  private func answer(_ number: Int, _ reply: ActReply?) {
    waiting.withLock { $0.replies.removeValue(forKey: number) }?.resume(returning: reply)
  }

  private func end() {
    let replies = waiting.withLock { waiting in
      waiting.isGone = true
      defer { waiting.replies = [:] }
      return waiting.replies
    }
    for reply in replies.values { reply.resume(returning: nil) }
    onGone()
  }
}
