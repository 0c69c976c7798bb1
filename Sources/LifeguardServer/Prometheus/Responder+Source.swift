import LifeguardAgent
import LifeguardConfiguration
import LifeguardCore
import LifeguardStore

/// Where the samples for a question come from.
extension Responder {
  /// The samples as they are now; with those on the disk when the query reaches further back than
  /// memory does.
  ///
  /// The disk is read on the archive's own thread, for at most as long as the query may take.
  func source(
    for query: Query, _ call: PrometheusCall, from start: Timestamp, to end: Timestamp,
    step: Duration, within timeout: Duration
  ) async throws(APIFailure) -> SampleSource {
    let memory = await agent.snapshot()
    let options = QueryOptions(
      lookback: try call.lookback(), samplesMax: call.settings.samplesMax,
      pointsMax: call.settings.pointsMax)
    let reach = query.longestLookback(lookback: options.lookback).map { start - $0 }
    if let reach, await agent.memoryReach <= reach { return .memory(memory) }
    let archive = agent.history
    let older = await Responder.within(timeout) { () async -> Result<StoredSource, ArchiveError> in
      do throws(ArchiveError) {
        return .success(
          try await archive.source(
            for: query, from: start, to: end, step: step, options: options,
            limits: ArchiveLimits(samplesMax: options.samplesMax)))
      } catch {
        return .failure(error)
      }
    }
    switch older {
    case .success(let older): return .withArchive(MergedSource(newer: memory, older: older))
    case .failure(let error): throw APIFailure(error)
    case nil: throw APIFailure(.interrupted(.timedOut))
    }
  }

  /// The label sets with samples between two times, in memory and on the disk.
  func storedLabels(
    _ selectors: [[Matcher]], from start: Timestamp, to end: Timestamp, within timeout: Duration
  ) async throws(APIFailure) -> Set<Labels> {
    guard await agent.memoryReach > start else { return [] }
    let archive = agent.history
    let found = await Responder.within(timeout) { () async -> Result<[Labels], ArchiveError> in
      do throws(ArchiveError) {
        return .success(
          try await archive.labels(
            matching: selectors.isEmpty ? [[]] : selectors, from: start, to: end,
            limit: Responder.storedLabelsMax
          ).labels)
      } catch {
        return .failure(error)
      }
    }
    switch found {
    case .success(let labels): return Set(labels)
    case .failure(let error): throw APIFailure(error)
    case nil: throw APIFailure(.interrupted(.timedOut))
    }
  }

  /// Label sets from the disk in one answer, about 200 bytes each.
  private static let storedLabelsMax = 200_000

  /// What `body` gives, or nil when the time is up; then it is cancelled.
  private static func within<Value: Sendable>(
    _ timeout: Duration, _ body: @escaping @Sendable () async -> Value
  ) async -> Value? {
    await withTaskGroup(of: Value?.self) { group in
      group.addTask { await body() }
      group.addTask {
        // Cancellation ends the wait: the answer is there.
        try? await Task.sleep(for: timeout)
        return nil
      }
      let first = await group.next() ?? nil
      group.cancelAll()
      return first
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
