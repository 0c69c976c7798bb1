import AsyncHTTPClient
import LifeguardConfiguration
import LifeguardCore
import Logging

/// Scraping: one loop a target, beside the agent.
extension Agent {
  /// Scrapes for as long as the task lives; a reload starts new targets and lets go of old ones,
  /// while those that stay are not disturbed.
  nonisolated func keepScraping() async {
    var clients: [WebAccess: HTTPClient] = [:]
    await withDiscardingTaskGroup { group in
      while !Task.isCancelled {
        let generation = await configurationGeneration
        for target in await newTargets() {
          let access = target.settings.access
          let client =
            clients[access]
            ?? HTTPClient(
              eventLoopGroup: parts.notifiers.client.eventLoopGroup,
              configuration: access.clientConfiguration)
          clients[access] = client
          let registry = targets
          group.addTask {
            var loop = ScrapeLoop(target, agent: self, client: client, registry: registry)
            await loop.run()
            registry.ended(target)
          }
        }
        await waitForReload(after: generation)
      }
    }
    for client in clients.values {
      // A client that is in use no longer has nothing else to tell.
      try? await client.shutdown()
    }
  }

  private func newTargets() -> [ScrapeTarget] {
    var wanted: [ScrapeTarget] = []
    var dropped: [(Labels, ScrapeSettings)] = []
    for job in configuration.collect.scrape {
      let (targets, gone, faults) = ScrapeTarget.all(of: job)
      wanted += targets
      dropped += gone.map { ($0, job) }
      for fault in faults {
        logger.warning("Target not scraped", metadata: ["reason": "\(fault)"])
      }
    }
    return targets.want(wanted, dropped: dropped)
  }

  /// Stores scraped samples; gives each one's reference, nil where the head refused the series.
  ///
  /// Exporters may give samples times of their own: those that are too far off are left out, as in
  /// Prometheus, and the rest of the scrape counts.
  func append(
    _ samples: ArraySlice<ScrapeCache.Pending>, interval: Duration
  ) -> [SeriesReference?] {
    defer { passOn(.others) }
    let window = acceptedTimes
    return samples.map { pending -> SeriesReference? in
      guard window.contains(pending.sample.timestamp) else {
        counters.scrapedOutOfBounds += 1
        return pending.reference
      }
      do throws(HeadError) {
        if let known = pending.reference {
          do throws(HeadError) {
            try turn.head.append(known, at: pending.sample.timestamp, pending.sample.value)
            return known
          } catch {
            guard error == .unknownSeries else { return known }
          }
        }
        let reference = try turn.head.reference(for: pending.labels, origin: .remote)
        if interval > .seconds(1) {
          turn.sourceIntervals[pending.labels.metric] = interval
        }
        try turn.head.append(reference, at: pending.sample.timestamp, pending.sample.value)
        return reference
      } catch {
        // Counted by the head; a series that it refuses is asked for again with the next scrape.
        return turn.head.existingReference(for: pending.labels).flatMap {
          turn.head.isRemote($0) ? $0 : nil
        }
      }
    }
  }

  /// What is scraped and how it goes, for the API.
  public nonisolated var scrapeTargets: [ScrapeTargetStatus] { targets.statuses }
}
