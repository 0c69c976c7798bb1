import LifeguardConfiguration
import LifeguardCore
import Synchronization

/// Which targets are to be scraped, and how each is doing.
final class ScrapeRegistry: Sendable {
  private struct State {
    var targets: [ScrapeTarget: ScrapeTargetStatus] = [:]
    /// Those with a loop, even when they are no longer wanted.
    var running: Set<ScrapeTarget> = []
    var dropped: [ScrapeTargetStatus] = []
  }

  private let state = Mutex(State())

  /// Takes the jobs of a configuration over; gives the targets that have no loop yet.
  func want(_ targets: [ScrapeTarget], dropped: [(Labels, ScrapeSettings)]) -> [ScrapeTarget] {
    state.withLock { state in
      var wanted: [ScrapeTarget: ScrapeTargetStatus] = [:]
      for target in targets {
        wanted[target] = state.targets[target] ?? ScrapeRegistry.unknown(target)
      }
      state.targets = wanted
      state.dropped = dropped.map { labels, settings in
        ScrapeTargetStatus(
          job: settings.job, url: "", discoveredLabels: labels, labels: [:], health: .unknown,
          lastError: "", lastScrapeDuration: .zero, interval: settings.interval,
          timeout: settings.timeout, isDropped: true)
      }
      let new = targets.filter { !state.running.contains($0) }
      state.running.formUnion(new)
      return new
    }
  }

  func isWanted(_ target: ScrapeTarget) -> Bool {
    state.withLock { $0.targets[target] != nil }
  }

  /// The loop of a target has ended.
  func ended(_ target: ScrapeTarget) {
    state.withLock { _ = $0.running.remove(target) }
  }

  func note(
    _ target: ScrapeTarget, at time: Timestamp, took duration: Duration, error: String?
  ) {
    state.withLock { state in
      state.targets[target]?.health = error == nil ? .up : .down
      state.targets[target]?.lastError = error ?? ""
      state.targets[target]?.lastScrape = time
      state.targets[target]?.lastScrapeDuration = duration
    }
  }

  /// By job and URL, dropped ones last.
  var statuses: [ScrapeTargetStatus] {
    state.withLock { state in
      state.targets.values.sorted { ($0.job, $0.url) < ($1.job, $1.url) } + state.dropped
    }
  }

  private static func unknown(_ target: ScrapeTarget) -> ScrapeTargetStatus {
    ScrapeTargetStatus(
      job: target.settings.job, url: target.url, discoveredLabels: target.discovered,
      labels: target.labels, health: .unknown, lastError: "", lastScrapeDuration: .zero,
      interval: target.settings.interval, timeout: target.settings.timeout, isDropped: false)
  }
}
