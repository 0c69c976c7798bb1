import LifeguardAgent
import LifeguardCore

/// `/api/v1/query`, `/api/v1/query_range`, `/api/v1/query_exemplars`.
extension Responder {
  func query(_ call: PrometheusCall) async throws(APIFailure) -> Reply {
    let limit = try call.limit()
    let time = try call.time("time", missing: call.now)
    let query = try Responder.parsed(call)
    return try await evaluate(query, call, from: time, to: time, step: .zero) {
      source, options, ticket throws(APIFailure) in
      let result: QueryResult
      do throws(QueryError) {
        result = try source.instant(query, at: time, options)
      } catch {
        throw APIFailure(error)
      }
      return .json(
        try AnswerWriter.success(result, at: time, limit: limit) { ticket.interruption })
    }
  }

  func queryRange(_ call: PrometheusCall) async throws(APIFailure) -> Reply {
    let limit = try call.limit()
    let start = try call.time("start", missing: nil)
    let end = try call.time("end", missing: nil)
    guard end >= start else {
      throw .invalid("end", "end timestamp must not be before start time")
    }
    let text = call.form.text("step")
    guard let step = ParameterText.duration(text) else {
      throw .invalid("step", "cannot parse \(PrometheusCall.quoted(text)) to a valid duration")
    }
    guard step.milliseconds > 0 else {
      throw .invalid(
        "step",
        "zero or negative query resolution step widths are not accepted. Try a positive integer")
    }
    let query = try Responder.parsed(call)
    return try await evaluate(query, call, from: start, to: end, step: step) {
      source, options, ticket throws(APIFailure) in
      let result: QueryResult
      do throws(QueryError) {
        result = try source.range(query, from: start, to: end, step: step, options)
      } catch .invalid(let message) {
        throw message.hasPrefix("exceeded")
          ? APIFailure(.badData, message) : .invalid("query", message)
      } catch {
        throw APIFailure(error)
      }
      return .json(
        try AnswerWriter.success(result, at: start, limit: limit) { ticket.interruption })
    }
  }

  /// There are none: nothing here keeps exemplars.
  func queryExemplars(_ call: PrometheusCall) throws(APIFailure) -> Reply {
    let start = try call.time("start", missing: .earliest)
    let end = try call.time("end", missing: .latest)
    guard end >= start else {
      throw APIFailure(.badData, "end timestamp must not be before start timestamp")
    }
    do throws(ParseError) {
      _ = try Query(parsing: call.form.text("query"))
    } catch {
      throw APIFailure(.badData, error.description)
    }
    return .data(JSON.array([]))
  }

  private static func parsed(_ call: PrometheusCall) throws(APIFailure) -> Query {
    do throws(ParseError) {
      return try Query(parsing: call.form.text("query"))
    } catch {
      throw .invalid("query", error.description)
    }
  }
}
