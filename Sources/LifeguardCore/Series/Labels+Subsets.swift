/// The label sets that PromQL derives from others: each is one pass over a sorted array.
extension Labels {
  /// Takes labels that are already sorted by name, unique, and without empty values.
  init(sortedUnique labels: [Label]) {
    self.init(unchecked: labels)
  }

  /// The labels that say what a metric is, and which a calculation on it therefore drops.
  static let metadataNames = [Labels.metricName, "__type__", "__unit__"]

  /// Without the metric's name, type and unit.
  func withoutMetadata() -> Labels {
    without(Self.metadataNames)
  }

  /// Whether `withoutMetadata` would take anything away.
  var hasMetadata: Bool { contains { Self.metadataNames.contains($0.name) } }

  /// Only the labels whose names are listed.
  func keeping(_ names: [String]) -> Labels {
    if names.isEmpty { return Labels() }
    return Labels(sortedUnique: filter { names.contains($0.name) })
  }

  /// Without the labels whose names are listed.
  func without(_ names: [String]) -> Labels {
    // Most sets do not have the label in question: then nothing is copied.
    guard contains(where: { names.contains($0.name) }) else { return self }
    return Labels(sortedUnique: filter { !names.contains($0.name) })
  }
}
