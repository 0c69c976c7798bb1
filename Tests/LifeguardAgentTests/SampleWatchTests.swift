import LifeguardCore
import LifeguardStore
import Testing

@testable import LifeguardAgent

@Suite struct SampleWatchTests {
  private func moment(_ seconds: Int64) -> Moment {
    Moment(
      wall: Timestamp(milliseconds: seconds * 1000), boottime: .seconds(seconds), bootID: "boot")
  }

  private func figures(_ change: (inout SampleWatch.Figures) -> Void) -> SampleWatch.Figures {
    var figures = SampleWatch.Figures(
      store: SampleStore.Statistics(), storeSeriesMax: 10, seriesMax: 20)
    change(&figures)
    return figures
  }

  @Test func `a disk that takes nothing is told once, and is over a minute after the last time`() {
    var watch = SampleWatch()
    #expect(watch.problems(figures { _ in }, at: moment(0)).isEmpty)
    #expect(watch.state == "on")
    let failing = figures { $0.store?.failure = .missing(path: "/data/samples.db") }
    let begun = watch.problems(failing, at: moment(1))
    #expect(begun.map(\.name) == ["LifeguardSamplesNotWritten"])
    #expect(begun.first?.isActive == true)
    #expect(begun.first?.summary.contains("/data/samples.db") == true)
    #expect(watch.state.hasPrefix("not written: "))
    #expect(watch.problems(failing, at: moment(2)).isEmpty)
    #expect(watch.problems(figures { _ in }, at: moment(61)).isEmpty)
    let ended = watch.problems(figures { _ in }, at: moment(62))
    #expect(ended.map(\.name) == ["LifeguardSamplesNotWritten"])
    #expect(ended.first?.isActive == false)
    #expect(watch.state == "on")
  }

  @Test func `a disk that hangs is told as well`() {
    var watch = SampleWatch()
    let problems = watch.problems(figures { $0.turnedAway = 1 }, at: moment(0))
    #expect(problems.first?.summary.hasSuffix("the disk does not keep up") == true)
    #expect(watch.state == "not written: the disk does not keep up")
  }

  @Test func `each limit of series is told with its number, the refusals and what to do`() {
    var watch = SampleWatch()
    let full = figures {
      $0.refusedSeries = 3
      $0.store?.refusedSeries = 4
    }
    let problems = watch.problems(full, at: moment(0))
    #expect(problems.map { $0.labels["where"] } == ["memory", "disk"])
    #expect(problems.allSatisfy { $0.name == "LifeguardSeriesLimit" && $0.isActive })
    #expect(problems[0].summary.contains("20 series are in memory"))
    #expect(problems[0].summary.contains("(3 times since the start): raise it"))
    #expect(problems[1].summary.contains("10 series are written to the disk"))
    #expect(problems[1].summary.contains("4 new ones were refused"))
    // No new refusal for ten minutes ends it; a collector's series without room does not.
    #expect(watch.problems(full, at: moment(599)).isEmpty)
    var waiting = full
    waiting.withoutRoom = 1
    #expect(watch.problems(waiting, at: moment(600)).map { $0.labels["where"] } == ["disk"])
    #expect(watch.problems(full, at: moment(1199)).isEmpty)
    #expect(watch.problems(full, at: moment(1200)).map { $0.labels["where"] } == ["memory"])
  }
}
