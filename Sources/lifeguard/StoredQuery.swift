import ArgumentParser
import Glibc
import LifeguardCore
import LifeguardServer
import LifeguardStore

/// A query over the samples that an agent left behind.
struct StoredQuery {
  /// As long as a query of a running agent may take.
  static let secondsMax = 120

  var directory: String

  /// The answer in the form of the API.
  func answer(_ question: QueryQuestion) throws -> JSON {
    let path = "\(directory)/samples.db"
    guard access(path, R_OK) == 0 else {
      throw refused("no agent runs there, and \(path) cannot be read")
    }
    let query: Query
    do throws(ParseError) {
      query = try Query(parsing: question.expression)
    } catch {
      throw refused("invalid expression: \(error)")
    }
    let archive = SampleArchive(path: path)
    let answer = Blocking<Result<JSON, Refusal>>.wait(seconds: Self.secondsMax) {
      do {
        return .success(try await Self.evaluate(query, question, archive))
      } catch {
        return .failure(Refusal(description: "\(error)"))
      }
    }
    switch answer {
    case .success(let json): return json
    case .failure(let refusal): throw refused(refusal.description)
    case nil: throw refused("the query takes longer than \(Self.secondsMax) s")
    }
  }

  private struct Refusal: Error { var description: String }

  /// As of the newest sample, unless the question names a time: after five minutes of rest there
  /// would be nothing to see otherwise.
  private static func evaluate(
    _ query: Query, _ question: QueryQuestion, _ archive: SampleArchive
  ) async throws -> JSON {
    var end = QueryQuestion.now
    if let time = question.time {
      end = time
    } else if let newest = try await archive.statistics().interval?.newest {
      end = newest
    }
    let deadline = ContinuousClock.now + .seconds(secondsMax)
    let options = QueryOptions(
      interruption: { ContinuousClock.now < deadline ? nil : .timedOut })
    var result: QueryResult
    let start = end - (question.span?.length ?? .zero)
    let source = try await archive.source(
      for: query, from: start, to: end, step: question.span?.step ?? .zero, options: options)
    if let span = question.span {
      result = try query.range(
        over: source, from: start, to: end, step: span.step, options: options)
    } else {
      result = try query.instant(over: source, at: end, options: options)
    }
    result.warnings += source.warnings
    result.infos += source.infos
    return try JSON.parse(try QueryAnswer.json(result, at: end))
  }

  private func refused(_ message: String) -> ExitCode {
    StandardError.write("lifeguard: \(Printable.text(message))\n")
    return .problem
  }
}
