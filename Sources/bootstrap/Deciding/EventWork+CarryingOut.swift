import LifeguardCore

/// From a decision to what came of it: written down, told, carried out, written down.
extension EventWork {
  /// Rounds of acting and deciding on what came of it, somebody faster in between included.
  private static let roundsMax = 16
  private static let deliveryTime: Duration = .seconds(8)

  /// Steps to run and messages to send, as they come out of deciding.
  private struct Round {
    var runs: [StepRequest] = []
    var messages: [FleetDocument.Message] = []
  }

  /// Writes the intent, tells, acts, and writes what came of it.
  ///
  /// - Returns: nil when somebody else was faster and nothing was done.
  mutating func carryOut(
    _ first: FleetTurn, _ effects: [Effect], version: Int64
  ) async throws(StateTableError) -> Report? {
    var fleet = first
    var version = version
    var effects = effects
    var results: [(attempt: String, result: StepResult)] = []
    var delivered: Set<String> = []
    var failed: Set<String> = []
    for number in 0..<Self.roundsMax {
      var round = await settle(&fleet, effects)
      let mine = postpone(&fleet, &round, delivered: delivered, failed: failed)
      for run in round.runs { fleet.intend(run, until: leaseUntil, at: parts.now()) }
      guard let written = try await save(&fleet, after: version) else {
        if number == 0 { return nil }
        await parts.pause(.milliseconds(Int64.random(in: 5...100)))
        (fleet, version, effects) = try await rejoin(results)
        continue
      }
      version = written
      results = []
      effects = []
      let outcome = await deliver(mine)
      delivered.formUnion(outcome.delivered)
      failed.formUnion(outcome.failed)
      for run in round.runs {
        let result = await perform(run)
        results.append((run.attempt.id, result))
        effects += fleet.finish(run.attempt.id, result, at: parts.now())
      }
      if results.isEmpty, outcome.delivered.isEmpty, outcome.failed.isEmpty { break }
    }
    if let report = problemReport { return report }
    let summary = actions.isEmpty ? "handled" : actions.joined(separator: "; ")
    if let claim { try await table.finish(claim, outcome: summary) }
    return .done(summary)
  }

  /// Somebody wrote in between: what was done is noted in what they wrote.
  private func rejoin(
    _ results: [(attempt: String, result: StepResult)]
  ) async throws(StateTableError) -> (FleetTurn, Int64, [Effect]) {
    let stored = try await table.load()
    var fleet = makeTurn(try decode(stored), frozen: stored.frozen != nil)
    let now = parts.now()
    var effects = fleet.handle(
      .started(StartReport(attemptsElsewhere: Set(fleet.document.leases.keys))), at: now)
    for (attempt, result) in results {
      effects += fleet.finish(attempt, result, at: now)
    }
    return (fleet, stored.version, effects)
  }

  /// Logs, looks before actions, and sorts out what is left: steps and messages.
  private func settle(_ fleet: inout FleetTurn, _ effects: [Effect]) async -> Round {
    var round = Round()
    var queue = effects
    while !queue.isEmpty {
      let effect = queue.removeFirst()
      switch effect {
      case .run(let request): round.runs.append(request)
      case .prepare(let request):
        let step = fleet.step(of: request)
        let preparation = await parts.hands.prepare(
          step, target: request.evidence.target, ownStops: fleet.ownStops, within: left)
        queue += fleet.handle(.prepared(attempt: request.attempt, preparation), at: parts.now())
      case .notify(var announcement, let receiver):
        announcement.stopCommands = parts.stopCommands
        round.messages.append(
          FleetDocument.Message(
            receiver: receiver, announcement: announcement, leaseUntil: leaseUntil.milliseconds))
      case .record(let entry):
        var fields: [(String, JSON)] = [
          ("decision", .string(entry.kind.rawValue)), ("code", .string(entry.code)),
          ("reason", .string(entry.sentence)),
        ]
        if let incident = entry.incident { fields.append(("incident", .integer(Int64(incident)))) }
        parts.log.info("Decision", fields)
      case .announce, .collectEvidence, .probe: break
      }
    }
    return round
  }

