import LifeguardAWS
import LifeguardConfiguration
import LifeguardCore

/// One invocation's view of the fleet: what is remembered, with an event's samples folded in by the
/// same turn as the agent's.
///
/// The event's past is gone through first, at the times of its samples and without deciding
/// anything, so that `for`, M of N and hysteresis see every value; then it is now, and the monitor
/// decides.
struct FleetTurn: Sendable {
  private(set) var turn: Turn
  private(set) var document: FleetDocument
  private let rules: FunctionRules
  private var references: Set<SeriesReference> = []
  /// Samples of the event that were older than what is known of their series, and those that were
  /// further ahead of the clock than clocks are.
  private(set) var outOfOrder = 0
  private(set) var tooEarly = 0
  /// Series that there was no room for in the last snapshot.
  private(set) var droppedSeries = 0

  /// Evaluations of one event's past; more changes than that within a few minutes are noise.
  static let stepsMax = 200

  init(
    _ document: FleetDocument, rules: FunctionRules, host: String, reasons: [String: String] = [:],
    guards: [Guard]
  ) {
    self.document = document
    self.rules = rules
    let monitor = Monitor(
      policy: rules.policy(host: host, reasons: reasons, servers: document.servers.count),
      state: document.state, guards: guards)
    var head = Head(seriesMax: 2000)
    for series in document.series {
      // why try?: what does not fit is a series that nobody kept for long.
      guard let reference = try? head.reference(for: series.labels) else { continue }
      references.insert(reference)
      for (time, value) in zip(series.times, series.values) {
        // why try?: as above.
        try? head.append(reference, at: Timestamp(milliseconds: time), value ?? .staleMarker)
      }
    }
    var idle = Monitor(policy: monitor.policy)
    _ = idle.handle(.started(StartReport()), at: Self.moment(Timestamp(milliseconds: 0)))
    startRevisions = idle.revision
    turn = Turn(head: head, monitor: monitor)
    turn.sourceIntervals = rules.sourceIntervals
    turn.setRules(
      inline: rules.inlineRules(reasons: reasons),
      groups: rules.configuration.ruleGroups.map { group in
        var group = group
        // Whenever an event comes; groups' own intervals are the agent's.
        group.interval = .milliseconds(1)
        return group
      }, interval: .milliseconds(1))
  }

  /// A moment on the one clock that all sandboxes share: nothing here has a boot of its own.
  static func moment(_ time: Timestamp) -> Moment {
    Moment(wall: time, boottime: .milliseconds(time.milliseconds), bootID: "lambda")
  }

  /// Whether anything changed that must be remembered. What is open changes with every look:
  /// histories of M of N, the progress of a verification.
  var hasChanged: Bool {
    windowsChanged || startsChanged || !document.outbox.isEmpty
      || !turn.monitor.state.tracker.alerts.isEmpty
      || !turn.monitor.state.openIncidents.isEmpty || turn.monitor.revision > startRevisions
  }
  private var windowsChanged = false
  private var startsChanged = false
  /// What a start alone adds to the monitor's revision.
  private let startRevisions: Int

  /// Folds an event's samples in and decides.
  mutating func take(_ batch: SampleBatch, at now: Timestamp) -> [Effect] {
    var effects: [Effect] = []
    let steps = append(batch, at: now)
    for step in steps {
      effects += turn.take(at: Self.moment(step)).filter { !$0.isPastRefusal }
    }
    // An alarm without a server stands in for one under its own name.
    let servers = batch.series.compactMap { labels in
      labels["instance"].flatMap { $0 == labels["alarm"] ? nil : $0 }
    }
    document.noteInstances(servers, at: now)
    document.dropExpiredLeases(at: now)
    let moment = Self.moment(now)
    // A start writes a line into the record; one for each event would say nothing.
    effects += turn.handle(
      .started(StartReport(attemptsElsewhere: Set(document.leases.keys))), at: moment
    ).filter { !$0.isStartRecord }
    effects += turn.take(at: moment)
    effects += noteStorm(at: now)
    return effects
  }

  /// G5: a storm is one trouble of its own: a series says so while it lasts, which a rule reads. It
  /// is told once, and ends when it was calm for a while.
  private mutating func noteStorm(at now: Timestamp) -> [Effect] {
    let facts = FleetGuards.Facts(document, hasTable: true, isTakeover: false)
    let bad = FleetGuards.newlyBad(turn.monitor, Self.moment(now)).count
    if bad >= facts.stormLimit { document.stormAt = now.milliseconds }
    guard let last = document.stormAt else { return [] }
    let isOver = now.milliseconds - last >= FleetGuards.stormCalm.milliseconds
    if isOver { document.stormAt = nil }
    // What was decided at this moment is decided.
    let next = now + .milliseconds(1)
    do throws(HeadError) {
      let reference = try turn.head.reference(for: [Labels.metricName: FleetGuards.stormMetric])
      references.insert(reference)
      try turn.head.append(reference, at: next, isOver ? 0 : 1)
    } catch {
      // Known from the future already, or too many series: the guard rail holds without it.
      return []
    }
    return turn.take(at: Self.moment(next))
  }

