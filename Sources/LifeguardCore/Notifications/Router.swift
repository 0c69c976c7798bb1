/// Decides who is told: the first route whose matchers all match, and those after it as long as
/// routes say `continue`.
public struct Router: Sendable {
  /// One receiver of one message.
  public struct Destination: Hashable, Sendable {
    public var receiver: String
    /// How often an open incident is told again.
    public var repeatInterval: Duration

    public init(receiver: String, repeatInterval: Duration) {
      self.receiver = receiver
      self.repeatInterval = repeatInterval
    }
  }

  /// As in Alertmanager.
  public static let defaultRepeatInterval: Duration = .seconds(4 * 3600)

  private let routes: [Route]

  public init(routes: [Route]) {
    self.routes = routes
  }

  /// Every receiver once, in the order of the routes; of two routes to one receiver the shorter
  /// interval counts. Empty when no route matches: nobody asked to be told.
  public func destinations(for labels: Labels) -> [Destination] {
    var result: [Destination] = []
    for route in routes {
      guard route.matchers.allSatisfy({ $0.matches(labels[$0.name] ?? "") }) else { continue }
      let interval = route.repeatInterval ?? Router.defaultRepeatInterval
      for receiver in route.receivers { Router.add(receiver, interval, to: &result) }
      if !route.continues { break }
    }
    return result
  }

  /// As `destinations(for:)` of its labels; a receiver that the message names itself comes first.
  public func destinations(for announcement: Announcement) -> [Destination] {
    var result: [Destination] = []
    if let receiver = announcement.receiver {
      Router.add(receiver, Router.defaultRepeatInterval, to: &result)
    }
    for destination in destinations(for: announcement.routingLabels) {
      Router.add(destination.receiver, destination.repeatInterval, to: &result)
    }
    return result
  }

  private static func add(_ receiver: String, _ interval: Duration, to list: inout [Destination]) {
    if let index = list.firstIndex(where: { $0.receiver == receiver }) {
      list[index].repeatInterval = min(list[index].repeatInterval, interval)
    } else {
      list.append(Destination(receiver: receiver, repeatInterval: interval))
    }
  }
}
