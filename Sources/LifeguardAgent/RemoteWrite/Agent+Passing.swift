import AsyncHTTPClient
import LifeguardConfiguration
import LifeguardCore
import LifeguardStore

/// Samples on their way from the head to other stores.
extension Agent {
  /// Who appended the samples that are passed on.
  enum Appender {
    /// Their samples reach `samples.db` by their rows.
    case collectors
    case others
  }

  /// Hands what was appended since the last call to `samples.db` and to remote write, without
  /// waiting.
  func passOn(_ appender: Appender) {
    let entries = turn.head.takeJournal()
    guard !entries.isEmpty else { return }
    if appender == .others, let samples = parts.samples {
      let head = turn.head
      let batch = sampleJournal.batch(entries.lazy.map { ($0.reference, $0.sample) }) {
        (head.labels(of: $0), head.isRemote($0))
      }
      // What a disk that hangs loses, memory has; the series are introduced again.
      if !samples.offer(batch) {
        counters.batchesTurnedAway += 1
        sampleJournal.forget()
      }
    }
    for destination in destinations {
      destination.offer(entries) { self.turn.head.labels(of: $0) }
    }
    offerToCloud(entries)
  }

  /// One loop for what is sent and one for what waits, for each store; a reload that changes the
  /// stores begins anew, with what waits on disk.
  nonisolated func sendRemotely() async {
    while !Task.isCancelled {
      let (destinations, settings) = await openDestinations()
      await withTaskGroup { group in
        for destination in destinations {
          group.addTask { await destination.absorb() }
          group.addTask { await destination.send() }
        }
        group.addTask { await self.waitForStores(otherThan: settings) }
        await group.next()
        group.cancelAll()
      }
    }
    await finishSending()
  }

  /// Waits until a reload names other stores, or the same ones otherwise.
  private nonisolated func waitForStores(otherThan current: [RemoteWriteSettings]) async {
    while !Task.isCancelled {
      let generation = await configurationGeneration
      guard await configuration.remoteWrite == current else { return }
      await waitForReload(after: generation)
    }
  }

  private func openDestinations() async -> ([RemoteWriteDestination], [RemoteWriteSettings]) {
    let settings = configuration.remoteWrite
    let kept = destinations.filter { settings.contains($0.settings) }
    let gone = destinations.filter { !settings.contains($0.settings) }
    destinations = kept
    for destination in gone { await destination.close() }
    for new in settings where !destinations.contains(where: { $0.settings == new }) {
      destinations.append(
        RemoteWriteDestination(
          new, folder: "\(parts.dataDirectory)/remote-write",
          externalLabels: configuration.externalLabels,
          group: parts.notifiers.client.eventLoopGroup,
          clock: parts.clock, logger: logger))
    }
    chooseJournal()
    return (destinations, settings)
  }

  /// At a clean end every live series ends at the store too; what cannot be sent now waits on disk.
  private func finishSending() async {
    guard !destinations.isEmpty else { return }
    let now = parts.clock().wall
    let markers = turn.head.liveReferences.map {
      JournalEntry(reference: $0, sample: Sample(timestamp: now, value: .staleMarker))
    }
    passOn(.others)
    let ending = destinations
    destinations = []
    for destination in ending {
      destination.offer(markers) { self.turn.head.labels(of: $0) }
    }
    await withDiscardingTaskGroup { group in
      for destination in ending {
        group.addTask {
          await destination.finish(within: .seconds(2))
          await destination.close()
        }
      }
    }
  }

  /// What came in and what went out, for `/metrics`.
  var wireFamilies: [ExposedFamily] {
    var families = incoming.families
    families.append(
      ExposedFamily(
        family: MetricFamily(
          name: "lifeguard_scrape_samples_out_of_bounds_total",
          help: "Scraped samples left out because their own time is too old or too far ahead.",
          type: .counter),
        series: [ExposedSeries(labels: [:], value: Double(counters.scrapedOutOfBounds))]))
    for destination in destinations {
      for family in destination.status.families {
        if let known = families.firstIndex(where: { $0.family.name == family.family.name }) {
          families[known].series += family.series
        } else {
          families.append(family)
        }
      }
    }
    return families
  }

  /// A store that takes too little is a problem of its own, told once and ended once.
  func noteDropping() {
    for destination in destinations {
      let name = destination.settings.name
      let dropped = destination.isDropping
      guard dropped != droppingDestinations.contains(name) else { continue }
      if dropped { droppingDestinations.insert(name) } else { droppingDestinations.remove(name) }
      deliver(
        .problem(
          Problem(
            name: "LifeguardRemoteWriteDropping", labels: ["remote_name": name],
            summary: "samples for \(name) are lost: \(destination.dropReason)",
            isActive: dropped)))
    }
  }
}
