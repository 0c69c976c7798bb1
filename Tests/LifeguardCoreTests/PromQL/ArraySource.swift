import LifeguardCore

/// Series in plain arrays: what queries are tested over when the head is not the subject.
struct ArraySource: SeriesSource {
  var series: [(labels: Labels, samples: [Sample])] = []

  var generation: UInt64? { nil }

  func select(
    _ matchers: [Matcher], after: Timestamp, through: Timestamp
  ) throws(SeriesSourceError) -> [SeriesReference] {
    series.indices.filter { index in matchers.allSatisfy { $0.matches(series[index].labels) } }
      .map { SeriesReference(slot: Int32($0)) }
  }

  func labels(of reference: SeriesReference) -> Labels { series[Int(reference.slot)].labels }

  func lastSample(
    of reference: SeriesReference, after: Timestamp, through: Timestamp
  ) -> Sample? {
    series[Int(reference.slot)].samples.last { $0.timestamp <= through && $0.timestamp > after }
  }

  func collect(
    _ reference: SeriesReference, after: Timestamp, through: Timestamp,
    into samples: inout [Sample]
  ) {
    samples += series[Int(reference.slot)].samples.filter {
      $0.timestamp <= through && $0.timestamp > after
    }
  }
}
