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
  private var waitingForReload: [AsyncStream<Never>.Continuation] = []
  var turn: Turn
  /// What comes in by remote write, what is scraped, and where samples are sent.
  nonisolated let incoming = IncomingWrites()
  nonisolated let targets = ScrapeRegistry()
  var ingest = WriteIngest()
  var remoteFamilyTable: [String: MetricFamily] = [:]
  var destinations: [RemoteWriteDestination] = []
  var droppingDestinations: Set<String> = []
  /// What the agent tells AWS, and hears from it; nil where nobody asked for it.
  var cloud: CloudSession?
  var cloudTroubles: Set<String> = []
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
  var sampleWatch = SampleWatch()
  /// From when on memory holds what was written before the start; nil when it was not read back.
  var refilledFrom: Timestamp?
  var stuckCollectors: Set<String> = []
  var post: DeliveryQueue
  var refresh = AlertmanagerRefresh()
  var receiverHealth = ReceiverHealth()
  let startedAt: Moment
  nonisolated let pulse: Pulse

  /// How long after an alert's beginning the list of processes is taken every second.
  static let closeWatch: Duration = .seconds(120)
  /// Turns within which every series is looked at for what has expired.
  private static let tidyTurns: UInt64 = 60

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
    publishNotices(at: now)
    var effects = turn.handle(.host(hostFacts), at: now)
    effects += turn.take(at: now)
    carryOut(effects, at: now)
    passOn(.others)
    noteDropping()
    noteCloudTrouble(at: now)
    reportStorage()
    ringForRetries(at: now)
    handOver(row)
    noteSamples(at: now)
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
    tidy(at: now)
  }

  /// Turn after turn, for as long as the task lives: here, on the agent's own thread, which a loop
  /// elsewhere would wake by way of another.
  func takeAll(_ ticks: AsyncStream<[CollectedBatch]>) async {
    for await batches in ticks { take(batches) }
  }

  /// Returns when another configuration than that of `generation` is in force, or with the task.
  nonisolated func waitForReload(after generation: Int) async {
    for await _ in await nextReload(after: generation) {}
  }

  private func nextReload(after generation: Int) -> AsyncStream<Never> {
    let (stream, waiting) = AsyncStream.makeStream(of: Never.self)
    if generation == configurationGeneration {
      waitingForReload.append(waiting)
    } else {
      waiting.finish()
    }
    return stream
  }

  /// Another configuration is in force: whoever waits for it goes on.
  func noteReload() {
    configurationGeneration += 1
    for waiting in waitingForReload { waiting.finish() }
    waitingForReload = []
  }

  /// A part of the series each turn: all of them at once would make one turn in a minute long.
  private func tidy(at now: Moment) {
    let part = Int(counters.turns % Agent.tidyTurns)
    turn.head.removeSamples(
      before: now.wall - configuration.collect.memoryRetention, part: part,
      of: Int(Agent.tidyTurns))
    if part == 0 { flush() }
    // A minute after the start, and what the page and the API have needed since.
    if counters.turns % 3600 == 60 { ResidentCode.giveBack() }
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
