import LifeguardCore
import Testing

@testable import LifeguardAgent

@Suite struct AlertmanagerRefreshTests {
  private static let start = Timestamp(seconds: 1_700_000_000)

  private static func moment(_ seconds: Double) -> Moment {
    Moment(wall: start + .seconds(seconds), boottime: .seconds(seconds), bootID: "b")
  }

  private static func labels(_ disk: String) -> Labels { ["alertname": "DiskFull", "disk": disk] }

  private static func standing(_ disks: [String], incident: Int = 7) -> Announcement {
    var standing = announcement(incident: incident)
    standing.alerts = disks.map {
      AnnouncedAlert(
        name: "DiskFull", labels: labels($0), value: 1, condition: "x", startsAt: start)
    }
    return standing
  }

  /// An Alertmanager's view of a world in which these disks are full.
  private struct World {
    var refresh = AlertmanagerRefresh()
    /// What each receiver knows, by incident.
    var told: [(receiver: String, incident: Int, disks: [String])] = []

    /// `receiver: disk`, with `ended` where it is over.
    mutating func posts(at seconds: Double) -> [String] {
      let disks = Dictionary(told.map { ($0.incident, $0.disks) }) { $1 }
      let posts = refresh.due(
        told.map {
          AlertmanagerRefresh.Told(
            receiver: $0.receiver, incident: $0.incident, alerts: $0.disks.map(labels))
        }, receivers: ["a", "b"], at: moment(seconds)
      ) { incident in disks[incident].map { standing($0, incident: incident) } }
      return posts.flatMap { post in
        post.announcement.alerts.map { alert in
          let end = alert.endsAt.map { " ended \(($0 - start).seconds)" } ?? ""
          return "\(post.receiver): \(alert.labels["disk"] ?? "")\(end)"
        }
      }
    }
  }

  @Test func `what fires is said at once and each minute, what has ended for 15 minutes`() {
    var world = World(told: [("a", 7, ["sda"])])
    #expect(world.posts(at: 0) == ["a: sda"])
    #expect(world.posts(at: 59).isEmpty)
    #expect(world.posts(at: 60) == ["a: sda"])
    world.told = []
    #expect(world.posts(at: 70) == ["a: sda ended 70.0"])
    #expect(world.posts(at: 71).isEmpty)
    #expect(world.posts(at: 130) == ["a: sda ended 70.0"])
    #expect(world.posts(at: 969) == ["a: sda ended 70.0"])
    #expect(world.posts(at: 971).isEmpty)
    #expect(world.refresh.isEmpty)
  }

  @Test func `an alert that joins is said at once, one that ends first too`() {
    var world = World(told: [("a", 7, ["sda"])])
    _ = world.posts(at: 0)
    world.told = [("a", 7, ["sda", "sdb"])]
    #expect(world.posts(at: 1) == ["a: sda", "a: sdb"])
    #expect(world.posts(at: 2).isEmpty)
    world.told = [("a", 7, ["sdb"])]
    #expect(world.posts(at: 3) == ["a: sda ended 3.0"])
    world.told = [("a", 7, ["sda", "sdb"])]
    #expect(world.posts(at: 4) == ["a: sda", "a: sdb"])
  }

  @Test func `a receiver hears only of what it was told`() {
    var world = World(told: [("a", 7, ["sda"]), ("b", 8, ["sdb"])])
    #expect(world.posts(at: 0) == ["a: sda", "b: sdb"])
    // Nobody said the end to b, as when it was silenced: it hears of it all the same.
    world.told = [("a", 7, ["sda"])]
    #expect(world.posts(at: 1) == ["b: sdb ended 1.0"])
  }

  @Test func `an alert that goes on in another incident does not end`() {
    var world = World(told: [("a", 7, ["sda"])])
    _ = world.posts(at: 0)
    world.told = [("a", 8, ["sda"])]
    #expect(world.posts(at: 1).isEmpty)
    #expect(world.posts(at: 60) == ["a: sda"])
  }

  @Test func `what a message has said is not said again at once`() {
    var world = World(told: [("a", 7, ["sda", "sdb"])])
    world.refresh.posted(Self.standing(["sda", "sdb"]), to: "a", at: Self.moment(0))
    #expect(world.posts(at: 1).isEmpty)
    var end = Self.standing(["sda"])
    end.kind = .recovered
    world.refresh.posted(end, to: "a", at: Self.moment(10))
    world.told = []
    // The last message names the alert that opened the incident; the other one has ended as well.
    #expect(world.posts(at: 11) == ["a: sdb ended 11.0"])
    #expect(world.posts(at: 70).first?.hasPrefix("a: sda ended") == true)
  }

  @Test func `a receiver that is gone is forgotten`() {
    var world = World(told: [("gone", 7, ["sda"])])
    world.refresh.posted(Self.standing(["sda"]), to: "gone", at: Self.moment(0))
    world.told = []
    #expect(world.posts(at: 1).isEmpty)
    #expect(world.refresh.isEmpty)
  }
}
