/// What all series of one metric have in common: its name, what it says, its type and its unit.
public struct MetricFamily: Hashable, Sendable {
  /// The metric's name as it is queried, with its suffix: `node_cpu_seconds_total`.
  public var name: String
  /// One sentence for people, as exporters give it after `# HELP`.
  public var help: String
  public var type: MetricType
  /// The base unit at the end of the name (`seconds`, `bytes`), as OpenMetrics' `# UNIT` wants it;
  /// `nil` when the name carries none.
  public var unit: String?

  public init(name: String, help: String, type: MetricType, unit: String? = nil) {
    self.name = name
    self.help = help
    self.type = type
    self.unit = unit
  }
}
