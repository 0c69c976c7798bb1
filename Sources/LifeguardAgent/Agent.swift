import LifeguardConfiguration
import LifeguardCore
import LifeguardHost
import LifeguardStore
import Logging

/// Owns the monitor: takes events in, makes decisions durable, carries effects out.
///
/// ```
///  collectors ─▶┐                ┌─▶ state.db (before anything is done)
///  hands ──────▶│  Turn, Monitor │─▶ hands: run, prepare, evidence
///  probes ─────▶│  on one thread │─▶ outbox ─▶ notifiers
///  operators ──▶┘                └─▶ event feed: terminal, page, API
/// ```
///
/// It runs on a thread of its own, because it writes its state before it acts, and that blocks.
public actor Agent {
  public nonisolated var unownedExecutor: UnownedSerialExecutor {
    thread.asUnownedSerialExecutor()
  }

  nonisolated let thread: DedicatedThread
  public nonisolated let feed = EventFeed()
  nonisolated let parts: AgentParts
  nonisolated let logger: Logger
  nonisolated let archive: StateArchive
  nonisolated let work: AsyncStream<Work>
  nonisolated let workQueue: AsyncStream<Work>.Continuation

  var configuration: Configuration
  /// What this agent was started with: some of it stays in force until the next start.
  let startConfiguration: Configuration
  var configurationProblems: [String] = []
  /// Grows with every reload that was taken over.
  var configurationGeneration = 0
  var turn: Turn
  /// What comes in by remote write, what is scraped, and where samples are sent.
  nonisolated let incoming = IncomingWrites()
  nonisolated let targets = ScrapeRegistry()
  var ingest = WriteIngest()
  var remoteFamilyTable: [String: MetricFamily] = [:]
  var destinations: [RemoteWriteDestination] = []
  var droppingDestinations: Set<String> = []
  let keeper: BufferedStateStore
  var persistedRevision = 0
  var entrySequence: Int
  var storageProblem: Problem?
  var children: [ChildRecord]
  let startReport: StartReport
  var table: SeriesTable
  /// What `samples.db` knows of series that no collector delivers.
  var sampleJournal = SampleJournal()
  var counters = SelfMetrics()
  var stuckCollectors: Set<String> = []
  var post: DeliveryQueue
  var refresh = AlertmanagerRefresh()
  var receiverHealth = ReceiverHealth()
  let startedAt: Moment
  nonisolated let pulse: Pulse

  /// How long after an alert's beginning the list of processes is taken every second.
  static let closeWatch: Duration = .seconds(120)

  /// Something that takes time and must not hold a decision up.
  enum Work: Sendable {
    case run(StepRequest, planHash: String)
    case prepare(PreparationRequest, planHash: String)
    case collectEvidence(EvidenceRequest)
    case probe(Service, timeout: Duration)
    case refresh(AlertmanagerRefresh.Post)
  }

  /// - Parameters:
  ///   - parts: what the agent works with.
  ///   - memory: what was durable when the last agent ended.
  public init(
    configuration: Configuration, parts: AgentParts, thread: DedicatedThread,
    memory: sending AgentMemory, logger: Logger
  ) {
    self.configuration = configuration
    startConfiguration = configuration
    self.parts = parts
    self.thread = thread
    self.logger = logger
    keeper = memory.keeper
    archive = memory.archive
    children = memory.children
    startReport = memory.report
    post = memory.post
    startedAt = parts.clock()
    pulse = Pulse(start: startedAt, interval: configuration.interval)
    // Entries of this run come after all earlier ones: no run lasts a million entries a second.
    entrySequence = Int(startedAt.wall.milliseconds) * 1000
    let host = parts.host.hostname
    var common: Labels = ["job": "node", "instance": host]
    for (name, value) in configuration.externalLabels { common[name] = value }
    table = SeriesTable(common: common)
    let monitor = Monitor(policy: Policy(configuration, host: host), state: memory.state)
    turn = Turn(head: Head(seriesMax: configuration.collect.seriesMax), monitor: monitor)
    turn.head.keepsJournal = parts.samples != nil
    let clock = parts.clock
    turn.stopwatch = { clock().boottime }
    turn.queryOptions.subqueryStep = configuration.evaluationInterval
    turn.setRules(
      inline: configuration.rules, groups: configuration.ruleGroups,
      interval: configuration.interval)
    (work, workQueue) = AsyncStream.makeStream(
      of: Work.self, bufferingPolicy: .bufferingNewest(1024))
  }

  /// Takes an event in and carries out what the monitor decides.
  func deliver(_ event: Event) {
    let now = parts.clock()
    carryOut(turn.handle(event, at: now), at: now)
  }

  /// One turn: the batches of this second, then rules, verifications and time.
  func take(_ batches: [CollectedBatch]) {
    let now = parts.clock()
    var row = table.newRow(at: batches.first?.takenAt ?? now.wall)
    for batch in batches {
      table.take(batch, into: &turn, row: &row)
      noteCollector(batch, at: now)
    }
    passOn(.collectors)
    publishOwnSeries(at: now)
    var effects = turn.handle(.host(parts.facts()), at: now)
    effects += turn.take(at: now)
    carryOut(effects, at: now)
    passOn(.others)
    noteDropping()
    reportStorage()
    // A disk that hangs loses rows, never turns; memory has them.
    if !row.series.isEmpty { _ = parts.samples?.offer(row) }
    // An alert that lasts for days must not have every process read every second for as long.
    parts.watchClosely(
      turn.monitor.state.tracker.alerts.values.contains {
        now.elapsed(since: $0.activeSince) < Agent.closeWatch
      })
    refreshAlertmanagers(at: now)
    pulse.beat(at: now)
    let end = parts.clock()
    counters.turned(
      end.boottime - now.boottime, age: batches.map(\.takenAt).max().map { end.wall - $0 })
    if counters.turns % 60 == 0 { tidy(at: now) }
  }

  private func tidy(at now: Moment) {
    turn.head.removeSamples(before: now.wall - configuration.collect.memoryRetention)
    flush()
  }

  /// State first, then everything that it allows.
  func carryOut(_ effects: [Effect], at now: Moment) {
    guard !effects.isEmpty || turn.monitor.revision != persistedRevision else { return }
    var entries: [LifeguardCore.TimelineEntry] = []
    var messages: [(Announcement, receiver: String)] = []
    for effect in effects {
      switch effect {
      case .record(let entry): entries.append(entry)
      case .notify(let announcement, let receiver): messages.append((announcement, receiver))
      case .run, .prepare, .collectEvidence, .probe, .announce: break
      }
    }
    persist(entries, messages, at: now)
    for effect in effects { begin(effect) }
    for entry in entries {
      counters.count(entry)
      log(entry)
      feed.publish(entry)
    }
    if !messages.isEmpty { parts.mailbell.ring() }
  }

  private func begin(_ effect: Effect) {
    switch effect {
    case .run(let request):
      workQueue.yield(.run(request, planHash: planHash(request.attempt.plan)))
    case .prepare(let request):
      workQueue.yield(.prepare(request, planHash: planHash(request.plan)))
    case .collectEvidence(let request): workQueue.yield(.collectEvidence(request))
    case .probe(let name, let timeout):
      guard let service = turn.monitor.policy.services[name] else { return }
      workQueue.yield(.probe(service, timeout: timeout))
    case .record, .announce, .notify: break
    }
  }

  /// Ends the work that waits; what runs is left to its own limits.
  public nonisolated func stop() {
    workQueue.finish()
    feed.finish()
  }

  private func planHash(_ plan: String) -> String {
    turn.monitor.policy.plans[plan].map(PlanHash.of) ?? ""
  }
}
