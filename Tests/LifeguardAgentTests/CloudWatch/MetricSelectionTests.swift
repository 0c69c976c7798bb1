import LifeguardConfiguration
import LifeguardCore
import Testing

@testable import LifeguardAgent

@Suite struct MetricSelectionTests {
  private let time = Timestamp(milliseconds: 1_795_420_800_000)

  /// Samples of series that are told by their place, and what is published of them.
  private func fold(
    _ metrics: [CloudMetric], _ series: [(Labels, Double)], remote: Set<Int> = []
  ) -> [String: Double] {
    var selection = MetricSelection(metrics)
    let entries = series.enumerated().map { index, one in
      JournalEntry(
        reference: SeriesReference(slot: Int32(index), epoch: 1),
        sample: Sample(timestamp: time, value: one.1))
    }
    let values = selection.fold(entries) { (series[Int($0.slot)].0, remote.contains(Int($0.slot))) }
    var found: [String: Double] = [:]
    for value in values {
      #expect(value.time == time)
      let name = ([metrics[value.key.metric].name] + value.key.group).joined(separator: " ")
      found[name] = value.value
    }
    return found
  }

  private let disks: [(Labels, Double)] = [
    (["__name__": "DiskUtilization", "mountpoint": "/"], 40),
    (["__name__": "DiskUtilization", "mountpoint": "/var"], 91),
    (["__name__": "node_load1"], 2), (["__name__": "node_load5"], 3),
  ]

  @Test func `series of one name become one value, the worst of them by default`() {
    #expect(fold([CloudMetric(named: "DiskUtilization")], disks) == ["DiskUtilization": 91])
    let sum = CloudMetric("DiskUtilization", name: "All", fold: .sum)
    #expect(fold([sum], disks) == ["All": 131])
  }

  @Test func `labels that are named keep series apart`() {
    let each = CloudMetric("DiskUtilization", name: "Disk", per: ["mountpoint", "device"])
    #expect(fold([each], disks) == ["Disk / ": 40, "Disk /var ": 91])
  }

  @Test func `one series may be published under two names, others are not`() {
    let metrics = [
      CloudMetric("node_load1", name: "Load1"), CloudMetric("node_load1", name: "Load", fold: .sum),
    ]
    #expect(fold(metrics, disks) == ["Load1": 2, "Load": 2])
  }

  @Test func `values that are no numbers, and series from elsewhere, are left out`() {
    let series: [(Labels, Double)] = [
      (["__name__": "CPUUtilization"], 12), (["__name__": "CPUUtilization", "instance": "b"], 99),
      (["__name__": "SwapUtilization"], .staleMarker), (["__name__": "nginx_active"], 7),
    ]
    let metrics = [
      CloudMetric(named: "CPUUtilization"), CloudMetric(named: "SwapUtilization"),
      CloudMetric("nginx_active"),
    ]
    #expect(
      fold(metrics, series, remote: [1, 3]) == ["CPUUtilization": 12, "nginx_active": 7])
  }

  @Test func `a place that a new series has taken is asked about anew`() {
    var selection = MetricSelection([CloudMetric(named: "CPUUtilization")])
    func entry(_ epoch: UInt32, _ value: Double) -> [JournalEntry] {
      [
        JournalEntry(
          reference: SeriesReference(slot: 0, epoch: epoch),
          sample: Sample(timestamp: time, value: value))
      ]
    }
    #expect(selection.fold(entry(1, 5)) { _ in (["__name__": "node_load1"], false) }.isEmpty)
    let values = selection.fold(entry(2, 6)) { _ in (["__name__": "CPUUtilization"], false) }
    #expect(values.map(\.value) == [6])
  }

  @Test(arguments: [
    (0, 59_000, 1.0), (0, 0, 60.0), (0, 30_500, 29.5),
  ])
  func `an upload begins soon after a period's end`(
    failures: Int, into: Int64, seconds: Double
  ) {
    let pace = CloudPace()
    let now = Timestamp(milliseconds: 1_795_420_800_000 + into)
    let early = pace.pause(until: .seconds(60), at: now, random: 0)
    let late = pace.pause(until: .seconds(60), at: now, random: 0.999)
    #expect(early == .milliseconds(Int64(seconds * 1000)) + .seconds(1))
    #expect(late - early < .seconds(5) && late > early)
  }

  @Test func `failures wait longer and longer, never for ever, and success forgets them`() {
    var pace = CloudPace()
    var last = Duration.zero
    for _ in 0..<20 {
      pace.noteFailure()
      let pause = pace.pause(until: .seconds(60), at: time, random: 0.999)
      #expect(pause >= last && pause <= .seconds(300))
      #expect(pace.pause(until: .seconds(60), at: time, random: 0) >= pause / 2.1)
      last = pause
    }
    #expect(last > .seconds(290))
    pace.noteSuccess()
    #expect(pace.pause(until: .seconds(60), at: time, random: 0) == .seconds(61))
  }
}
