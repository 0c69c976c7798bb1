import LifeguardCore
import LifeguardStore
import Logging

/// Memory of before: rules that look back minutes need not start from nothing.
extension Agent {
  /// As far as most rules look back; the few that look further wait, and say so as no data.
  static let refilled: Duration = .seconds(600)
  /// Half a second of work at the most.
  static let refilledSamplesMax = 1_000_000

  /// Puts the last minutes from `samples.db` back into memory, before anything newer comes.
  func refill() async {
    let now = parts.clock().wall
    do throws(StoreError) {
      let (series, truncated) = try await parts.history.read(
        from: now - Agent.refilled, to: now, samplesMax: Agent.refilledSamplesMax)
      // The newest would be missing, and a gap before now is worse than none before it.
      guard !truncated else { return }
      for one in series { refill(one) }
      // It lies on the disk already, and has been sent.
      _ = turn.head.takeJournal()
    } catch {
      logger.warning("Samples not read back", error: error)
    }
  }

  private func refill(_ series: StoredSeries) {
    do throws(HeadError) {
      let reference = try turn.head.reference(
        for: series.labels, origin: series.isRemote ? .remote : .local)
      for sample in series.samples {
        try turn.head.append(reference, at: sample.timestamp, sample.value)
      }
    } catch {
      // Counted by the head: its limit, or a clock that was set back meanwhile.
      return
    }
  }
}
