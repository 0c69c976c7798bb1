import LifeguardCore

/// One event's way through the fleet's state.
///
/// ```
/// load ─▶ decide ─▶ claim ─▶ write the intent ─▶ tell, act ─▶ write the outcome ─▶ finish
///   ▲                              │ somebody was faster
///   └──────────────────────────────┘ at most 5 times, then nothing is done
/// ```
///
/// The state is written before anything is done, and only over the version that the decision was
/// made on: of several invocations one decides, and the others decide again on what it wrote.
struct EventWork {
  enum Report: Hashable {
    /// Nothing that must be remembered, told or done.
    case nothing
    case duplicate
    case held(until: Timestamp)
    case done(String)
    /// Not all of it could be done; a retry may.
    case incomplete(String)
  }

  private let parts: Function
  private let event: IncomingEvent
  private let invocation: RuntimeLoop.Invocation
  private var batch = SampleBatch()
  private var reasons: [String: String] = [:]
  private var claim: EventClaim?
  private var isTakeover = false
  private var problems: [String] = []
  private var actions: [String] = []

  /// How often somebody else may be faster before nothing is done.
  static let conflictsMax = 5
  /// Rounds of acting and deciding on what came of it, somebody faster in between included.
  private static let roundsMax = 16
  /// Kept back of the invocation's time for writing what came of it.
  private static let reserve: Duration = .milliseconds(1500)
  private static let deliveryTime: Duration = .seconds(8)

  init(_ parts: Function, _ event: IncomingEvent, _ invocation: RuntimeLoop.Invocation) {
    self.parts = parts
    self.event = event
    self.invocation = invocation
    switch event {
    case .logs(let logs): batch = logs.samples
    case .alarms(let alarms):
      for alarm in alarms {
        alarm.samples(into: &batch)
        if alarm.state == .alarm { reasons[alarm.name] = String(alarm.reason.prefix(500)) }
      }
    case .instance(let instance): instance.samples(into: &batch)
    case .sweep: break
    }
    batch.sort()
  }

  /// What is left for work.
  private var left: Duration { invocation.deadline - parts.now() - Self.reserve }

  /// When whoever works on this event is surely gone.
  private var leaseUntil: Timestamp {
    // Without a deadline, as long as a function can run at most.
    min(invocation.deadline + .seconds(1), parts.now() + .seconds(901))
  }

  mutating func run() async throws(StateTableError) -> Report {
    noteAge()
    var conflicts = 0
    var hasSwept = false
    while true {
      let stored = try await parts.table.load()
      let document = try decode(stored)
      if case .sweep = event, !hasSwept {
        await sweep(document)
        hasSwept = true
      }
      var fleet = makeTurn(document, frozen: stored.frozen != nil)
      let effects = fleet.take(batch, at: parts.now())
      guard fleet.hasChanged else { return problemReport ?? .nothing }
      if claim == nil {
        let now = parts.now()
        let claim = EventClaim(
          key: Self.claimKey(event.key), holder: invocation.requestID, now: now,
          leaseUntil: leaseUntil)
        let answer = try await parts.table.claim(claim)
        self.claim = claim
        switch answer {
        case .won: break
        case .held(let until): return .held(until: until)
        case .abandoned:
          isTakeover = true
          parts.log.warn("Claim without outcome", [("event", .string(event.key))])
          continue
        case .done:
          // A message that was not delivered then is delivered now; nothing else is done again.
          guard document.outbox.contains(where: { $0.leaseUntil <= now.milliseconds }) else {
            return .duplicate
          }
          batch = SampleBatch()
          continue
        }
      }
      if let report = try await carryOut(fleet, effects, version: stored.version) {
        return report
      }
      conflicts += 1
      guard conflicts <= Self.conflictsMax, left > .zero else { return try await giveUp(conflicts) }
      await parts.pause(.milliseconds(Int64.random(in: 5...(40 << min(conflicts, 4)))))
    }
  }

  /// What is too old to be acted on is said once, here: the guard rails refuse it later.
  private func noteAge() {
    guard let newest = batch.entries.last?.time else { return }
    let age = parts.now() - Timestamp(milliseconds: newest)
    guard age > parts.rules.ageMax else { return }
    parts.log.warn(
      "Event too old",
      [("age", .string(age.text)), ("limit", .string(parts.rules.ageMax.text))])
  }

  private func giveUp(_ conflicts: Int) async throws(StateTableError) -> Report {
    if let claim, !isTakeover { try await parts.table.release(claim) }
    return .incomplete(
      "the fleet's state was changed \(conflicts) times meanwhile: nothing was done")
  }