  /// Puts messages into the outbox and takes those out that are gone; those that are ours to send.
  private func postpone(
    _ fleet: inout FleetTurn, _ round: inout Round, delivered: Set<String>, failed: Set<String>
  ) -> [FleetDocument.Message] {
    let now = parts.now().milliseconds
    var outbox = fleet.document.outbox.filter { !delivered.contains($0.id) }
    var mine = round.messages
    for index in outbox.indices {
      if failed.contains(outbox[index].id) {
        outbox[index].leaseUntil = now
      } else if outbox[index].leaseUntil <= now {
        outbox[index].leaseUntil = leaseUntil.milliseconds
        mine.append(outbox[index])
      }
    }
    fleet.setOutbox(outbox + round.messages)
    return mine
  }

  private func save(
    _ fleet: inout FleetTurn, after version: Int64
  ) async throws(StateTableError) -> Int64? {
    var document = fleet.snapshot(at: parts.now())
    if fleet.droppedSeries > 0 {
      parts.log.warn(
        "Series not kept",
        [
          ("series", .integer(Int64(fleet.droppedSeries))),
          ("kept", .integer(Int64(document.series.count))),
        ])
    }
    var bytes = try encode(document)
    var step = 0
    while bytes.count > FleetDocument.bytesMax {
      guard let dropped = document.shed(step) else {
        throw StateTableError(
          description: "the fleet's state has \(bytes.count) bytes, more than"
            + " \(FleetDocument.bytesMax): use shorter windows or another LIFEGUARD_FLEET for part"
            + " of it", isRetryable: false)
      }
      parts.log.error(
        "State too large",
        [("bytes", .integer(Int64(bytes.count))), ("dropped", .string(dropped))])
      bytes = try encode(document)
      step += 1
    }
    return try await table.save(bytes, after: version, by: invocation.requestID)
  }

  private func encode(_ document: FleetDocument) throws(StateTableError) -> [UInt8] {
    do {
      return try JSONCoder.encode(document)
    } catch {
      throw StateTableError(
        description: "the fleet's state cannot be written: \(error)", isRetryable: false)
    }
  }

  private mutating func deliver(
    _ messages: [FleetDocument.Message]
  ) async -> (delivered: Set<String>, failed: Set<String>) {
    var delivered: Set<String> = []
    var failed: Set<String> = []
    for message in messages {
      let limit = min(Self.deliveryTime, left)
      let fields: [(String, JSON)] = [
        ("receiver", .string(message.receiver)), ("id", .string(message.announcement.id)),
      ]
      guard limit > .zero else {
        failed.insert(message.id)
        continue
      }
      switch await parts.messenger.send(
        message.announcement, to: message.receiver, within: limit)
      {
      case .delivered:
        delivered.insert(message.id)
        parts.log.info("Message sent", fields)
      case .failed(let reason):
        failed.insert(message.id)
        problems.append("message to \(message.receiver) not delivered: \(reason)")
        parts.log.error("Message not delivered", fields + [("reason", .string(reason))])
      case .refused(let reason):
        // It would be refused for ever; the log has what it said.
        delivered.insert(message.id)
        parts.log.error(
          "Message refused",
          fields + [
            ("reason", .string(reason)),
            ("text", .string(message.announcement.whatHappened)),
          ])
      }
    }
    return (delivered, failed)
  }

  private mutating func perform(_ run: StepRequest) async -> StepResult {
    let fields: [(String, JSON)] = [
      ("attempt", .string(run.attempt.id)), ("step", .string(run.step.name)),
      ("target", .string(run.attempt.target.description)),
    ]
    parts.log.info("Acting", fields)
    let result = await parts.hands.perform(run, within: left)
    parts.log.info("Acted", fields + [("result", .string(result.summary))])
    actions.append("\(run.step.name) \(run.attempt.target): \(result.summary)")
    return result
  }
}

extension FleetDocument.Message {
  /// One message to one receiver.
  var id: String { "\(receiver)|\(announcement.id)" }
}
