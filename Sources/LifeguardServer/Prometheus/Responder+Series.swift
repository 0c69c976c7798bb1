import LifeguardAgent
import LifeguardCore

/// `/api/v1/series`, `/api/v1/labels`, `/api/v1/label/NAME/values`, `/api/v1/status/tsdb`.
extension Responder {
  func series(_ call: PrometheusCall) async throws(APIFailure) -> Reply {
    guard !call.form.texts("match[]").isEmpty else {
      throw APIFailure(.badData, "no match[] parameter provided")
    }
    let question = try SeriesQuestion(call, requiresMatcher: true)
    let memory = await agent.snapshot()
    let stored = try await storedLabels(
      question.selectors, from: question.start, to: question.end, within: try call.timeout())
    return await atDesk(call) { ticket throws(APIFailure) in
      let found = try memory.series(
        question.selectors, from: question.start, to: question.end
      ) { ticket.interruption }.union(stored)
      var writer = AnswerWriter { ticket.interruption }
      writer.append("{\"status\":\"success\",\"data\":[")
      let shown = question.limit > 0 ? min(question.limit, found.count) : found.count
      for (index, labels) in found.sorted().prefix(shown).enumerated() {
        if index > 0 { writer.append(",") }
        writer.write(labels)
        try writer.check()
      }
      writer.append(
        shown < found.count ? "],\"warnings\":[\"results truncated due to limit\"]}" : "]}")
      return .json(writer.bytes)
    }
  }

  func labelNames(_ call: PrometheusCall) async throws(APIFailure) -> Reply {
    let question = try SeriesQuestion(call, requiresMatcher: false)
    let memory = await agent.snapshot()
    let stored = try await storedLabels(
      question.selectors, from: question.start, to: question.end, within: try call.timeout())
    return await atDesk(call) { ticket throws(APIFailure) in
      var names: Set<String> = []
      let found = try memory.series(
        question.selectors, from: question.start, to: question.end, { ticket.interruption })
      for labels in found.union(stored) {
        for label in labels { names.insert(label.name) }
      }
      return Responder.texts(names, limit: question.limit)
    }
  }

  func labelValues(_ escaped: String, _ call: PrometheusCall) async throws(APIFailure) -> Reply {
    let name: String
    do throws(Form.Problem) {
      name = try Form.decoded(Substring(escaped), plusIsSpace: false)
    } catch {
      throw APIFailure(.badData, error.message)
    }
    guard LabelName.isValid(name) else {
      throw APIFailure(.badData, "invalid label name: \(PrometheusCall.quoted(name))")
    }
    let question = try SeriesQuestion(call, requiresMatcher: false)
    let memory = await agent.snapshot()
    let stored = try await storedLabels(
      question.selectors, from: question.start, to: question.end, within: try call.timeout())
    let label = LabelName.unescaped(name)
    return await atDesk(call) { ticket throws(APIFailure) in
      var values: Set<String> = []
      let found = try memory.series(
        question.selectors, from: question.start, to: question.end, { ticket.interruption })
      for labels in found.union(stored) {
        if let value = labels[label] { values.insert(value) }
      }
      return Responder.texts(values, limit: question.limit)
    }
  }

  private static func texts(_ texts: Set<String>, limit: Int) -> Reply {
    let sorted = texts.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    let shown = limit > 0 ? sorted.prefix(limit) : sorted[...]
    var members: [(String, JSON)] = [
      ("status", "success"), ("data", .array(shown.map { .string($0) })),
    ]
    if shown.count < sorted.count {
      members.append(("warnings", ["results truncated due to limit"]))
    }
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

/// What `series`, `labels` and `label/NAME/values` have in common.
private struct SeriesQuestion {
  var selectors: [[Matcher]]
  var start: Timestamp
  var end: Timestamp
  var limit: Int

  init(_ call: PrometheusCall, requiresMatcher: Bool) throws(APIFailure) {
    start = try call.time("start", missing: ParameterText.earliest)
    end = try call.time("end", missing: ParameterText.latest)
    selectors = try call.selectors()
    limit = try call.limit()
    for matchers in selectors where matchers.allSatisfy(\.matchesEmpty) {
      throw .invalid("match[]", "match[] must contain at least one non-empty matcher")
    }
  }
}

/// Names of labels in paths.
enum LabelName {
  /// Letters, digits and underscores, no digit first; other names come escaped as `U__…`.
  static func isValid(_ name: String) -> Bool {
    guard let first = name.utf8.first, !(0x30...0x39).contains(first) else { return false }
    return name.utf8.allSatisfy {
      (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0)
        || $0 == UInt8(ascii: "_")
    }
  }

  /// `U__http_2e_status` is `http.status` (Prometheus, "UTF-8 in Prometheus", values escaping).
  static func unescaped(_ name: String) -> String {
    guard name.hasPrefix("U__") else { return name }
    var result = String.UnicodeScalarView()
    var rest = name.dropFirst(3)
    while let character = rest.popFirst() {
      guard character == "_" else {
        result.append(contentsOf: character.unicodeScalars)
        continue
      }
      if rest.first == "_" {
        rest.removeFirst()
        result.append("_")
        continue
      }
      let digits = rest.prefix { $0.isHexDigit }
      guard (1...6).contains(digits.count), rest.dropFirst(digits.count).first == "_",
        let code = UInt32(digits, radix: 16), let scalar = Unicode.Scalar(code)
      else { return name }
      result.append(scalar)
      rest = rest.dropFirst(digits.count + 1)
    }
    return String(result)
  }
}
