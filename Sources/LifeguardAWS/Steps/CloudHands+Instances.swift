import LifeguardCore

/// Commands on a server, and what is done to it from outside.
extension CloudHands {
  /// Sends a command and polls its result with growing pauses; what it said first and last is
  /// kept. A command that does not end in time is cancelled: it must not run beside the next rung.
  func run(
    _ action: SSMAction, on target: Target, attempt: String, within limit: Duration
  ) async throws(AWSError) -> StepResult {
    guard let id = instance(of: target) else {
      return refused(.targets, "no_instance", "\(target) is no instance")
    }
    var command = SSMCommand(
      document: action.document, instances: [id], parameters: action.parameters)
    command.comment = "lifeguard \(attempt)"
    // What is not delivered while somebody waits comes too late: 30 s is the least that SSM takes.
    command.deliveryTimeout = max(.seconds(30), min(limit, .seconds(600)))
    let sent = try await client.ssm.sendCommand(command)
    var problem = ""
    do throws(AWSError) {
      let wait = max(limit - Self.cancelTime, limit / 2)
      let result = try await client.ssm.waitForCommand(sent, instance: id, within: wait)
      if result.status.isFinal { return Self.result(of: result, command: sent) }
      problem = "did not end in time (\(result.statusDetails))"
    } catch {
      // It was sent: whether it ran is a question for verification.
      problem = "was lost: \(error)"
    }
    do throws(AWSError) {
      try await client.ssm.cancelCommand(sent, instance: id)
      problem += "; it was cancelled"
    } catch {
      problem += "; it could not be cancelled: \(error)"
    }
    return StepResult(
      status: .unknown, summary: "command \(sent) on \(id) \(problem); newer data decides")
  }

  /// Kept back of a command's time, so that there is some for cancelling it.
  private static let cancelTime: Duration = .seconds(4)

  static func result(of invocation: SSMInvocation, command: String) -> StepResult {
    let head = "command \(command) on \(invocation.instanceID)"
    let said = outline(invocation.standardOutput)
    let complaint = outline(invocation.standardError)
    switch invocation.status {
    case .success:
      return StepResult(status: .succeeded, summary: "\(head) succeeded\(said)")
    case .failed where hasRun.contains(invocation.statusDetails):
      let code = invocation.exitCode.map { " with exit status \($0)" } ?? ""
      return StepResult(
        status: .failed, summary: "\(head) failed\(code)\(complaint.isEmpty ? said : complaint)")
    case .failed, .timedOut, .cancelled, .pending, .inProgress, .delayed, .cancelling, .other:
      // Never delivered, or ended from outside: nothing tells whether it did its work (G19).
      return StepResult(
        status: .unknown,
        summary: "\(head): \(invocation.statusDetails)\(complaint.isEmpty ? said : complaint)")
    }
  }

  /// Details of a failure that say that the command ran and failed, or was refused by its server
  /// (docs.aws.amazon.com/systems-manager/latest/userguide/monitor-commands.html). All others tell
  /// of commands that were lost: `Undeliverable`, `Terminated`, `DeliveryTimedOut` …
  private static let hasRun: Set<String> = ["", "Failed", "AccessDenied", "InvalidPlatform"]

  /// The first and the last line that say something; the whole output stays with the command.
  private static func outline(_ text: String) -> String {
    let lines = text.split(separator: "\n").filter { $0.contains { !$0.isWhitespace } }
    guard let first = lines.first, let last = lines.last else { return "" }
    let kept = lines.count == 1 ? [first] : lines.count == 2 ? [first, last] : [first, "…", last]
    return ": " + kept.map { TextEscape.line(String($0.prefix(300))) }.joined(separator: " / ")
  }

  func steer(
    _ action: EC2Action, _ target: Target, within limit: Duration
  ) async throws(AWSError) -> StepResult {
    guard let id = instance(of: target) else {
      return refused(.targets, "no_instance", "\(target) is no instance")
    }
    switch action.verb {
    case .reboot:
      try await client.ec2.rebootInstances([id])
      return StepResult(status: .succeeded, summary: "reboot of \(id) was asked for")
    case .stopStart: return try await stopStart(id, force: action.force, within: limit)
    case .recover: return try await recover(id, within: limit)
    }
  }

