import HTTPTypes
import HummingbirdCore
import LifeguardAgent
import LifeguardConfiguration
import LifeguardCore
import NIOCore

/// Prometheus' HTTP API: from a request to the place that answers it.
extension Responder {
  func answer(
    _ place: PrometheusPlace, _ request: Request, on channel: any NIOCore.Channel,
    _ limit: ConnectionLimit
  ) async -> Reply {
    if place == .write { return await receiveSamples(request, limit) }
    var body: [UInt8] = []
    if request.method == .post {
      switch await collectBody(request, upTo: place.bodyMax) {
      case .success(let bytes): body = bytes
      case .failure(let refusal): return refusal.reply
      }
    }
    // From here on the answer has a time limit of its own.
    limit.stop()
    let type = request.headers[.contentType]?.split(separator: ";").first?.lowercased()
    let call: PrometheusCall
    do throws(Form.Problem) {
      call = PrometheusCall(
        form: try Form(
          query: request.uri.query,
          body: type == "application/x-www-form-urlencoded" ? body : []),
        now: await agent.now().wall, settings: await agent.httpSettings.query,
        takesGzip: Gzip.isAccepted(by: request.headers[.acceptEncoding]),
        accept: request.headers[.accept], watch: await DisconnectWatch.of(channel),
        timer: channel.eventLoop)
    } catch {
      return place == .federate
        ? .text(.badRequest, "error parsing form values: \(error.message)")
        : APIFailure(.badData, "error parsing form values: \(error.message)").reply
    }
    var reply = await answer(place, call)
    reply.hasReadBody = true
    return reply
  }

  private func answer(_ place: PrometheusPlace, _ call: PrometheusCall) async -> Reply {
    do throws(APIFailure) {
      switch place {
      case .query: return try await query(call)
      case .queryRange: return try await queryRange(call)
      case .queryExemplars: return try queryExemplars(call)
      case .series: return try await series(call)
      case .labels: return try await labelNames(call)
      case .labelValues(let name): return try await labelValues(name, call)
      case .metadata: return try await metadata(call)
      case .rules: return try await rules(call)
      case .alerts: return await alerts()
      case .targets: return await targets(call)
      case .buildInfo: return buildInfo()
      case .headStatistics: return try await headStatistics(call)
      case .federate: return try await federate(call)
      case .write: return .text(.methodNotAllowed, "use POST")
      }
    } catch {
      return error.reply
    }
  }

  /// Runs on the query threads what would hold others up, and writes and compresses its answer
  /// there.
  func atDesk(
    _ call: PrometheusCall, until deadline: ContinuousClock.Instant? = nil,
    _ work: @escaping @Sendable (QueryTicket) throws(APIFailure) -> Reply
  ) async -> Reply {
    await desk.run(
      until: deadline ?? .now + call.settings.timeout, for: call.watch, timer: call.timer
    ) { ticket in
      do throws(APIFailure) {
        return try work(ticket).compressed(if: call.takesGzip)
      } catch {
        return error.reply
      }
    }
  }
}

extension DisconnectWatch {
  /// The one of a connection; nil when it has none, or is over already.
  static func of(_ channel: any NIOCore.Channel) async -> DisconnectWatch? {
    // A connection that has ended has no handlers any more; its answer goes nowhere.
    try? await channel.pipeline.handler(type: DisconnectWatch.self).get()
  }
}
