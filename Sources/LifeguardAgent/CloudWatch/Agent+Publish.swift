import LifeguardConfiguration
import LifeguardCore
import LifeguardHost

/// The agent and the AWS it runs in.
extension Agent {
  /// One session for each `aws:`; a reload that changes it begins a new one.
  nonisolated func keepCloudSession() async {
    while !Task.isCancelled {
      let session = await openCloudSession()
      await withDiscardingTaskGroup { group in
        if let session { group.addTask { await session.run() } }
        await self.waitForCloud(otherThan: session?.settings)
        group.cancelAll()
      }
      if !Task.isCancelled { await session?.finish(within: Agent.lastWords) }
    }
  }

  /// What is sent at the end has this long.
  private static let lastWords: Duration = .seconds(2)

  /// Uploads what waits for CloudWatch; called before the agent's task is cancelled, because a
  /// cancelled task cannot send anything any more.
  public nonisolated func sayLastWords() async {
    await cloud?.finish(within: Agent.lastWords)
  }

  private nonisolated func waitForCloud(otherThan current: CloudSettings?) async {
    while !Task.isCancelled {
      let generation = await configurationGeneration
      guard await configuration.aws == current else { return }
      await waitForReload(after: generation)
    }
  }

  private func openCloudSession() -> CloudSession? {
    cloud = configuration.aws.flatMap { settings in
      parts.notifiers.aws.map {
        CloudSession(
          settings, client: $0, hostname: parts.host.hostname, clock: parts.clock, logger: logger)
      }
    }
    chooseJournal()
    return cloud
  }

  /// Appended samples are noted only where somebody takes them.
  func chooseJournal() {
    turn.head.keepsJournal =
      parts.samples != nil || !destinations.isEmpty || cloud?.wantsSamples == true
  }

  /// Hands appended samples on, without waiting.
  func offerToCloud(_ entries: [JournalEntry]) {
    guard let cloud, cloud.wantsSamples else { return }
    let head = turn.head
    cloud.offer(entries) { (head.labels(of: $0), head.isRemote($0)) }
  }

  /// What the host is like, and whether it is about to be taken away.
  var hostFacts: HostFacts {
    var facts = parts.facts()
    facts.termination = cloud?.watch?.notices?.sentence
    return facts
  }

  /// Notices as series: the rule that announces them reads these.
  func publishNotices(at now: Moment) {
    guard let notices = cloud?.watch?.notices else { return }
    for (reason, isGiven) in notices.byReason {
      publish(TerminationSettings.series, ["reason": reason], isGiven ? 1 : 0, at: now)
    }
  }

  var cloudFamilies: [ExposedFamily] {
    var families: [ExposedFamily] = []
    for status in cloud?.statuses ?? [] {
      for family in status.families {
        if let known = families.firstIndex(where: { $0.family.name == family.family.name }) {
          families[known].series += family.series
        } else {
          families.append(family)
        }
      }
    }
    return families
  }

  /// Data that are lost, or wait for too long, are a problem of their own, told and ended once.
  func noteCloudTrouble(at now: Moment) {
    for kind in ["logs", "metrics"] {
      let status = cloud?.statuses.first { $0.kind == kind }
      let trouble = status?.trouble(at: now.boottime)
      guard (trouble != nil) != cloudTroubles.contains(kind) else { continue }
      if trouble != nil { cloudTroubles.insert(kind) } else { cloudTroubles.remove(kind) }
      deliver(
        .problem(
          Problem(
            name: "LifeguardCloudWatchDropping", labels: ["kind": kind], summary: trouble ?? "",
            isActive: trouble != nil)))
    }
  }

  /// What is published, how that goes, and what it costs: `lifeguard explain aws`.
  public var cloudReport: CloudReport {
    CloudReport(cloud?.settings ?? configuration.aws, session: cloud)
  }
}
