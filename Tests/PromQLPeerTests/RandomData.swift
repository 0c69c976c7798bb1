import LifeguardCore

/// Random series of every kind that rules meet: counters with resets, gaps, markers, NaN,
/// infinities, histograms, and times that jitter.
///
/// No sample lies on a whole or half second, where windows of queries begin and end: Prometheus
/// 2.42 closes them on the left, later versions open them.
struct RandomData {
  struct Series {
    var labels: Labels
    var samples: [Sample]
  }

  /// 2023-11-14T22:13:20Z.
  static let start: Int64 = 1_700_000_000_000
  static let seconds = 3000
  private static let interval: Int64 = 15_000
  private static var count: Int { seconds * 1000 / Int(interval) }
  /// More would bring a counter near zero, where 2.42 stretches its rate differently.
  private static let resetsMax = 3

  var series: [Series]

  init(seed: UInt64, variant: Int) {
    var random = RandomSource(seed: seed)
    series = []
    let identity: Labels = ["v": "\(variant)"]
    for job in ["a", "b"] {
      add(&random, identity, ["__name__": "i", "job": job, "version": "v\(job)"], .information)
      for bound in ["0.1", "0.5", "1", "5", "+Inf"] {
        add(&random, identity, ["__name__": "h_bucket", "job": job, "le": bound], .bucket)
      }
      for instance in ["1", "2", "3"] {
        let place: Labels = ["job": job, "instance": instance]
        add(&random, identity.merging(place, "steady_total"), Labels(), .steadyCounter)
        add(&random, identity.merging(place, "g"), Labels(), .gauge)
        for mode in ["x", "y"] {
          add(&random, identity.merging(place, "c_total"), ["mode": mode], .counter)
          add(&random, identity.merging(place, "n"), ["mode": mode], .number)
        }
      }
    }
  }

  private enum Kind {
    case counter
    /// Without gaps, so that it may start from zero: 2.42 stretches such a rate differently.
    case steadyCounter
    case gauge
    case number
    case bucket
    case information
  }

  private mutating func add(
    _ random: inout RandomSource, _ identity: Labels, _ labels: Labels, _ kind: Kind
  ) {
    var all = identity
    for label in labels { all[label.name] = label.value }
    var samples: [Sample] = []
    var value = kind == .counter ? random.number(1e5...2e5) : random.number(0...50)
    var gap = 0
    var resets = 0
    let scales: [String: Double] = ["0.1": 1, "0.5": 2, "1": 3, "5": 4, "+Inf": 5]
    let scale = scales[all["le"] ?? ""] ?? 1
    if kind == .bucket { value = scale * 10 }
    for index in 0..<Self.count {
      step(&value, &resets, kind, scale, &random)
      if gap > 0 {
        gap -= 1
        continue
      }
      // So little for counters that no distance between samples looks like a gap: beside one, 2.42
      // stretches a rate differently.
      let isCounter = kind == .counter || kind == .steadyCounter || kind == .bucket
      var jitter = Int64(random.integer(1...(isCounter ? 399 : 899)))
      if jitter == 500 { jitter = 501 }
      let time = Timestamp(milliseconds: Self.start + Int64(index) * Self.interval + jitter)
      if kind == .counter || kind == .gauge || kind == .number, random.chance(1) {
        gap = random.integer(1...30)
        // A gap with a marker is an end; one without is a scrape that failed.
        if random.chance(50) { samples.append(Sample(timestamp: time, value: .staleMarker)) }
        continue
      }
      samples.append(Sample(timestamp: time, value: shown(value, kind, &random)))
    }
    series.append(Series(labels: all, samples: samples))
  }

  private func step(
    _ value: inout Double, _ resets: inout Int, _ kind: Kind, _ scale: Double,
    _ random: inout RandomSource
  ) {
    switch kind {
    case .counter:
      value += random.chance(20) ? 0 : random.number(0...100)
      // To less than half: after a gap, 2.42 goes by how far the first value is from zero.
      if resets < Self.resetsMax, random.chance(2) {
        value *= random.number(0.3...0.45)
        resets += 1
      }
    case .steadyCounter:
      value += random.chance(20) ? 0 : random.number(0...10)
      if random.chance(2) { value = 0 }
    case .bucket: value += scale * Double(random.integer(0...3))
    case .gauge, .number: value += random.number(-5...5)
    case .information: value = 1
    }
  }

  private func shown(_ value: Double, _ kind: Kind, _ random: inout RandomSource) -> Double {
    guard kind == .gauge, random.chance(3) else { return value }
    return random.pick([.nan, .infinity, -.infinity, 0, -0.0, 1e300, -1e-300])
  }

  /// The same series in a head.
  func head() throws -> Head {
    var head = Head()
    for one in series {
      let reference = try head.reference(for: one.labels)
      for sample in one.samples {
        try head.append(reference, at: sample.timestamp, sample.value)
      }
    }
    return head
  }

  /// The same series, each made larger or smaller in the 13th digit; equal samples stay equal.
  func nudged(seed: UInt64) -> RandomData {
    var random = RandomSource(seed: seed)
    var copy = self
    for index in copy.series.indices {
      let factor = 1 + random.number(-1...1) * 1e-13
      for place in copy.series[index].samples.indices
      where copy.series[index].samples[place].value.isFinite {
        copy.series[index].samples[place].value *= factor
      }
    }
    return copy
  }

  /// The same series told apart from others by their label `v`.
  func renumbered(_ variant: Int) -> RandomData {
    var copy = self
    for index in copy.series.indices { copy.series[index].labels["v"] = "\(variant)" }
    return copy
  }
}

extension Labels {
  fileprivate func merging(_ other: Labels, _ name: String) -> Labels {
    var result = self
    for label in other { result[label.name] = label.value }
    result[Labels.metricName] = name
    return result
  }
}
