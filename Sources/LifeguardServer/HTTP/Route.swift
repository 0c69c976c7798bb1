import HTTPTypes

/// Everything that can be asked for, by path.
enum Route: Equatable {
  case metrics, healthy, ready, reload
  case status, incidents, why, explain, aws, top, events
  /// What Prometheus has too, in its form.
  case prometheus(PrometheusPlace)
  case incident(Int)
  case command(CommandName)
  case signInLink
  case page, signIn, style, script
  case incidentPage(Int)

  /// What an operator may say.
  enum CommandName: String, CaseIterable {
    case freeze, thaw, silence, unsilence, ack, approve
  }

  private static let fixed: [String: Route] = [
    "/metrics": .metrics, "/-/healthy": .healthy, "/-/ready": .ready, "/-/reload": .reload,
    "/api/v1/status": .status, "/api/v1/incidents": .incidents, "/api/v1/why": .why,
    "/api/v1/explain": .explain, "/api/v1/aws": .aws, "/api/v1/top": .top,
    "/api/v1/events": .events,
    "/api/v1/sign-in": .signInLink,
    "/": .page, "/sign-in": .signIn, "/style.css": .style, "/page.js": .script,
  ]

  init?(path: String) {
    if let route = Route.fixed[path] {
      self = route
    } else if let id = Route.number(path, after: "/api/v1/incidents/") {
      self = .incident(id)
    } else if let id = Route.number(path, after: "/incidents/") {
      self = .incidentPage(id)
    } else if path.hasPrefix("/api/v1/"),
      let name = CommandName(rawValue: String(path.dropFirst(8)))
    {
      self = .command(name)
    } else if let place = PrometheusPlace(path: path) {
      self = .prometheus(place)
    } else {
      return nil
    }
  }

  private static func number(_ path: String, after prefix: String) -> Int? {
    guard path.hasPrefix(prefix) else { return nil }
    let digits = path.dropFirst(prefix.count)
    guard !digits.isEmpty, digits.allSatisfy({ $0.isASCII && $0.isNumber }) else { return nil }
    return Int(digits)
  }

  var methods: [HTTPRequest.Method] {
    switch self {
    case .reload, .command, .signInLink: [.post]
    case .prometheus(let place): place.methods
    default: [.get, .head]
    }
  }

  /// What a caller needs.
  var right: Caller.Right {
    switch self {
    case .metrics, .healthy, .ready, .signIn, .style, .script: .none
    case .reload, .command, .signInLink: .act
    case .prometheus(let place): place.right
    default: .read
    }
  }

  /// Whether people look at it, so that a refusal is a page too.
  var isPage: Bool {
    switch self {
    case .page, .incidentPage, .signIn: true
    default: false
    }
  }

  /// Whether it only looks, whatever its method: a form may carry a long expression.
  var isQuestion: Bool {
    if case .prometheus(let place) = self { return place.right == .read }
    return false
  }
}
