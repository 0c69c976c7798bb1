import LifeguardCore

/// What the agent knew at one moment, to be written out elsewhere.
public struct MetricsReport: Sendable {
  let table: SeriesTable
  let own: [ExposedFamily]
  /// Which turn this is from.
  public let turn: UInt64

  /// Everything that was collected last and what the agent counts of itself.
  public func text(_ format: ExpositionFormat) -> [UInt8] {
    var families = table.families + own
    families.sort { $0.family.name < $1.family.name }
    return ExpositionWriter.write(families, format: format)
  }

  /// What the metrics mean, sorted by name.
  var descriptions: [MetricFamily] { table.descriptions + own.map(\.family) }
}
