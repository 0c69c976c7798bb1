import LifeguardCore
import LifeguardStore

/// Watches what becomes of samples and series beside the turn, and says what people should know.
///
/// Each trouble is told once, and ended when it has not shown for a while: a limit is met with
/// every scrape, and a disk that is full takes a row now and then.
struct SampleWatch {
  /// What was counted up to some turn.
  struct Figures {
    /// Of the samples' thread; nil when nothing is written to the disk.
    var store: SampleStore.Statistics?
    /// How many series the disk takes at a time.
    var storeSeriesMax = 0
    /// Rows and batches that found no room before the disk.
    var turnedAway: UInt64 = 0
    /// Series that the head has refused since the start, and how many it takes.
    var refusedSeries: UInt64 = 0
    var seriesMax = 0
    /// Series of collectors that have no room in memory now.
    var withoutRoom = 0
  }

  private enum Trouble: CaseIterable {
    case setAside
    case notWritten
    case memoryFull
    case diskFull

    /// How long it is told of after it was seen last.
    var quiet: Duration {
      switch self {
      // It happens once; an hour is long enough for somebody to look.
      case .setAside: .seconds(3600)
      case .notWritten: .seconds(60)
      // Exporters are asked every few minutes at most.
      case .memoryFull, .diskFull: .seconds(600)
      }
    }

    var name: String {
      switch self {
      case .setAside: "LifeguardSamplesSetAside"
      case .notWritten: "LifeguardSamplesNotWritten"
      case .memoryFull, .diskFull: "LifeguardSeriesLimit"
      }
    }

    var labels: Labels {
      switch self {
      case .setAside, .notWritten: [:]
      case .memoryFull: ["where": "memory"]
      case .diskFull: ["where": "disk"]
      }
    }
  }

  private var lastSeen: [Trouble: Moment] = [:]
  private var before = Figures()

  /// What has begun or ended since the last call.
  mutating func problems(_ figures: Figures, at now: Moment) -> [Problem] {
    var problems: [Problem] = []
    for trouble in Trouble.allCases {
      let summary = summary(trouble, figures)
      if let summary {
        if lastSeen[trouble] == nil {
          problems.append(
            Problem(
              name: trouble.name, labels: trouble.labels, summary: summary, isActive: true))
        }
        lastSeen[trouble] = now
      } else if let last = lastSeen[trouble], now.elapsed(since: last) >= trouble.quiet {
        lastSeen[trouble] = nil
        problems.append(
          Problem(name: trouble.name, labels: trouble.labels, summary: "", isActive: false))
      }
    }
    before = figures
    return problems
  }

  /// In one sentence what has happened since the last call; nil when it has not.
  private func summary(_ trouble: Trouble, _ figures: Figures) -> String? {
    switch trouble {
    case .setAside:
      guard let path = figures.store?.setAside, path != before.store?.setAside else { return nil }
      return "the samples' file was damaged and a new one was begun: what it held is missing from"
        + " queries; the old one is \(path)"
    case .notWritten:
      return reason(figures).map {
        "samples are kept in memory only, and lost if the agent ends: \($0)"
      }
    case .memoryFull:
      guard figures.refusedSeries > before.refusedSeries || figures.withoutRoom > 0 else {
        return nil
      }
      return "\(figures.seriesMax) series are in memory, as many as collect.series_max allows, and"
        + " new ones are refused (\(figures.refusedSeries) times since the start): raise it, or"
        + " collect fewer series"
    case .diskFull:
      let refused = figures.store?.refusedSeries ?? 0
      guard refused > before.store?.refusedSeries ?? 0 else { return nil }
      return "\(figures.storeSeriesMax) series are written to the disk, as many as it takes, and"
        + " \(refused) new ones were refused since the start: they are in memory only; collect"
        + " fewer series"
    }
  }

  private func reason(_ figures: Figures) -> String? {
    if let failure = figures.store?.failure { return "\(failure)" }
    if figures.turnedAway > before.turnedAway { return "the disk does not keep up" }
    return nil
  }

  /// For the status: `on`, or what is wrong.
  var state: String {
    guard let store = before.store else { return "off" }
    if lastSeen[.notWritten] != nil {
      return "not written: \(store.failure.map { "\($0)" } ?? "the disk does not keep up")"
    }
    return store.setAside.map { "a damaged file was set aside: \($0)" } ?? "on"
  }
}
