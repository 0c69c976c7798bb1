import LifeguardAgent
import LifeguardCore

/// `/api/v1/series`, `/api/v1/labels`, `/api/v1/label/NAME/values`, `/api/v1/status/tsdb`.
extension Responder {
  func series(_ call: PrometheusCall) async throws(APIFailure) -> Reply {
    guard !call.form.texts("match[]").isEmpty else {
      throw APIFailure(.badData, "no match[] parameter provided")
    }
    let question = try SeriesQuestion(call)
    return try await answer(question, call) { found, warnings, ticket throws(APIFailure) in
      var writer = AnswerWriter { ticket.interruption }
      writer.append("{\"status\":\"success\",\"data\":[")
      let shown = question.limit > 0 ? min(question.limit, found.count) : found.count
      for (index, labels) in found.sorted().prefix(shown).enumerated() {
        if index > 0 { writer.append(",") }
        writer.write(labels)
        try writer.check()
      }
      writer.append("]")
      writer.write("warnings", warnings + Responder.cut(shown < found.count))
      writer.append("}")
      return .json(writer.bytes)
    }
  }

  func labelNames(_ call: PrometheusCall) async throws(APIFailure) -> Reply {
    let question = try SeriesQuestion(call)
    return try await answer(question, call) { found, warnings, _ in
      var names: Set<String> = []
      for labels in found {
        for label in labels { names.insert(label.name) }
      }
      return Responder.texts(names, limit: question.limit, warnings)
    }
  }

  func labelValues(_ escaped: String, _ call: PrometheusCall) async throws(APIFailure) -> Reply {
    let name: String
    do throws(Form.Problem) {
      name = try Form.decoded(Substring(escaped), plusIsSpace: false)
    } catch {
      throw APIFailure(.badData, error.message)
    }
    let label = LabelName.unescaped(name)
    guard LabelName.isValid(label) else {
      throw APIFailure(.badData, "invalid label name: \(PrometheusCall.quoted(name))")
    }
    let question = try SeriesQuestion(call)
    return try await answer(question, call) { found, warnings, _ in
      var values: Set<String> = []
      for labels in found {
        if let value = labels[label] { values.insert(value) }
      }
      return Responder.texts(values, limit: question.limit, warnings)
    }
  }

  private static func cut(_ isCut: Bool) -> [String] {
    isCut ? ["results truncated due to limit"] : []
  }

  private static func texts(_ texts: Set<String>, limit: Int, _ warnings: [String]) -> Reply {
    let sorted = texts.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    let shown = limit > 0 ? sorted.prefix(limit) : sorted[...]
    var members: [(String, JSON)] = [
      ("status", "success"), ("data", .array(shown.map { .string($0) })),
    ]
    let all = warnings + cut(shown.count < sorted.count)
    if !all.isEmpty { members.append(("warnings", .array(all.map { .string($0) }))) }
    return .json(JSON.object(JSONObject(members)).bytes())
  }

  /// Which names and values there are most of (Prometheus, "TSDB Stats").
  func headStatistics(_ call: PrometheusCall) async throws(APIFailure) -> Reply {
    var limit = 10
    let text = call.form.text("limit")
    if !text.isEmpty {
      guard let given = Int(text), given > 0 else {
        throw APIFailure(.badData, "limit must be a positive number")
      }
      limit = min(given, 10_000)
    }
    let memory = await agent.snapshot()
    let rows = limit
    return await atDesk(call) { ticket throws(APIFailure) in
      .data(try HeadStatistics(memory) { ticket.interruption }.json(limit: rows))
    }
  }
}