  /// The step that a preparation is for.
  func step(of request: PreparationRequest) -> Step? {
    let steps = rules.configuration.allPlans[request.plan]?.steps ?? []
    return steps.indices.contains(request.rung) ? steps[request.rung] : nil
  }

  mutating func handle(_ event: Event, at now: Timestamp) -> [Effect] {
    turn.handle(event, at: Self.moment(now))
  }

  /// Appends the samples; the times at which something may have changed, oldest first.
  private mutating func append(_ batch: SampleBatch, at now: Timestamp) -> [Timestamp] {
    var references = [SeriesReference?](repeating: nil, count: batch.series.count)
    for (place, labels) in batch.series.enumerated() {
      // why try?: a series too many is refused and counted by the head.
      references[place] = try? turn.head.reference(for: labels)
      if let reference = references[place] { self.references.insert(reference) }
    }
    var last = [Int64](repeating: .min, count: batch.series.count)
    let newest = now.milliseconds + Self.aheadMax
    for entry in batch.entries {
      guard entry.time <= newest else {
        tooEarly += 1
        continue
      }
      guard let reference = references[entry.series] else { continue }
      // Two values of one millisecond are both kept, a millisecond apart.
      let time = entry.time <= last[entry.series] ? last[entry.series] + 1 : entry.time
      do throws(HeadError) {
        try turn.head.append(reference, at: Timestamp(milliseconds: time), entry.value)
        last[entry.series] = time
      } catch {
        outOfOrder += 1
      }
    }
    windowsChanged = windowsChanged || (rules.window > .zero && !batch.entries.isEmpty)
    return steps(batch, before: now)
  }

  /// When rules must be evaluated on the way to now.
  ///
  /// A rule of the form `metric > number` is looked at where its verdict changes, and as often
  /// after that as its window counts; nothing happens while it stays healthy and no alert of it is
  /// open. Other rules are evaluated at every sample, of which the newest ones count.
  private func steps(_ batch: SampleBatch, before now: Timestamp) -> [Timestamp] {
    guard !batch.entries.isEmpty else { return [] }
    var steps: Set<Int64> = []
    for (rule, test) in rules.tests {
      guard let test else {
        for entry in batch.entries.suffix(Self.stepsMax / 4) { steps.insert(entry.time) }
        continue
      }
      let isOpen = !turn.monitor.state.tracker.activeElements(of: rule.id).isEmpty
      for (place, labels) in batch.series.enumerated() where test.selects(labels) {
        let values = batch.entries.lazy.filter { $0.series == place }
        Self.addSteps(values, rule, test, isOpen: isOpen, to: &steps)
      }
    }
    let past = steps.filter { $0 < now.milliseconds }.sorted().suffix(Self.stepsMax)
    return past.map { Timestamp(milliseconds: $0) }
  }

  private static func addSteps(
    _ values: some Sequence<SampleBatch.Entry>, _ rule: AlertRule, _ test: ThresholdTest,
    isOpen: Bool, to steps: inout Set<Int64>
  ) {
    let each = rule.samples?.window ?? 1
    var hasBreached = isOpen
    var run: [Int64] = []
    var last: Int64 = 0
    var verdict = false
    var length = 0
    func close() {
      // A healthy run changes nothing while nothing is pending or firing.
      guard length > 0, verdict || hasBreached else { return }
      steps.formUnion(run)
      steps.insert(last)
    }
    for value in values {
      let holds = test.holds(for: value.value)
      if holds != verdict || length == 0 {
        close()
        hasBreached = hasBreached || verdict
        (verdict, length) = (holds, 0)
        run.removeAll(keepingCapacity: true)
      }
      if length < each { run.append(value.time) }
      length += 1
      last = value.time
    }
    // The last run is what now is about, unless it matters how long it is.
    let countsTime = rule.hold > .zero || rule.keepFiringFor > .zero || rule.samples != nil
    if countsTime { close() }
  }

  /// The document to write: the monitor's state and what is kept of the samples.
  mutating func snapshot(at now: Timestamp) -> FleetDocument {
    document.state = turn.monitor.state
    document.series = keptSeries(at: now)
    return document
  }

