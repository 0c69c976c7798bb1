import HTTPTypes
import LifeguardAgent
import LifeguardConfiguration
import NIOCore

/// Decides who may come in.
struct Gate: Sendable {
  let token: AccessToken
  let signIn: SignIn
  let names: HostNames
  let usesTLS: Bool
  /// Who may come in beside the token, which a reload may change.
  let settings: @Sendable () async -> Settings

  struct Settings: Sendable {
    /// Whether reading without a token is open.
    var opensReading = false
    var users: [HTTPUser] = []
    /// Origins whose pages may read.
    var origins: [String] = []
  }

  /// An answer instead of an admission.
  struct Refusal: Error {
    var reply: Reply
  }

  /// Refuses names that are not ours, before anything else is looked at.
  func checkNames(_ head: HTTPRequest, _ door: Responder.Door) -> Reply? {
    guard door == .network else { return nil }
    guard let authority = head.authority, !authority.isEmpty else {
      return .text(.badRequest, "the Host header is missing")
    }
    guard names.accept(authority) else {
      return .text(
        .misdirectedRequest,
        "this server does not answer to the name \(Printable.text(authority)); use 127.0.0.1 or "
          + "the address that it listens on, or add the name to `http: {allowed_hosts: […]}`")
    }
    return nil
  }

  func admit(
    _ head: HTTPRequest, to route: Route, on channel: any NIOCore.Channel, by door: Responder.Door,
    _ settings: Settings
  ) async -> Result<Caller, Refusal> {
    let caller: Caller
    switch door {
    case .socket:
      guard let peer = await PeerCredentials(of: channel) else { return .failure(unknownPeer) }
      caller = peer.caller()
      guard caller.right > .none else {
        return .failure(
          forbidden(
            "\(caller.name) may not look at this agent; join the group lifeguard, or be root"))
      }
    case .network:
      if head.method == .post, allowedOrigin(head, to: route, settings) == nil,
        let refusal = checkOrigin(head)
      {
        return .failure(refusal)
      }
      switch identify(head, route, settings) {
      case .success(let identified): caller = identified
      case .failure(let refusal): return .failure(refusal)
      }
    }
    guard caller.right >= route.right else {
      return .failure(
        forbidden("\(caller.name) may look but not act; root and the agent's own user may"))
    }
    return .success(caller)
  }

  /// The origin of a page that may read what this request asks for; nil when it is no such.
  func allowedOrigin(_ head: HTTPRequest, to route: Route, _ settings: Settings) -> String? {
    guard route.isQuestion, let origin = head.headerFields[.origin],
      settings.origins.contains(origin.lowercased())
    else { return nil }
    return origin
  }

  private func identify(
    _ head: HTTPRequest, _ route: Route, _ settings: Settings
  ) -> Result<Caller, Refusal> {
    if let authorization = head.headerFields[.authorization] {
      let parts = authorization.split(separator: " ", maxSplits: 1).map(String.init)
      let scheme = parts.first?.lowercased()
      if parts.count == 2, scheme == "bearer", SecretText.areEqual(token.text, parts[1]) {
        return .success(Caller(name: "token", right: .act))
      }
      if parts.count == 2, scheme == "basic",
        let caller = BasicCredentials(parts[1])?.caller(among: settings.users)
      {
        return .success(caller)
      }
      let what = scheme == "basic" ? "the name or the password" : "the token"
      return .failure(unauthorized("\(what) is wrong", route, settings))
    }
    if let session = Gate.cookie(head), signIn.isSignedIn(session) {
      return .success(Caller(name: "page", right: .act))
    }
    if settings.opensReading, route.right == .read {
      return .success(Caller(name: "anybody", right: .read))
    }
    return .failure(
      unauthorized(
        "a token is needed: send `Authorization: Bearer …` with what `lifeguard token` prints",
        route, settings))
  }

  /// A page of somebody else cannot make a browser act here.
  private func checkOrigin(_ head: HTTPRequest) -> Refusal? {
    func refused(_ origin: String) -> Refusal {
      forbidden("a request from \(Printable.text(origin)) may not change anything here")
    }
    if let site = HTTPField.Name("Sec-Fetch-Site").flatMap({ head.headerFields[$0] }),
      site != "same-origin", site != "none"
    {
      return refused(site)
    }
    // Only a session that is signed in can be abused by another page.
    let usesCookie =
      head.headerFields[.authorization] == nil
      && Gate.cookie(head).map { signIn.isSignedIn($0) } == true
    guard let origin = head.headerFields[.origin] else {
      return usesCookie ? refused("a page without origin") : nil
    }
    let expected = (usesTLS ? "https://" : "http://") + (head.authority ?? "")
    return origin.lowercased() == expected.lowercased() ? nil : refused(origin)
  }

  static func cookie(_ head: HTTPRequest) -> String? {
    for field in head.headerFields[values: .cookie] {
      for pair in field.split(separator: ";") {
        let parts = pair.split(separator: "=", maxSplits: 1)
        guard parts.count == 2, parts[0].drop(while: { $0 == " " }) == SignIn.cookie else {
          continue
        }
        return String(parts[1])
      }
    }
    return nil
  }

  private func unauthorized(
    _ message: String, _ route: Route, _ settings: Settings
  ) -> Refusal {
    var reply =
      route.isPage
      ? Reply.html(.unauthorized, SignInPage.page(message))
      : Reply.failure(.unauthorized, .unauthorized, message)
    let basic = settings.users.isEmpty ? "" : ", Basic realm=\"lifeguard\", charset=\"UTF-8\""
    reply.headers[.wwwAuthenticate] = "Bearer realm=\"lifeguard\"" + basic
    return Refusal(reply: reply)
  }

  private func forbidden(_ message: String) -> Refusal {
    Refusal(reply: .failure(.forbidden, .forbidden, message))
  }

  private var unknownPeer: Refusal { forbidden("the caller is not known") }
}
