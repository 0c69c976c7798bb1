import Glibc
import LifeguardAgent
import LifeguardCore
import TestSupport
import Testing

@testable import LifeguardServer

@Suite struct AccessTests {
  struct Place: Sendable, CustomStringConvertible {
    var method: String
    var path: String
    var body = ""
    /// The status for who may.
    var status = 200
    var isOpen = false
    var description: String { "\(method) \(path)" }
  }

  static let places: [Place] = [
    Place(method: "GET", path: "/metrics", isOpen: true),
    Place(method: "GET", path: "/-/healthy", isOpen: true),
    Place(method: "GET", path: "/-/ready", isOpen: true),
    Place(method: "GET", path: "/style.css", isOpen: true),
    Place(method: "GET", path: "/page.js", isOpen: true),
    Place(method: "GET", path: "/"),
    Place(method: "GET", path: "/incidents/1", status: 404),
    Place(method: "GET", path: "/api/v1/status"),
    Place(method: "GET", path: "/api/v1/incidents"),
    Place(method: "GET", path: "/api/v1/incidents/1", status: 404),
    Place(method: "GET", path: "/api/v1/why?subject=host"),
    Place(method: "GET", path: "/api/v1/explain?rule=None", status: 404),
    Place(method: "GET", path: "/api/v1/aws"),
    Place(method: "GET", path: "/api/v1/top"),
    Place(method: "GET", path: "/api/v1/alerts"),
    Place(method: "GET", path: "/api/v1/query?query=1"),
    Place(method: "POST", path: "/api/v1/query?query=1"),
    Place(method: "GET", path: "/api/v1/query_range?query=1&start=1&end=2&step=1"),
    Place(method: "GET", path: "/api/v1/query_exemplars?query=up"),
    Place(method: "GET", path: "/api/v1/series?match[]=node_load1"),
    Place(method: "GET", path: "/api/v1/labels"),
    Place(method: "GET", path: "/api/v1/label/job/values"),
    Place(method: "GET", path: "/api/v1/metadata"),
    Place(method: "GET", path: "/api/v1/rules"),
    Place(method: "GET", path: "/api/v1/targets"),
    Place(method: "GET", path: "/api/v1/status/buildinfo"),
    Place(method: "GET", path: "/api/v1/status/tsdb"),
    Place(method: "GET", path: "/federate?match[]=node_load1"),
    Place(method: "POST", path: "/api/v1/write", status: 404),
    Place(method: "POST", path: "/-/reload"),
    Place(method: "POST", path: "/api/v1/freeze", body: "{}"),
    Place(method: "POST", path: "/api/v1/thaw", body: "{}"),
    Place(
      method: "POST", path: "/api/v1/silence", body: #"{"matchers":["a=\"b\""],"for":"1m"}"#),
    Place(method: "POST", path: "/api/v1/unsilence", body: #"{"id":"77"}"#, status: 422),
    Place(method: "POST", path: "/api/v1/ack", body: #"{"incident":77}"#, status: 422),
    Place(method: "POST", path: "/api/v1/approve", body: #"{"id":"x"}"#, status: 422),
    Place(method: "POST", path: "/api/v1/sign-in", body: "{}"),
  ]

  @Test func `every place asks for a token, a cookie or the socket, but those that are open`()
    async throws
  {
    try await ServedAgent.with { served in
      let cookie = try #require(try await Self.cookie(served))
      for place in Self.places {
        func ask(_ headers: [String: String]) async throws -> Int {
          var headers = headers
          headers["Content-Type"] = "application/json"
          return try await served.ask(
            place.method, place.path, headers: headers, body: place.body, withToken: false
          ).status
        }
        let refused = place.isOpen ? 200 : 401
        #expect(try await ask([:]) == refused, "\(place) without a token")
        let wrong = String(repeating: "0", count: 64)
        #expect(
          try await ask(["Authorization": "Bearer \(wrong)"]) == refused, "\(place), wrong token")
        #expect(
          try await ask(["Authorization": "Basic \(served.token)"]) == refused, "\(place), Basic")
        #expect(
          try await ask(["Cookie": "lifeguard_session=\(wrong)"]) == refused, "\(place), cookie")
        #expect(
          try await ask(["Authorization": "Bearer \(served.token)"]) == place.status,
          "\(place) with the token")
        var fields = ["Cookie": "theme=dark; \(cookie)"]
        if place.method == "POST" { fields["Origin"] = "http://127.0.0.1:\(served.port)" }
        #expect(try await ask(fields) == place.status, "\(place) with a cookie")
        let connection = try RawConnection(socketPath: served.socketPath)
        let status = await connection.status(
          place.method, place.path, ["Content-Type: application/json"], body: place.body)
        #expect(status == place.status, "\(place) over the socket")
      }
    }
  }

