import LifeguardCore
import LifeguardHost
import Testing

/// Slots, and what the receiver of a batch is told about series.
@Suite struct ScrapeTests {
  private let family = MetricFamily(name: "x", help: "", type: .gauge)

  @Test func `a series starts with its first value and ends when it is not written`() {
    var scrape = Scrape()
    let slot = scrape.register(family, ["a": "1"])
    scrape[slot] = 7
    let first = scrape.finish()
    #expect(first.started.map(\.labels) == [["a": "1"]])
    #expect(first.values[slot.index] == 7)
    let second = scrape.finish()
    #expect(second.started == [])
    #expect(second.ended == [slot.index])
    #expect(second.values[slot.index].isStaleMarker)
    let third = scrape.finish()
    #expect(third.ended == [], "it has ended once")
  }

  @Test func `a series that comes back is announced again in its old slot`() {
    var scrape = Scrape()
    let slot = scrape.register(family)
    scrape[slot] = 1
    _ = scrape.finish()
    _ = scrape.finish()
    scrape[slot] = 2
    let again = scrape.finish()
    #expect(again.started.map(\.slot) == [slot.index])
    #expect(again.values[slot.index] == 2)
  }

  @Test func `a slot that was given back ends its series before another takes it`() {
    var scrape = Scrape()
    let old = scrape.register(family, ["a": "1"])
    scrape[old] = 1
    _ = scrape.finish()
    scrape[old] = 2
    scrape.release(old)
    let fresh = scrape.register(family, ["a": "2"])
    #expect(fresh.index != old.index, "not within the same collection")
    scrape[fresh] = 3
    let batch = scrape.finish()
    #expect(batch.ended == [old.index])
    #expect(batch.started.map(\.slot) == [fresh.index])
    #expect(scrape.register(family, ["a": "3"]).index == old.index)
  }

  @Test func `NaN is a value like any other and does not end a series`() {
    var scrape = Scrape()
    let slot = scrape.register(family)
    scrape[slot] = .nan
    let batch = scrape.finish()
    #expect(batch.started.count == 1)
    #expect(batch.values[slot.index].isNaN && !batch.values[slot.index].isStaleMarker)
  }
}
