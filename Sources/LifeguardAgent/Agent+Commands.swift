import LifeguardConfiguration
import LifeguardCore
import LifeguardHost
import LifeguardStore
import Logging

/// What an operator may say.
extension Agent {
  /// Stops everything that acts, at once (G26).
  public func freeze(by: String, reason: String) -> CommandAnswer {
    deliver(.command(.freeze(by: by, reason: reason)))
    return CommandAnswer(accepted: true, message: "frozen: nothing is done until `lifeguard thaw`")
  }

  /// Lets it act again.
  public func thaw(by: String) -> CommandAnswer {
    guard turn.monitor.frozenReason != nil else {
      return CommandAnswer(accepted: true, message: "was not frozen")
    }
    deliver(.command(.thaw(by: by)))
    guard let still = turn.monitor.frozenReason else {
      return CommandAnswer(accepted: true, message: "thawed: recovery works again")
    }
    return CommandAnswer(accepted: false, message: "still frozen: \(still)")
  }

  /// - Parameter matchers: at least one; all must match.
  public func silence(
    _ matchers: [Matcher], for length: Duration, by: String, comment: String
  ) -> CommandAnswer {
    guard !matchers.isEmpty else {
      return CommandAnswer(
        accepted: false, message: "a silence needs a matcher, such as 'service=\"web\"'")
    }
    guard length > .zero, length <= .seconds(30 * 86_400) else {
      return CommandAnswer(
        accepted: false, message: "\(length.text) is not a length between 1s and 30d")
    }
    guard turn.monitor.state.silences.count < Agent.silencesMax else {
      return CommandAnswer(
        accepted: false, message: "there are \(Agent.silencesMax) silences already; end one first")
    }
    let conditions = matchers.map {
      Silence.Condition(name: $0.name, kind: $0.kind.rawValue, value: $0.value)
    }
    deliver(
      .command(
        .silence(
          Silence(
            id: "", conditions: conditions, by: by, comment: comment, from: parts.clock(),
            length: length))))
    let id = turn.monitor.state.silences.last?.id ?? ""
    return CommandAnswer(
      accepted: true,
      message: "silence \(id) for \(length.text); `lifeguard silence --end \(id)` ends it")
  }

  static let silencesMax = 200

  /// Ends a silence before its time.
  public func endSilence(_ id: String, by: String) -> CommandAnswer {
    guard turn.monitor.state.silences.contains(where: { $0.id == id }) else {
      return CommandAnswer(accepted: false, message: "there is no silence \(id)")
    }
    deliver(.command(.unsilence(id: id)))
    return CommandAnswer(accepted: true, message: "silence \(id) ended")
  }

  /// A person has the incident: no further step, no reminder.
  public func acknowledge(_ incident: Int, by: String) -> CommandAnswer {
    guard turn.monitor.state.incidents[incident]?.isOpen == true else {
      return CommandAnswer(accepted: false, message: "there is no open incident \(incident)")
    }
    deliver(.command(.acknowledge(incident: incident, by: by)))
    return CommandAnswer(
      accepted: true,
      message: "incident \(incident) is yours: no further step and no reminder until it is over")
  }

  /// Approves a step that waits for it; the guard rails look once more.
  public func approve(_ id: String, by: String) -> CommandAnswer {
    let waits = turn.monitor.state.openIncidents.contains { incident in
      guard case .awaitingApproval(let approval) = incident.ladder?.phase else { return false }
      return approval.id == id
    }
    guard waits else {
      return CommandAnswer(
        accepted: false, message: "nothing waits for approval \(id); it may have expired")
    }
    deliver(.command(.approve(id: id, by: by)))
    return CommandAnswer(
      accepted: true, message: "approved \(id); the guard rails look once more, then it runs")
  }

  /// Reads the configuration again; with errors the last good one stays in force.
  ///
  /// - Returns: what is wrong with it, and what of it only the next start takes over.
  public func reload() async -> [ConfigurationProblem] {
    // The acting side reads the configuration as soon as it is asked for it.
    await parts.hands.allowStarts(!isFrozen)
    let loaded = await parts.load()
    counters.reloads += 1
    let now = parts.clock()
    guard var fresh = loaded.configuration else {
      counters.lastReloadSucceeded = false
      log(loaded.problems)
      configurationProblems = loaded.problems.map(\.description)
      deliver(
        .problem(
          Problem(
            name: "LifeguardConfigurationBroken",
            summary: "the configuration was not taken over: "
              + "\(loaded.problems.count) problems, the first: "
              + (loaded.problems.first?.description ?? "unknown"), isActive: true)))
      return loaded.problems
    }
    counters.lastReloadSucceeded = true
    let waiting = fresh.goOn(as: startConfiguration)
    configurationProblems = waiting.map(\.description)
    log(loaded.problems + waiting)
    configuration = fresh
    noteReload()
    let effects = turn.replacePolicy(
      Policy(fresh, host: parts.host.hostname), at: now)
    turn.queryOptions.subqueryStep = fresh.evaluationInterval
    turn.setRules(
      inline: fresh.rules, groups: fresh.ruleGroups, interval: fresh.interval)
    carryOut(effects, at: now)
    parts.watchGroups(fresh.collect.processGroups)
    reconsiderReceivers()
    await parts.hands.reload()
    deliver(
      .problem(
        Problem(name: "LifeguardConfigurationBroken", summary: "", isActive: false)))
    return loaded.problems + waiting
  }

  private func log(_ problems: [ConfigurationProblem]) {
    for problem in problems {
      logger.warning("Configuration", metadata: ["configuration.problem": "\(problem)"])
    }
  }
}
