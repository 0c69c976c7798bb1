import LifeguardCore
import Testing

/// How an alert comes and goes.
@Suite struct AlertTrackerTests {
  private final class Feed {
    var tracker = AlertTracker()
    var behaviour: AlertBehaviour

    init(_ change: (inout AlertBehaviour) -> Void = { _ in }) {
      behaviour = AlertBehaviour(rule: "r")
      change(&behaviour)
    }

    /// One letter a second: B breached, h healthy, u between the two, - no data, and what came of
    /// it: p pending, F fired, e ended, v vanished, c cancelled, dot nothing.
    func run(_ letters: String) -> String {
      var result = ""
      for (second, letter) in letters.enumerated() {
        let moment = Moment(
          wall: Timestamp(seconds: 1_790_000_000 + Double(second)),
          boottime: .seconds(second), bootID: "a")
        let verdict: Evaluation.Verdict? =
          switch letter {
          case "B": .breached
          case "u": .uncleared
          default: nil
          }
        let elements = verdict.map {
          [Evaluation.Element(labels: ["a": "1"], value: 1, verdict: $0)]
        }
        let evaluation = Evaluation(
          rule: "r", elements: elements ?? [], hasData: letter != "-", newestInput: moment.wall)
        let changes = tracker.fold(evaluation, rule: behaviour, at: moment) { $0.labels }
        result += changes.last.map(AlertTrackerTests.letter) ?? "."
      }
      return result
    }
  }

  private static func letter(_ change: AlertTracker.Change) -> String {
    switch change {
    case .pending: "p"
    case .fired: "F"
    case .ended(_, .healthy): "e"
    case .ended(_, .vanished): "v"
    case .cancelled: "c"
    }
  }

  @Test func `without a hold it fires and ends at once`() {
    let feed = Feed()
    #expect(feed.run("hBBhB") == ".F.eF")
  }

  @Test func `for must hold without a break`() {
    let feed = Feed { $0.hold = .seconds(3) }
    #expect(feed.run("BBhBBBBBh") == "p.cp..F.e")
  }

  @Test func `keep_firing_for outlives its condition, and a new breach renews it`() {
    let feed = Feed { $0.keepFiringFor = .seconds(3) }
    #expect(feed.run("BhhBhhhhh") == "F......e.")
  }

  @Test func `with clear it ends only when the band is left`() {
    let feed = Feed { $0.hasClear = true }
    #expect(feed.run("uBuuuhu") == ".F...e.")
  }

  @Test func `three of five fires on the third, and ends when fewer are left`() {
    let feed = Feed { $0.samples = SampleWindow(needed: 3, window: 5) }
    #expect(feed.run("BhBhBhhh") == "....Fe..")
  }

  @Test func `no data keeps an alert as it is`() {
    let feed = Feed()
    #expect(feed.run("B---Bh") == "F....e")
    #expect(feed.tracker.alerts.isEmpty)
  }

  @Test func `no data that counts as health ends it without proof`() {
    let feed = Feed { $0.onNoData = .ok }
    #expect(feed.run("B-") == "Fv")
  }

  @Test func `no data that counts as a breach fires, and justifies no action`() {
    let feed = Feed { $0.onNoData = .alert }
    #expect(feed.run("h-") == ".F")
    #expect(feed.tracker.firing.map(\.hasNoData) == [true])
  }

  @Test func `a rule that is gone ends its alerts without proof`() {
    let feed = Feed()
    _ = feed.run("B")
    let changes = feed.tracker.removeRule("r")
    #expect(changes.map(AlertTrackerTests.letter) == ["v"])
  }

  @Test func `alerts survive being written down`() throws {
    let feed = Feed { $0.hold = .seconds(3) }
    _ = feed.run("BB")
    let kept: AlertTracker = try JSONCoder.decode(from: try JSONCoder.encode(feed.tracker))
    #expect(kept.alerts == feed.tracker.alerts)
  }
}