  /// Stops, waits, starts. Begun only when there is time for both: a server left stopped would be
  /// worse than the fault. A server that is still stopping when time is up cannot be started yet:
  /// the result is unknown, and whoever carries the step out owes it a `finishStart`.
  private func stopStart(
    _ id: String, force: Bool, within limit: Duration
  ) async throws(AWSError) -> StepResult {
    guard limit >= Self.stopTime else {
      return refused(
        .executor, "no_time",
        "only \(limit.text) are left, and stopping \(id) may take \(Self.stopTime.text); give the"
          + " step, and the function that carries it out, more time")
    }
    let began = client.clock.elapsed()
    _ = try await client.ec2.stopInstances([id], force: force)
    var waited = Duration.zero
    while max(waited, client.clock.elapsed() - began) < limit - Self.startTime {
      await sleep(Self.pause)
      waited += Self.pause
      let state: String?
      do throws(AWSError) {
        state = try await client.ec2.describeInstances([id]).first?.state
      } catch {
        // A look that fails is repeated: what was begun is finished.
        continue
      }
      guard state == "stopped" else { continue }
      do throws(AWSError) {
        _ = try await client.ec2.startInstances([id])
        return StepResult(
          status: .succeeded, summary: "\(id) stopped and was started again after \(waited.text)")
      } catch {
        return StepResult(
          status: .unknown, summary: "\(id) stopped and could not be started yet: \(error)")
      }
    }
    return StepResult(
      status: .unknown,
      summary: "\(id) is still stopping after \(waited.text); it is started once it has stopped")
  }

  /// Whether a step may leave its target stopped when it does not end well.
  public static func stops(_ step: Step) -> Bool {
    guard case .cloud(.ec2(let action)) = step else { return false }
    return action.verb == .stopStart
  }

  /// Starts an instance that a step of ours stopped and did not start again.
  ///
  /// - Returns: whether that is settled, and what was found or done.
  public func finishStart(
    _ id: String, within limit: Duration
  ) async -> (isSettled: Bool, summary: String) {
    let client = client.ending(after: limit)
    do throws(AWSError) {
      guard let found = try await client.ec2.describeInstances([id]).first else {
        return (true, "there is no instance \(id) any more")
      }
      if let refusal = Self.frozen(id, found.tags) { return (true, refusal.sentence) }
      switch found.state {
      case "stopping": return (false, "\(id) is still stopping")
      case "stopped":
        _ = try await client.ec2.startInstances([id])
        return (true, "\(id) was left stopped and is started now")
      default: return (true, "\(id) is \(found.state)")
      }
    } catch {
      return (error.kind == .notFound, "\(id) could not be started yet: \(error)")
    }
  }

  /// What stopping takes at most before it is given up, and what is left for the start.
  private static let stopTime: Duration = .seconds(90)
  private static let startTime: Duration = .seconds(15)
  private static let pause: Duration = .seconds(5)

  /// How the alarms are called that `recover` makes: they stand for no trouble of their own.
  public static let recoveryAlarmPrefix = "lifeguard-recover-"

  /// The hypervisor's recovery has no call of its own: it is an alarm's action, so an alarm of our
  /// own is made for the instance, set off, and removed. Left there, it would act by itself the
  /// next time, past every guard rail.
  private func recover(_ id: String, within limit: Duration) async throws(AWSError) -> StepResult {
    let region = try await client.region()
    let name = Self.recoveryAlarmPrefix + id
    var alarm = AlarmDefinition(
      name: name, namespace: "AWS/EC2", metricName: "StatusCheckFailed_System",
      dimensions: [MetricDimension("InstanceId", id)], threshold: 1)
    alarm.statistic = "Maximum"
    alarm.evaluationPeriods = 2
    alarm.actions.alarm = [
      "arn:\(Endpoint.partition(region)):automate:\(region):ec2:recover"
    ]
    try await client.cloudWatch.putMetricAlarm(alarm)
    var result: StepResult
    do throws(AWSError) {
      try await client.cloudWatch.setAlarmState(
        name, .alarm, reason: "recovery of \(id) by lifeguard")
      result = StepResult(
        status: .succeeded, summary: "recovery of \(id) was set off by the alarm \(name)")
      // The action is taken from the alarm when its state has changed, a moment later.
      await sleep(min(Self.recoveryTime, limit / 2))
    } catch {
      let status: StepResult.Status = error.mayHaveBeenDone ? .unknown : .failed
      result = StepResult(status: status, summary: "\(error)")
    }
    do throws(AWSError) {
      try await client.cloudWatch.deleteAlarms([name])
    } catch {
      result.summary += "; the alarm is still there, remove it: \(error)"
    }
    return result
  }

  private static let recoveryTime: Duration = .seconds(20)

  /// Removes alarms that `recover` could not remove, once they had time to work.
  public func removeRecoveryAlarms(at now: Timestamp, within limit: Duration) async throws(AWSError)
    -> [String]
  {
    let cloudWatch = client.ending(after: limit).cloudWatch
    let list = try await cloudWatch.describeAlarms(prefix: Self.recoveryAlarmPrefix, pagesMax: 1)
    let old = list.metricAlarms.filter { alarm in
      alarm.status.updated.map { now - $0 >= Self.recoveryAlarmAge } ?? true
    }.map(\.name)
    if !old.isEmpty { try await cloudWatch.deleteAlarms(old) }
    return old
  }

  private static let recoveryAlarmAge: Duration = .seconds(600)
}
