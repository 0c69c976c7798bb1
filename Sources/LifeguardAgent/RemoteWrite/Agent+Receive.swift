import LifeguardConfiguration
import LifeguardCore
import LifeguardStore

/// Remote write in.
extension Agent {
  /// Samples' worth of work done between two jobs of the agent's thread: about a millisecond, which
  /// is what a turn is late at most for each request being written.
  static let sliceBudget = 2000
  /// Families whose description is remembered.
  static let remoteFamiliesMax = 20_000

  /// Takes the body of a remote write request (1.0) as it was sent: Snappy, protobuf.
  ///
  /// Decompressed, decoded and checked outside the actor, appended in slices: the turn of a second
  /// goes on in between. What is good is in when it returns, whatever the outcome says of the rest.
  public nonisolated func receive(_ body: [UInt8]) async -> WriteOutcome {
    guard await incoming.gate.enter(bytes: body.count) else {
      incoming.count { $0.busy += 1 }
      return WriteOutcome(
        problem: "too many remote write requests at once; send this one again", isBusy: true)
    }
    defer { incoming.gate.leave() }
    var outcome = WriteOutcome()
    do throws(WriteError) {
      let write = try DecodedWrite(body: body)
      outcome.skippedExemplars = write.exemplars
      outcome.skippedHistograms = write.histograms
      var next = 0
      while next < write.series.count {
        (next, outcome) = await append(write, from: next, outcome)
      }
      if !write.metadata.isEmpty { await describe(write.metadata) }
    } catch {
      outcome.problem = error.description
    }
    let final = outcome
    incoming.count { $0.add(final) }
    return outcome
  }

  private func append(
    _ write: DecodedWrite, from start: Int, _ outcome: WriteOutcome
  ) -> (Int, WriteOutcome) {
    var outcome = outcome
    let next = ingest.append(
      write, from: start, budget: Agent.sliceBudget, window: acceptedTimes, into: &turn.head,
      outcome: &outcome)
    passOn(.others)
    return (next, outcome)
  }

  /// Which samples of senders and exporters are taken now.
  var acceptedTimes: TimeWindow {
    TimeWindow(now: parts.clock().wall, retention: configuration.collect.memoryRetention)
  }

  /// Remembers what senders and exporters say about their metrics.
  func describe(_ families: [MetricFamily]) {
    for family in families {
      guard
        remoteFamilyTable[family.name] != nil
          || remoteFamilyTable.count < Agent.remoteFamiliesMax
      else { continue }
      remoteFamilyTable[family.name] = family
    }
  }

  /// Descriptions of metrics that were scraped or received, sorted by name.
  public var remoteFamilies: [MetricFamily] {
    remoteFamilyTable.values.sorted { $0.name < $1.name }
  }
}
