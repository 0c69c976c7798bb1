import LifeguardAWS
import LifeguardCore

/// Handles events: from their bytes to what is answered.
struct Function: Sendable {
  let rules: FunctionRules
  /// Names the fleet: its state in the table, and itself in messages.
  let fleet: String
  let table: any StateTable
  let hands: FunctionHands
  let messenger: Messenger
  /// For what the function itself looks at.
  let client: AWSClient
  /// `LIFEGUARD_ALARMS`: what the sweep looks at beside the alarms that invoke this function.
  let alarms: [String]
  let log: RuntimeLog
  /// Events from this log group are refused.
  let ownLogGroup: String?
  /// What stops the function, for messages.
  let stopCommands: [String]
  let now: @Sendable () -> Timestamp
  let pause: @Sendable (Duration) async -> Void

  /// Handles one event; the answer says whether asking again would help.
  func handle(
    _ body: [UInt8], _ invocation: RuntimeLoop.Invocation
  ) async -> RuntimeLoop.Outcome {
    let event: IncomingEvent
    do throws(EventError) {
      event = try EventDecoder(wanted: rules.wanted, ownGroup: ownLogGroup).decode(body)
    } catch {
      log.error(
        "Event refused",
        [("kind", .string(error.kind.rawValue)), ("reason", .string(error.reason))])
      return Self.answer(400, "refused", error.reason)
    }
    logArrival(event)
    if case .logs(let batch) = event, batch.samples.entries.isEmpty {
      return Self.answer(200, batch.isControl ? "control" : "no metric", "nothing to do")
    }
    var work = EventWork(self, event, invocation)
    do throws(StateTableError) {
      return outcome(try await work.run())
    } catch {
      log.error("State table failed", [("reason", .string(error.description))])
      // Not retried by anybody, it would be lost without a sign: the error makes one.
      return .failure(
        type: error.isRetryable ? "State.Unavailable" : "State.Refused",
        message: error.description)
    }
  }

  private func outcome(_ report: EventWork.Report) -> RuntimeLoop.Outcome {
    switch report {
    case .nothing: return Self.answer(200, "ok", "nothing to do")
    case .duplicate: return Self.answer(200, "duplicate", "this event was handled before")
    case .held(let until):
      return Self.answer(
        200, "held", "another delivery of this event is at work until \(until.text)")
    case .done(let summary): return Self.answer(200, "done", summary)
    case .incomplete(let reason):
      log.error("Event not finished", [("reason", .string(reason))])
      return .failure(type: "Handler.Incomplete", message: reason)
    }
  }

  private static func answer(
    _ status: Int64, _ word: String, _ text: String
  ) -> RuntimeLoop.Outcome {
    .response(
      JSON.object(
        JSONObject([
          ("statusCode", .integer(status)), ("status", .string(word)), ("body", .string(text)),
        ])
      ).bytes())
  }

  private func logArrival(_ event: IncomingEvent) {
    var fields: [(String, JSON)] = [("kind", .string(event.kind))]
    switch event {
    case .logs(let batch):
      fields += [
        ("logGroup", .string(batch.group)), ("logStream", .string(batch.stream)),
        ("events", .integer(Int64(batch.events))),
        ("samples", .integer(Int64(batch.samples.entries.count))),
        ("badLines", .integer(Int64(batch.badLines))),
        ("textLines", .integer(Int64(batch.plainLines))),
        ("otherLines", .integer(Int64(batch.otherLines))),
      ]
      log.log(batch.badLines > 0 ? .warn : .info, "Event received", fields)
      return
    case .alarms(let alarms, let problems):
      let texts = alarms.prefix(20).map { JSON.string("\($0.name): \($0.state.rawValue)") }
      fields.append(("alarms", .array(texts)))
      for problem in problems {
        log.error("Record refused", [("reason", .string(problem))])
      }
      for alarm in alarms {
        guard let suppressor = alarm.suppressedBy else { continue }
        log.info(
          "Actions suppressed",
          [("alarm", .string(alarm.name)), ("by", .string(suppressor))])
      }
    case .instance(let event):
      fields += [("instance", .string(event.instance)), ("state", .string(event.state))]
    case .sweep(let rule, _): fields.append(("rule", .string(rule)))
    }
    log.info("Event received", fields)
  }
}
