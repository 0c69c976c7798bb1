import HTTPTypes
import HummingbirdCore
import LifeguardAgent
import LifeguardCore

/// Questions.
extension Responder {
  func read(_ route: Route, _ parameters: Parameters, _ request: Request) async -> Reply {
    switch route {
    case .metrics: return await exposition(request.headers[.accept])
    case .healthy:
      return agent.isHealthy
        ? .text(.ok, "Lifeguard is healthy.")
        : .text(.serviceUnavailable, "no turn was taken for too long: evaluation has stopped")
    case .ready:
      return agent.hasTakenTurn
        ? .text(.ok, "Lifeguard is ready.") : .text(.serviceUnavailable, "not evaluated yet")
    case .status: return .data(await status())
    case .incidents: return await incidents(parameters)
    case .incident(let id):
      guard let detail = await detail(id) else { return unknownIncident(id) }
      return .data(detail)
    case .why: return await why(parameters)
    case .explain: return await explain(parameters)
    case .aws: return .data(await agent.cloudReport)
    case .top: return .data(await agent.top())
    case .events: return openEvents()
    case .page: return .html(.ok, StatusPage.page(await status(), recent: await recentIncidents()))
    case .incidentPage(let id):
      guard let detail = await detail(id) else {
        return .html(
          .notFound, MessagePage.page("No incident \(id)", "There is no incident \(id)."))
      }
      return .html(.ok, IncidentPage.page(detail, now: await agent.now().wall))
    case .signIn: return signIn(parameters)
    case .style: return asset("text/css; charset=utf-8", Stylesheet.text)
    case .script: return asset("text/javascript; charset=utf-8", PageScript.text)
    case .reload, .command, .signInLink, .prometheus:
      return .failure(.methodNotAllowed, .methodNotAllowed, "use POST")
    }
  }

  private func exposition(_ accept: String?) async -> Reply {
    let format = ExpositionFormat(accept: accept)
    return Reply(.ok, type: format.contentType, await metrics.text(format, of: agent))
  }

  func status() async -> StatusView {
    let status = await agent.status(listening: listening())
    return StatusView(status, nextSteps: await agent.nextSteps)
  }

  /// The newest twenty, open ones included.
  private func recentIncidents() async -> [IncidentView] {
    let steps = await agent.nextSteps
    return await agent.incidents(limit: 20).map { IncidentView($0, next: steps[$0.id]) }
  }

  private func incidents(_ parameters: Parameters) async -> Reply {
    guard let limit = Int(parameters.text("limit") ?? "50"), (1...1000).contains(limit) else {
      return .failure(.badRequest, .badData, "\"limit\" must be a number from 1 to 1000")
    }
    let steps = await agent.nextSteps
    return .data(
      await agent.incidents(limit: limit).map { IncidentView($0, next: steps[$0.id]) })
  }

  private func detail(_ id: Int) async -> IncidentDetail? {
    guard let incident = await agent.incident(id) else { return nil }
    let next = await agent.nextSteps[id]
    return IncidentDetail(
      incident: IncidentView(incident, next: next),
      timeline: await agent.timeline(of: id).map(EntryView.init),
      evidenceFiles: await agent.evidenceFiles(of: id))
  }

  func unknownIncident(_ id: Int) -> Reply {
    .failure(.notFound, .notFound, "there is no incident \(id)")
  }

  private func why(_ parameters: Parameters) async -> Reply {
    guard let subject = parameters.text("subject"), !subject.isEmpty else {
      return .failure(
        .badRequest, .badData,
        "name a subject: a service, kind:name, an alert or an incident, as in ?subject=web")
    }
    let steps = await agent.nextSteps
    let chains = await agent.why(subject).map { chain in
      IncidentDetail(
        incident: IncidentView(chain.incident, next: steps[chain.incident.id]),
        timeline: chain.entries.map(EntryView.init), evidenceFiles: [])
    }
    return .data(chains)
  }

  private func explain(_ parameters: Parameters) async -> Reply {
    guard let rule = parameters.text("rule"), !rule.isEmpty else {
      return .failure(.badRequest, .badData, "name a rule, as in ?rule=HostOutOfMemory")
    }
    guard let explanation = await agent.explain(rule) else {
      return .failure(.notFound, .notFound, "there is no rule \(Printable.text(rule, limit: 200))")
    }
    return .data(explanation)
  }

  private func openEvents() -> Reply {
    guard events.enter() else {
      return .failure(
        .serviceUnavailable, .unavailable,
        "\(EventStream.listenersMax) listen already; try again later")
    }
    var reply = Reply(.ok, type: "text/event-stream", [])
    reply.body = .events
    return reply
  }

  /// Swaps a code for a cookie, and goes to the page.
  private func signIn(_ parameters: Parameters) -> Reply {
    guard let session = gate.signIn.redeem(parameters.text("code") ?? "") else {
      return .html(.forbidden, SignInPage.page("This link was used already, or is too old."))
    }
    var reply = Reply.redirect(to: "/")
    reply.headers[.setCookie] =
      "\(SignIn.cookie)=\(session); Path=/; HttpOnly; SameSite=Strict; "
      + "Max-Age=\(Int(SignIn.sessionLife.seconds))\(gate.usesTLS ? "; Secure" : "")"
    return reply
  }

  private func asset(_ type: String, _ text: String) -> Reply {
    var reply = Reply(.ok, type: type, Array(text.utf8))
    reply.headers[.cacheControl] = "no-cache"
    return reply
  }
}