  private static func cookie(_ served: ServedAgent) async throws -> String? {
    let answer = try await served.ask("GET", served.signInPath, withToken: false)
    #expect(answer.status == 303)
    let field = answer.headers["set-cookie"] ?? ""
    #expect(field.contains("HttpOnly") && field.contains("SameSite=Strict"))
    return field.split(separator: ";").first.map(String.init)
  }

  @Test func `a sign-in link works once and does not hold the token`() async throws {
    try await ServedAgent.with { served in
      #expect(!served.signInPath.contains(served.token))
      #expect(try await Self.cookie(served) != nil)
      #expect(try await served.ask("GET", served.signInPath, withToken: false).status == 403)
      let link = try await served.command("sign-in", "{}")
      let path = try #require(try JSON.parse(Array(link.body.utf8))["data"]?["path"]?.string)
      #expect(try await served.ask("GET", path, withToken: false).status == 303)
    }
  }

  @Test func `anonymous reading opens questions on loopback and no command`() async throws {
    let text = "default_rules: false\nhttp: {anonymous_read: true}\n"
    try await ServedAgent.with(text) { (served: ServedAgent) async throws -> Void in
      #expect(try await served.ask("GET", "/api/v1/status", withToken: false).status == 200)
      #expect(try await served.ask("GET", "/", withToken: false).status == 200)
      #expect(
        try await served.ask("POST", "/api/v1/freeze", body: "{}", withToken: false).status == 401)
      let wrong = ["Authorization": "Bearer wrong"]
      #expect(try await served.ask("GET", "/api/v1/status", headers: wrong).status == 401)
    }
  }

  @Test(arguments: [
    ("127.0.0.1", 200), ("localhost:1", 200), ("[::1]:80", 200), ("127.8.8.8", 200),
    ("evil.example", 421), ("evil.example:9911", 421), ("127.0.0.1.evil.example", 421), ("", 400),
  ])
  func `a page that points its own name at this host is not answered`(host: String, status: Int)
    async throws
  {
    try await ServedAgent.with { (served: ServedAgent) async throws -> Void in
      #expect(try await served.ask("GET", "/metrics", headers: ["Host": host]).status == status)
    }
  }

  @Test func `a name of this host's own is answered where it is allowed`() async throws {
    let text = "default_rules: false\nhttp: {allowed_hosts: [Web-01.example.com]}\n"
    try await ServedAgent.with(text) { (served: ServedAgent) async throws -> Void in
      func status(_ host: String) async throws -> Int {
        try await served.ask("GET", "/metrics", headers: ["Host": host]).status
      }
      #expect(try await status("web-01.example.com:9911") == 200)
      #expect(try await status("web-02.example.com:9911") == 421)
      #expect(try await status("127.0.0.1") == 200)
    }
  }

  @Test func `a page of somebody else cannot make a browser act`() async throws {
    try await ServedAgent.with { served in
      let cookie = try #require(try await Self.cookie(served))
      func freeze(_ headers: [String: String]) async throws -> Int {
        var headers = headers
        headers["Cookie"] = cookie
        return try await served.ask(
          "POST", "/api/v1/freeze", headers: headers, body: "{}", withToken: false
        ).status
      }
      #expect(try await freeze(["Origin": "http://evil.example"]) == 403)
      #expect(try await freeze(["Origin": "null"]) == 403)
      #expect(try await freeze(["Origin": "http://127.0.0.1:1"]) == 403)
      #expect(try await freeze([:]) == 403)
      let own = "http://127.0.0.1:\(served.port)"
      #expect(try await freeze(["Origin": own, "Sec-Fetch-Site": "cross-site"]) == 403)
      #expect(await served.agent.status(listening: "").frozen == nil)
      #expect(try await freeze(["Origin": own, "Sec-Fetch-Site": "same-origin"]) == 200)
      #expect(await served.agent.status(listening: "").frozen != nil)
    }
  }

  @Test func `every answer forbids frames, sniffing, inline scripts and caches`() async throws {
    try await ServedAgent.with { served in
      for path in ["/", "/metrics", "/api/v1/status", "/nothing"] {
        let headers = try await served.ask(path).headers
        #expect(headers["x-content-type-options"] == "nosniff")
        #expect(headers["x-frame-options"] == "DENY")
        #expect(headers["content-security-policy"]?.contains("default-src 'none'") == true)
        #expect(headers["content-security-policy"]?.contains("unsafe") == false)
        #expect(headers["cache-control"] == "no-store")
        // Without an own origin in their requests, browsers could not press our own buttons.
        #expect(headers["referrer-policy"] == "same-origin")
        #expect(headers["access-control-allow-origin"] == nil)
      }
    }
  }

  @Test func `the token is private, and one that others can read is refused`() async throws {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    let first = try AccessToken(inDirectory: folder.path)
    #expect(first.text.count == 64)
    #expect(try AccessToken(inDirectory: folder.path).text == first.text)
    var status = stat()
    #expect(stat(folder / "token", &status) == 0)
    #expect(status.st_mode & 0o777 == 0o600)
    chmod(folder / "token", 0o644)
    #expect(throws: ServerError.self) { _ = try AccessToken(inDirectory: folder.path) }
    unlink(folder / "token")
    symlink("/etc/hostname", folder / "token")
    #expect(throws: ServerError.self) { _ = try AccessToken(inDirectory: folder.path) }
  }

  @Test func `over the socket the kernel says who may act, who may look and who may not`() {
    #expect(PeerCredentials(user: 0, group: 0).caller(agent: 1234).right == .act)
    #expect(PeerCredentials(user: 1234, group: 7).caller(agent: 1234).right == .act)
    #expect(PeerCredentials(user: 54_321, group: 54_321).caller(agent: 1234).right == .none)
    if let readers = PeerCredentials.readersGroup() {
      #expect(PeerCredentials(user: 54_321, group: readers).caller(agent: 1234).right == .read)
    }
  }

  @Test func `codes and sessions end`() {
    let signIn = SignIn()
    let now = ContinuousClock.now
    let code = signIn.newCode(now: now)
    #expect(signIn.redeem(code, now: now + SignIn.codeLife) == nil)
    let second = signIn.newCode(now: now)
    let session = signIn.redeem(second, now: now)
    #expect(session != nil)
    #expect(signIn.redeem(second, now: now) == nil)
    #expect(signIn.isSignedIn(session ?? "", now: now))
    #expect(!signIn.isSignedIn(session ?? "", now: now + SignIn.sessionLife))
    #expect(!signIn.isSignedIn("", now: now))
  }

  @Test(arguments: [
    ("", "", true), ("a", "a", true), ("a", "", false), ("", "a", false),
    ("abc", "abd", false), ("abc", "ab", false), ("ab", "abab", false),
  ])
  func `secrets are compared whole`(left: String, right: String, isEqual: Bool) {
    #expect(SecretText.areEqual(left, right) == isEqual)
  }
}
