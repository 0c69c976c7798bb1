import HTTPTypes
import LifeguardAgent
import LifeguardConfiguration
import LifeguardCore

/// Commands: they acknowledge, silence, approve, freeze and reload; none can bring a command of
/// its own.
extension Responder {
  func act(_ route: Route, _ parameters: Parameters, _ caller: Caller) async -> Reply {
    switch route {
    case .reload: return await reload()
    case .signInLink:
      let scheme = gate.usesTLS ? "https" : "http"
      return .data([
        "path": .string("/sign-in?code=\(gate.signIn.newCode())"),
        "address": .string("\(scheme)://\(listening())"),
      ])
    case .command(let name):
      do {
        return reply(to: try await obey(name, parameters, by: caller.name), parameters)
      } catch {
        return .failure(.badRequest, .badData, error.message)
      }
    default: return .failure(.notFound, .notFound, "there is no such command")
    }
  }

  private func reply(to answer: CommandAnswer, _ parameters: Parameters) -> Reply {
    if parameters.isForm {
      return answer.accepted
        ? .redirect(to: "/")
        : .html(.unprocessableContent, MessagePage.page("Not done", answer.message))
    }
    return answer.accepted
      ? .data(answer) : .failure(.unprocessableContent, .refused, answer.message)
  }

  private func obey(
    _ name: Route.CommandName, _ parameters: Parameters, by: String
  ) async throws(OperatorText.Problem) -> CommandAnswer {
    switch name {
    case .freeze:
      let reason = parameters.text("reason").flatMap { $0.isEmpty ? nil : $0 } ?? "no reason given"
      return await agent.freeze(by: by, reason: Printable.text(reason, limit: 500))
    case .thaw: return await agent.thaw(by: by)
    case .silence:
      let texts = parameters.texts("matchers")
      guard texts.count <= 20 else { throw OperatorText.Problem(message: "at most 20 matchers") }
      var matchers: [Matcher] = []
      for text in texts { matchers.append(try OperatorText.matcher(text)) }
      guard let length = parameters.text("for") else {
        throw OperatorText.Problem(message: "\"for\" is missing: how long, such as 1h")
      }
      return await agent.silence(
        matchers, for: try OperatorText.duration(length), by: by,
        comment: Printable.text(parameters.text("comment") ?? "", limit: 500))
    case .unsilence:
      guard let id = parameters.text("id") else {
        throw OperatorText.Problem(message: "\"id\" is missing: the silence's number")
      }
      return await agent.endSilence(Printable.text(id, limit: 50), by: by)
    case .ack:
      guard let id = parameters.text("incident").flatMap({ Int($0) }) else {
        throw OperatorText.Problem(message: "\"incident\" is missing: the incident's number")
      }
      return await agent.acknowledge(id, by: by)
    case .approve:
      guard var id = parameters.text("id") else {
        throw OperatorText.Problem(
          message: "\"id\" is missing: the approval's or incident's number")
      }
      if let incident = Int(id), let approval = await agent.approval(of: incident) { id = approval }
      return await agent.approve(Printable.text(id, limit: 100), by: by)
    }
  }

  /// Reads the configuration again; errors leave the last good one in force.
  private func reload() async -> Reply {
    let problems = await agent.reload()
    let errors = problems.filter { $0.severity == .error }
    guard errors.isEmpty else {
      return .text(
        .internalServerError,
        "the last good configuration stays in force:\n"
          + problems.map(\.description).joined(separator: "\n"))
    }
    do throws(ServerError) {
      try certificate?.reload()
    } catch {
      return .text(.internalServerError, "reloaded, but the last good certificate stays: \(error)")
    }
    return .text(.ok, (["reloaded"] + problems.map(\.description)).joined(separator: "\n"))
  }
}
