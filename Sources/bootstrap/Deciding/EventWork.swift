import LifeguardAWS
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

  let parts: Function
  let event: IncomingEvent
  let invocation: RuntimeLoop.Invocation
  private var batch = SampleBatch()
  private var reasons: [String: String] = [:]
  /// What holds alarms back, as this event tells; nil for those that nothing does.
  private var suppressed: [String: String?] = [:]
  /// Attempts whose server was started again, or is not to be.
  private var settledStarts: Set<String> = []
  private(set) var claim: EventClaim?
  private var isTakeover = false
  var problems: [String] = []
  var actions: [String] = []

  /// How often somebody else may be faster before nothing is done.
  static let conflictsMax = 5
  /// Kept back of the invocation's time for writing what came of it.
  static let reserve: Duration = .milliseconds(1500)
  /// Of it, for the answer to the runtime API.
  private static let answerTime: Duration = .milliseconds(100)
  private static let sweepTime: Duration = .seconds(30)

  init(_ parts: Function, _ event: IncomingEvent, _ invocation: RuntimeLoop.Invocation) {
    self.parts = parts
    self.event = event
    self.invocation = invocation
    switch event {
    case .logs(let logs): batch = logs.samples
    case .instance(let instance): instance.samples(into: &batch)
    case .alarms, .sweep: break
    }
  }

  /// What is left for work.
  var left: Duration { invocation.deadline - parts.now() - Self.reserve }

  /// The state table, for as long as this invocation lasts: what came of an action is written in
  /// the time that was kept back.
  var table: any StateTable {
    let rest = invocation.deadline - parts.now() - Self.answerTime
    return parts.table.within(max(rest, .milliseconds(200)))
  }

  /// When whoever works on this event is surely gone.
  var leaseUntil: Timestamp {
    // Without a deadline, as long as a function can run at most.
    min(invocation.deadline + .seconds(1), parts.now() + .seconds(901))
  }

  mutating func run() async throws(StateTableError) -> Report {
    var conflicts = 0
    var hasLooked = false
    while true {
      let stored = try await table.load()
      let document = try decode(stored)
      if !hasLooked {
        await look(document)
        batch.sort()
        noteAge()
      }
      var fleet = makeTurn(document, frozen: stored.frozen != nil)
      let effects = fleet.take(batch, at: parts.now())
      if !hasLooked { noteDropped(fleet) }
      hasLooked = true
      guard fleet.hasChanged else { return problemReport ?? .nothing }
      if claim == nil {
        let now = parts.now()
        let claim = EventClaim(
          key: Self.claimKey(event.key), holder: invocation.requestID, now: now,
          leaseUntil: leaseUntil)
        let answer = try await table.claim(claim)
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
          let isLeft = document.outbox.contains { $0.leaseUntil <= now.milliseconds }
          guard isLeft || !settledStarts.isEmpty else { return .duplicate }
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

  private func noteDropped(_ fleet: FleetTurn) {
    guard fleet.tooEarly + fleet.outOfOrder > 0 else { return }
    parts.log.warn(
      "Samples not taken",
      [
        ("olderThanKnown", .integer(Int64(fleet.outOfOrder))),
        ("aheadOfTheClock", .integer(Int64(fleet.tooEarly))),
      ])
  }

  private func giveUp(_ conflicts: Int) async throws(StateTableError) -> Report {
    if let claim, !isTakeover { try await table.release(claim) }
    return .incomplete(
      "the fleet's state was changed \(conflicts) times meanwhile: nothing was done")
  }

  // MARK: Looking

  /// What has to be looked at before anything is decided, once.
  private mutating func look(_ document: FleetDocument) async {
    await finishStarts(document)
    switch event {
    case .alarms(let alarms, _): take(alarms, document)
    case .sweep:
      let limit = max(min(left / 3, Self.sweepTime), .milliseconds(500))
      let sweep = Sweep(
        cloudWatch: parts.client.ending(after: limit).cloudWatch, log: parts.log,
        scope: AlarmScope(function: invocation.functionARN, others: parts.alarms))
      let found = await sweep.look(document, at: parts.now())
      take(found.alarms, document)
      if let problem = found.problem { problems.append(problem) }
      await removeRecoveryAlarms()
    case .logs, .instance: break
    }
  }

  private mutating func take(_ alarms: [AlarmEvent], _ document: FleetDocument) {
    let firing = Set(document.alarms.filter { $0.value == 1 }.map(\.labels))
    for alarm in alarms where !alarm.name.hasPrefix(CloudHands.recoveryAlarmPrefix) {
      alarm.samples(into: &batch, isKnown: firing.contains(alarm.labels))
      suppressed[alarm.name] = .some(alarm.state == .alarm ? alarm.suppressedBy : nil)
      if alarm.state == .alarm { reasons[alarm.name] = String(alarm.reason.prefix(500)) }
    }
  }

  /// A server that a step of ours stopped is started, also when whoever stopped it is gone.
  private mutating func finishStarts(_ document: FleetDocument) async {
    let now = parts.now()
    for (attempt, start) in (document.starts ?? [:]).sorted(by: { $0.key < $1.key }) {
      if let lease = document.leases[attempt], lease > now.milliseconds { continue }
      let limit = min(left, CloudHands.lookTime)
      guard limit > .zero else { return }
      var (isSettled, summary) = await parts.hands.cloud.finishStart(start.instance, within: limit)
      if !isSettled, now.milliseconds - start.since > FleetDocument.startsKept {
        isSettled = true
        summary += "; given up after a day: start it"
      }
      if isSettled { settledStarts.insert(attempt) }
      parts.log.log(
        isSettled ? .info : .error, "Start owed",
        [
          ("instance", .string(start.instance)), ("attempt", .string(attempt)),
          ("result", .string(summary)),
        ])
    }
  }

  private func removeRecoveryAlarms() async {
    guard parts.rules.recoversInstances, left > .seconds(2) else { return }
    do throws(AWSError) {
      let removed = try await parts.hands.cloud.removeRecoveryAlarms(
        at: parts.now(), within: min(left, .seconds(10)))
      guard !removed.isEmpty else { return }
      parts.log.info("Recovery alarms removed", [("alarms", .array(removed.map(JSON.string)))])
    } catch {
      parts.log.warn("Recovery alarms not removed", [("reason", .string("\(error)"))])
    }
  }

  /// DynamoDB's keys have at most 2,048 bytes; a long one keeps its beginning.
  static func claimKey(_ key: String) -> String {
    guard key.utf8.count > 1000 else { return key }
    return "\(key.prefix(200))…\(String(WantedMetrics.hash(key), radix: 16))…\(key.suffix(100))"
  }

  func decode(_ stored: StoredFleet) throws(StateTableError) -> FleetDocument {
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

  func makeTurn(_ stored: FleetDocument, frozen: Bool) -> FleetTurn {
    var document = stored
    document.hold(suppressed)
    let facts = FleetGuards.Facts(
      document, hasTable: parts.table.isDurable, isTakeover: isTakeover)
    var fleet = FleetTurn(
      document, rules: parts.rules, host: parts.fleet, reasons: reasons,
      guards: FleetGuards.guards(facts))
    fleet.settleStarts(settledStarts)
    if frozen { _ = fleet.handle(.host(HostFacts(killSwitch: true)), at: parts.now()) }
    return fleet
  }

  var problemReport: Report? {
    problems.isEmpty ? nil : .incomplete(problems.joined(separator: "; "))
  }
}
