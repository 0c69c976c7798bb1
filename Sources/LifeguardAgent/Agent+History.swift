import LifeguardCore
import LifeguardStore
import Logging

/// Memory of before: rules that look back minutes need not start from nothing.
extension Agent {
  /// As far as most rules look back; the few that look further wait, and say so as no data.
  static let refilled: Duration = .seconds(600)
  /// Half a second of work at the most.
  static let refilledSamplesMax = 1_000_000
  /// Less than this is no use to a rule.
  static let refilledLeast: Duration = .seconds(60)

  /// Puts the last minutes from `samples.db` back into memory, before anything newer comes; fewer
  /// minutes where there are too many samples. Queries read what is not in memory from the disk.
  func refill(samplesMax: Int = Agent.refilledSamplesMax) async {
    let now = parts.clock().wall
    var length = Agent.refilled
    refilledFrom = nil
    do throws(StoreError) {
      while length >= Agent.refilledLeast {
        let (series, truncated) = try await parts.history.read(
          from: now - length, to: now, samplesMax: samplesMax)
        // The newest would be missing, and a gap before now is worse than none before it.
        if truncated {
          length /= 2
          continue
        }
        for one in series { refill(one) }
        // It lies on the disk already, and has been sent.
        _ = turn.head.takeJournal()
        refilledFrom = now - length
        return
      }
      logger.warning("Samples not read back: there are too many")
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