  /// Windows where rules read ranges; else the newest sample of what alerts rest on, so that an
  /// older event cannot undo a newer one. What alerts rest on comes first, then what is newest;
  /// what is too old to matter goes.
  private mutating func keptSeries(at now: Timestamp) -> [FleetDocument.Series] {
    let alerts = turn.monitor.state.tracker.alerts.values.map(\.element)
    let (start, end) = (Timestamp(milliseconds: .min / 2), Timestamp(milliseconds: .max / 2))
    var found: [(reference: SeriesReference, labels: Labels, last: Timestamp, isOpen: Bool)] = []
    for reference in references {
      let labels = turn.head.labels(of: reference)
      let isOpen = alerts.contains { $0.isPart(of: labels) }
      guard let last = turn.head.lastSample(of: reference, after: start, through: end),
        isOpen || isKept(labels, age: now - last.timestamp)
      else { continue }
      found.append((reference, labels, last.timestamp, isOpen))
    }
    found.sort {
      if $0.isOpen != $1.isOpen { return $0.isOpen }
      return $0.last == $1.last ? $0.labels < $1.labels : $0.last > $1.last
    }
    var kept: [FleetDocument.Series] = []
    var room = FleetDocument.samplesMax
    for series in found where kept.count < FleetDocument.seriesMax && room > 0 {
      var samples: [Sample] = []
      let reach = max(rules.window, .milliseconds(1))
      turn.head.collect(
        series.reference, after: series.last - reach, through: end, into: &samples)
      samples = samples.suffix(min(Self.samplesEach, room))
      room -= samples.count
      kept.append(
        FleetDocument.Series(
          labels: series.labels, times: samples.map(\.timestamp.milliseconds),
          values: samples.map { $0.isStaleMarker ? nil : $0.value }))
    }
    droppedSeries = found.count - kept.count
    return kept
  }

  /// Of a series that no alert rests on.
  private func isKept(_ labels: Labels, age: Duration) -> Bool {
    if labels.metric == AlarmEvent.metricName || labels.metric == InstanceEvent.metricName {
      return age <= Self.stateKept
    }
    return rules.window > .zero && age <= rules.window + Self.lookback
  }

  /// Longer than Lambda and its sources deliver an event again.
  private static let stateKept: Duration = .seconds(86_400)
  /// How far back a rule looks for the newest sample.
  private static let lookback: Duration = .seconds(300)
  private static let samplesEach = 240

  mutating func setOutbox(_ messages: [FleetDocument.Message]) {
    document.outbox = messages.suffix(FleetDocument.messagesMax)
  }

  /// Notes who runs a step and, where it stops a server, that this must be started again: written
  /// before the step begins, it outlives whoever began it.
  mutating func intend(_ run: StepRequest, until lease: Timestamp, at now: Timestamp) {
    let attempt = run.attempt
    document.leases[attempt.id] = lease.milliseconds
    guard CloudHands.stops(run.step), attempt.target.kind == .instance else { return }
    var starts = document.starts ?? [:]
    starts[attempt.id] = FleetDocument.Start(
      instance: attempt.target.name, since: now.milliseconds)
    document.starts = starts
  }

  /// Takes a step's result in. Only one that is not known may have left a server stopped.
  mutating func finish(
    _ attempt: String, _ result: StepResult, at now: Timestamp
  ) -> [Effect] {
    document.leases[attempt] = nil
    if result.status != .unknown { document.starts?[attempt] = nil }
    return handle(.stepFinished(attempt: attempt, result), at: now)
  }

  /// Servers that were started again, or are gone.
  mutating func settleStarts(_ attempts: Set<String>) {
    for attempt in attempts where document.starts?.removeValue(forKey: attempt) != nil {
      startsChanged = true
    }
  }

  /// Servers that a step of ours left stopped.
  var ownStops: Set<String> { Set((document.starts ?? [:]).values.map(\.instance)) }

  /// A clock that is a little ahead of ours still tells the truth.
  private static let aheadMax: Int64 = 120_000
}

extension Labels {
  /// Whether the other set has all of these labels, the metric's name apart.
  fileprivate func isPart(of other: Labels) -> Bool {
    allSatisfy { $0.name == Labels.metricName || other[$0.name] == $0.value }
  }
}

extension Effect {
  /// The past is not acted on; that this was so need not be said.
  fileprivate var isPastRefusal: Bool {
    if case .record(let entry) = self { entry.code == "not_restored" } else { false }
  }

  fileprivate var isStartRecord: Bool {
    if case .record(let entry) = self { entry.kind == .started } else { false }
  }
}
