import LifeguardCore

extension MetricFamily {
  /// The base units of Prometheus' naming practice that occur in host metrics.
  private static func unit(of name: String) -> String? {
    let base = name.hasSuffix("_total") ? name.dropLast("_total".utf8.count) : name[...]
    for unit in ["seconds", "bytes", "hertz", "ratio", "celsius", "bits", "volts"]
    where base.hasSuffix("_" + unit) {
      return unit
    }
    return nil
  }

  static func counter(_ name: String, _ help: String) -> MetricFamily {
    MetricFamily(name: name, help: help, type: .counter, unit: unit(of: name))
  }

  static func gauge(_ name: String, _ help: String) -> MetricFamily {
    MetricFamily(name: name, help: help, type: .gauge, unit: unit(of: name))
  }

  static func untyped(_ name: String, _ help: String) -> MetricFamily {
    MetricFamily(name: name, help: help, type: .untyped, unit: unit(of: name))
  }
}

/// A figure that is always there: its slot is registered when it is first written.
struct Figure {
  private let family: MetricFamily
  private let labels: Labels
  private var slot: Slot?

  init(_ family: MetricFamily, _ labels: Labels = Labels()) {
    self.family = family
    self.labels = labels
  }

  mutating func write(_ value: Double, to scrape: inout Scrape) {
    if let slot {
      scrape[slot] = value
    } else {
      let slot = scrape.register(family, labels)
      scrape[slot] = value
      self.slot = slot
    }
  }

  mutating func release(in scrape: inout Scrape) {
    if let slot { scrape.release(slot) }
    slot = nil
  }
}
