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
  /// Samples of the event that were older than what is known of their series.
  private(set) var outOfOrder = 0

  /// Evaluations of one event's past; more changes than that within a few minutes are noise.
  static let stepsMax = 200

  init(
    _ document: FleetDocument, rules: FunctionRules, host: String, reasons: [String: String] = [:],
    guards: [Guard]
  ) {
    self.document = document
    self.rules = rules
    let monitor = Monitor(
      policy: rules.policy(host: host, reasons: reasons), state: document.state, guards: guards)
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
    windowsChanged || !document.outbox.isEmpty || !turn.monitor.state.tracker.alerts.isEmpty
      || !turn.monitor.state.openIncidents.isEmpty || turn.monitor.revision > startRevisions
  }
  private var windowsChanged = false
  /// What a start alone adds to the monitor's revision.
  private let startRevisions: Int

  /// Folds an event's samples in and decides.
  mutating func take(_ batch: SampleBatch, at now: Timestamp) -> [Effect] {
    var effects: [Effect] = []
    let steps = append(batch, at: now)
    for step in steps {
      effects += turn.take(at: Self.moment(step)).filter { !$0.isPastRefusal }
    }
    document.noteInstances(batch.series.compactMap { $0["instance"] }, at: now)
    document.dropExpiredLeases(at: now)
    let moment = Self.moment(now)
    // A start writes a line into the record; one for each event would say nothing.
    effects += turn.handle(
      .started(StartReport(attemptsElsewhere: Set(document.leases.keys))), at: moment
    ).filter { !$0.isStartRecord }
    effects += turn.take(at: moment)
    return effects
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
      guard let reference = references[entry.series], entry.time <= newest else {
        outOfOrder += 1
        continue
      }
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
  mutating func snapshot() -> FleetDocument {
    document.state = turn.monitor.state
    document.series = keptSeries()
    return document
  }

  /// Windows where rules read ranges; else the newest sample of what alerts rest on, so that an
  /// older event cannot undo a newer one.
  private func keptSeries() -> [FleetDocument.Series] {
    let alerts = turn.monitor.state.tracker.alerts.values.map(\.element)
    var kept: [FleetDocument.Series] = []
    var room = FleetDocument.samplesMax
    let (start, end) = (Timestamp(milliseconds: .min / 2), Timestamp(milliseconds: .max / 2))
    let sorted = references.map { ($0, turn.head.labels(of: $0)) }.sorted { $0.1 < $1.1 }
    for (reference, labels) in sorted where kept.count < FleetDocument.seriesMax && room > 0 {
      let isState =
        labels.metric == AlarmEvent.metricName || labels.metric == InstanceEvent.metricName
      guard
        let last = turn.head.lastSample(of: reference, after: start, through: end),
        rules.window > .zero || isState || alerts.contains(where: { $0.isPart(of: labels) })
      else { continue }
      var samples: [Sample] = []
      let reach = max(rules.window, .milliseconds(1))
      turn.head.collect(reference, after: last.timestamp - reach, through: end, into: &samples)
      samples = samples.suffix(min(Self.samplesEach, room))
      room -= samples.count
      kept.append(
        FleetDocument.Series(
          labels: labels, times: samples.map(\.timestamp.milliseconds),
          values: samples.map { $0.isStaleMarker ? nil : $0.value }))
    }
    return kept
  }

  private static let samplesEach = 240

  mutating func setOutbox(_ messages: [FleetDocument.Message]) {
    document.outbox = messages.suffix(FleetDocument.messagesMax)
  }

  mutating func setLease(_ attempt: String, until time: Timestamp?) {
    document.leases[attempt] = time?.milliseconds
  }

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
