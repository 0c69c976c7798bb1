import LifeguardAgent
import LifeguardConfiguration
import LifeguardCore
import LifeguardStore

/// Where the samples for a question come from: memory, and the disk when the question reaches
/// further back than memory does.
///
/// ```
///  request ─▶ does it need the disk? ─ no ────────────────────────────────▶ desk ─▶ answer
///                   └─ yes ─▶ gate (2) ─▶ read, on the archive's thread ─▶ desk ─▶ answer
/// ```
///
/// One deadline holds for all of it.
extension Responder {
  /// Evaluates a query over all that it reaches.
  func evaluate(
    _ query: Query, _ call: PrometheusCall, from start: Timestamp, to end: Timestamp,
    step: Duration,
    _ work:
      @escaping @Sendable (SampleSource, QueryOptions, QueryTicket) throws(APIFailure) -> Reply
  ) async throws(APIFailure) -> Reply {
    let deadline = try call.deadline()
    let lookback = try call.lookback()
    let memory = await agent.snapshot()
    let reach = query.longestLookback(lookback: lookback).map { start - $0 }
    if let reach, await agent.memoryReach <= reach {
      return await atDesk(call, until: deadline) { ticket throws(APIFailure) in
        try work(.memory(memory), try call.options(ticket), ticket)
      }
    }
    return try await withDisk(call, until: deadline) { () async throws(APIFailure) -> Reply in
      let archive = agent.history
      let options = QueryOptions(
        lookback: lookback, samplesMax: call.settings.samplesMax,
        pointsMax: call.settings.pointsMax)
      let older = try await Responder.read(until: deadline) { () throws(ArchiveError) in
        try await archive.source(
          for: query, from: start, to: end, step: step, options: options,
          limits: ArchiveLimits(samplesMax: options.samplesMax))
      }
      // As it is now: the wait may have been long.
      let memory = await agent.snapshot()
      return await atDesk(call, until: deadline) { ticket throws(APIFailure) in
        let merged = MergedSource(newer: memory, older: older)
        return try work(.withArchive(merged), try call.options(ticket), ticket)
      }
    }
  }

  /// Answers a question about label sets with samples between two times, in memory and on the disk.
  func answer(
    _ question: SeriesQuestion, _ call: PrometheusCall,
    _ work:
      @escaping @Sendable (Set<Labels>, _ warnings: [String], QueryTicket) throws(APIFailure)
      -> Reply
  ) async throws(APIFailure) -> Reply {
    let deadline = try call.deadline()
    let memory = await agent.snapshot()
    if await agent.memoryReach <= question.start {
      return await atDesk(call, until: deadline) { ticket throws(APIFailure) in
        try work(try question.found(in: memory, ticket), [], ticket)
      }
    }
    return try await withDisk(call, until: deadline) { () async throws(APIFailure) -> Reply in
      let archive = agent.history
      let selectors = question.selectors.isEmpty ? [[]] : question.selectors
      let stored = try await Responder.read(until: deadline) { () throws(ArchiveError) in
        try await archive.labels(
          matching: selectors, from: question.start, to: question.end,
          limit: Responder.storedLabelsMax)
      }
      let warnings =
        stored.truncated
        ? [
          "more than \(Responder.storedLabelsMax) stored series match: some are left out;"
            + " add matchers or name a shorter time"
        ] : []
      let memory = await agent.snapshot()
      return await atDesk(call, until: deadline) { ticket throws(APIFailure) in
        try work(
          try question.found(in: memory, ticket).union(stored.labels), warnings, ticket)
      }
    }
  }

  /// Label sets from the disk in one answer, about 200 bytes each.
  private static let storedLabelsMax = 200_000

  /// Runs `body` with one of the few places for those who read the disk.
  private func withDisk(
    _ call: PrometheusCall, until deadline: ContinuousClock.Instant,
    _ body: () async throws(APIFailure) -> Reply
  ) async throws(APIFailure) -> Reply {
    guard await disk.enter(until: deadline, for: call.watch, timer: call.timer) else {
      guard ContinuousClock.now < deadline else {
        throw APIFailure(.timeout, QueryTicket.queueTimeout)
      }
      throw APIFailure(.interrupted(.canceled))
    }
    defer { disk.leave() }
    return try await body()
  }

  /// What `body` reads, on the archive's own thread; it is cancelled when the time is up.
  private static func read<Value: Sendable>(
    until deadline: ContinuousClock.Instant,
    _ body: @escaping @Sendable () async throws(ArchiveError) -> Value
  ) async throws(APIFailure) -> Value {
    let found = await withTaskGroup(of: Result<Value, ArchiveError>?.self) { group in
      group.addTask {
        do throws(ArchiveError) { return .success(try await body()) } catch {
          return .failure(error)
        }
      }
      group.addTask {
        // Cancellation ends the wait: the answer is there.
        try? await Task.sleep(until: deadline)
        return nil
      }
      let first = await group.next() ?? nil
      group.cancelAll()
      return first
    }
    switch found {
    case .success(let value): return value
    case .failure(let error): throw APIFailure(error)
    case nil: throw APIFailure(.interrupted(.timedOut))
    }
  }
}

extension APIFailure {
  init(_ error: ArchiveError) {
    switch error {
    case .tooManyBytes, .tooManySeries: self.init(.execution, error.description)
    case .cancelled: self.init(.interrupted(.timedOut))
    case .store, .tooManySamples: self.init(error.queryError)
    }
  }
}
