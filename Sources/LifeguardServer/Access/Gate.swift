import HTTPTypes
import LifeguardAgent
import NIOCore

/// Decides who may come in.
struct Gate: Sendable {
  let token: AccessToken
  let signIn: SignIn
  let names: HostNames
  let usesTLS: Bool
  /// Whether reading without a token is open now, which a reload may change.
  let opensReading: @Sendable () async -> Bool

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
          + "the address that it listens on")
    }
    return nil
  }

  func admit(
    _ head: HTTPRequest, to route: Route, on channel: any NIOCore.Channel, by door: Responder.Door
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
      if head.method == .post, let refusal = checkOrigin(head) { return .failure(refusal) }
      switch await identify(head, route) {
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

  private func identify(_ head: HTTPRequest, _ route: Route) async -> Result<Caller, Refusal> {
    if let authorization = head.headerFields[.authorization] {
      let parts = authorization.split(separator: " ", maxSplits: 1)
      guard parts.count == 2, parts[0].lowercased() == "bearer",
        SecretText.areEqual(token.text, String(parts[1]))
      else { return .failure(unauthorized("the token is wrong", route)) }
      return .success(Caller(name: "token", right: .act))
    }
    if let session = Gate.cookie(head), signIn.isSignedIn(session) {
      return .success(Caller(name: "page", right: .act))
    }
    if await opensReading(), route.right == .read {
      return .success(Caller(name: "anybody", right: .read))
    }
    return .failure(
      unauthorized(
        "a token is needed: send `Authorization: Bearer …` with what `lifeguard token` prints",
        route))
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

  private func unauthorized(_ message: String, _ route: Route) -> Refusal {
    var reply =
      route.isPage
      ? Reply.html(.unauthorized, SignInPage.page(message))
      : Reply.failure(.unauthorized, .unauthorized, message)
    reply.headers[.wwwAuthenticate] = "Bearer realm=\"lifeguard\""
    return Refusal(reply: reply)
  }

  private func forbidden(_ message: String) -> Refusal {
    Refusal(reply: .failure(.forbidden, .forbidden, message))
  }

  private var unknownPeer: Refusal { forbidden("the caller is not known") }
}
