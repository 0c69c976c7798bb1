import LifeguardCore
import LifeguardStore

/// How samples get to the disk: told as problems, counted for `/metrics`.
extension Agent {
  /// Hands a turn's row over without waiting: a disk that hangs loses rows, never turns.
  func handOver(_ row: SampleRow) {
    guard let samples = parts.samples else { return }
    if !table.hand(row, to: samples) { counters.rowsTurnedAway += 1 }
  }

  /// Tells what has begun or ended with this turn.
  func noteSamples(at now: Moment) {
    let problems = sampleWatch.problems(sampleFigures, at: now)
    for problem in problems { deliver(.problem(problem)) }
  }

  private var sampleFigures: SampleWatch.Figures {
    SampleWatch.Figures(
      store: parts.samples?.lastStatistics, storeSeriesMax: parts.samples?.seriesMax ?? 0,
      turnedAway: counters.rowsTurnedAway + counters.batchesTurnedAway,
      refusedSeries: turn.head.counters.refusedSeries, seriesMax: turn.head.seriesMax,
      withoutRoom: table.withoutRoom)
  }

  /// What the samples' thread counts; nothing when nothing is written.
  var sampleFamilies: [ExposedFamily] {
    guard let store = parts.samples?.lastStatistics else { return [] }
    func family(
      _ name: String, _ type: MetricType, _ help: String, _ series: [(Labels, Double)]
    ) -> ExposedFamily {
      ExposedFamily(
        family: MetricFamily(name: "lifeguard_samples_\(name)", help: help, type: type),
        series: series.map { ExposedSeries(labels: $0.0, value: $0.1) })
    }
    return [
      family(
        "written_total", .counter, "Samples written to the disk.", [([:], Double(store.samples))]),
      family(
        "written_bytes_total", .counter, "Bytes of samples written to the disk, packed.",
        [([:], Double(store.bytes))]),
      family(
        "folded_total", .counter, "Samples folded into chunks.", [([:], Double(store.folded))]),
      family(
        "lost_writes_total", .counter, "Rows and batches that did not reach the disk, by reason.",
        [
          (["reason": "failure"], Double(store.rowsLost)),
          (
            ["reason": "queue_full"],
            Double(counters.rowsTurnedAway + counters.batchesTurnedAway)
          ),
        ]),
      family(
        "refused_total", .counter, "Samples that were not written to the disk, by reason.",
        [
          (["reason": "duplicate"], Double(store.duplicates)),
          (["reason": "out_of_bounds"], Double(store.outOfBounds)),
          (["reason": "out_of_order"], Double(store.outOfOrder)),
          (["reason": "unknown_series"], Double(store.unknownSamples)),
        ]),
      family(
        "series_refused_total", .counter, "Series that the disk's limit refused.",
        [([:], Double(store.refusedSeries))]),
      family(
        "damaged_total", .counter, "Parts of the samples' file found damaged and dropped.",
        [([:], Double(store.damaged))]),
      family(
        "set_aside", .gauge, "Whether a damaged file was set aside since the start.",
        [([:], store.setAside == nil ? 0 : 1)]),
      family(
        "writable", .gauge, "Whether the newest write to the disk succeeded.",
        [([:], store.failure == nil ? 1 : 0)]),
    ]
  }
}