  private mutating func sweep(_ document: FleetDocument) async {
    let sweep = Sweep(cloudWatch: parts.cloudWatch, log: parts.log)
    let found = await sweep.look(document, at: parts.now(), within: left)
    for alarm in found.alarms {
      alarm.samples(into: &batch)
      if alarm.state == .alarm { reasons[alarm.name] = String(alarm.reason.prefix(500)) }
    }
    batch.sort()
    if let problem = found.problem { problems.append(problem) }
  }

  /// DynamoDB's keys have at most 2,048 bytes; a long one keeps its beginning.
  static func claimKey(_ key: String) -> String {
    guard key.utf8.count > 1000 else { return key }
    return "\(key.prefix(200))…\(String(WantedMetrics.hash(key), radix: 16))…\(key.suffix(100))"
  }

  private func decode(_ stored: StoredFleet) throws(StateTableError) -> FleetDocument {
    guard !stored.document.isEmpty else { return FleetDocument() }
    do {
      let document = try JSONCoder.decode(FleetDocument.self, from: stored.document)
      guard document.form <= FleetDocument.version else {
        throw StateTableError(
          description: "the fleet's state was written by a newer version", isRetryable: false)
      }
      return document
    } catch let error as StateTableError {
      throw error
    } catch {
      throw StateTableError(
        description: "the fleet's state cannot be read (\(JSONCoder.describe(error))); look at it,"
          + " then delete the item state#\(parts.fleet)", isRetryable: false)
    }
  }

  private func makeTurn(_ document: FleetDocument, frozen: Bool) -> FleetTurn {
    let facts = FleetGuards.Facts(
      hasTable: parts.table.isDurable, isTakeover: isTakeover,
      instances: document.instances.keys.sorted())
    var fleet = FleetTurn(
      document, rules: parts.rules, host: parts.fleet, reasons: reasons,
      guards: FleetGuards.guards(facts))
    if frozen { _ = fleet.handle(.host(HostFacts(killSwitch: true)), at: parts.now()) }
    return fleet
  }

  private var problemReport: Report? {
    problems.isEmpty ? nil : .incomplete(problems.joined(separator: "; "))
  }

  // MARK: Carrying out

  /// Steps to run and messages to send, as they come out of deciding.
  private struct Round {
    var runs: [StepRequest] = []
    var messages: [FleetDocument.Message] = []
  }

  /// Writes the intent, tells, acts, and writes what came of it.
  ///
  /// - Returns: nil when somebody else was faster and nothing was done.
  private mutating func carryOut(
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
      for run in round.runs { fleet.setLease(run.attempt.id, until: leaseUntil) }
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
        fleet.setLease(run.attempt.id, until: nil)
        effects += fleet.handle(.stepFinished(attempt: run.attempt.id, result), at: parts.now())
      }
      if results.isEmpty, outcome.delivered.isEmpty, outcome.failed.isEmpty { break }
    }
    if let report = problemReport { return report }
    let summary = actions.isEmpty ? "handled" : actions.joined(separator: "; ")
    if let claim { try await parts.table.finish(claim, outcome: summary) }
    return .done(summary)
  }

  /// Somebody wrote in between: what was done is noted in what they wrote.
  private func rejoin(
    _ results: [(attempt: String, result: StepResult)]
  ) async throws(StateTableError) -> (FleetTurn, Int64, [Effect]) {
    let stored = try await parts.table.load()
    var fleet = makeTurn(try decode(stored), frozen: stored.frozen != nil)
    let now = parts.now()
    var effects = fleet.handle(
      .started(StartReport(attemptsElsewhere: Set(fleet.document.leases.keys))), at: now)
    for (attempt, result) in results {
      fleet.setLease(attempt, until: nil)
      effects += fleet.handle(.stepFinished(attempt: attempt, result), at: now)
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
        let preparation = await parts.hands.prepare(step, target: request.evidence.target)
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
    let bytes: [UInt8]
    do {
      bytes = try JSONCoder.encode(fleet.snapshot())
    } catch {
      throw StateTableError(
        description: "the fleet's state cannot be written: \(error)", isRetryable: false)
    }
    guard bytes.count <= FleetDocument.bytesMax else {
      throw StateTableError(
        description: "the fleet's state has \(bytes.count) bytes, more than"
          + " \(FleetDocument.bytesMax): use shorter windows or another LIFEGUARD_FLEET for part"
          + " of it", isRetryable: false)
    }
    return try await parts.table.save(bytes, after: version, by: invocation.requestID)
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
