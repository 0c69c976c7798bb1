import LifeguardCore

/// Commands on a server, and what is done to it from outside.
extension CloudHands {
  /// Sends a command and polls its result with growing pauses; its output's last line is kept.
  func run(
    _ action: SSMAction, on target: Target, attempt: String, within limit: Duration
  ) async throws(AWSError) -> StepResult {
    guard let id = instance(of: target) else {
      return refused(.targets, "no_instance", "\(target) is no instance")
    }
    var command = SSMCommand(
      document: action.document, instances: [id], parameters: action.parameters)
    command.comment = "lifeguard \(attempt)"
    // What is not delivered soon comes too late: 30 s is the least that SSM takes.
    command.deliveryTimeout = max(.seconds(30), min(action.timeout, .seconds(600)))
    let sent = try await client.ssm.sendCommand(command)
    let result: SSMInvocation
    do throws(AWSError) {
      result = try await client.ssm.waitForCommand(sent, instance: id, within: limit)
    } catch {
      // It was sent: whether it ran is a question for verification.
      return StepResult(status: .unknown, summary: "command \(sent): \(error)")
    }
    return Self.result(of: result, command: sent)
  }

  static func result(of invocation: SSMInvocation, command: String) -> StepResult {
    let texts = [invocation.standardError, invocation.standardOutput]
    let line = texts.lazy.compactMap(lastLine).first.map { ": \($0)" } ?? ""
    let head = "command \(command) on \(invocation.instanceID)"
    switch invocation.status {
    case .success:
      let said = lastLine(invocation.standardOutput).map { ": \($0)" } ?? ""
      return StepResult(status: .succeeded, summary: "\(head) succeeded\(said)")
    case .failed:
      let code = invocation.exitCode.map { " with exit status \($0)" } ?? ""
      return StepResult(status: .failed, summary: "\(head) failed\(code)\(line)")
    case .timedOut, .cancelled:
      return StepResult(
        status: .unknown, summary: "\(head): \(invocation.statusDetails)\(line)")
    case .pending, .inProgress, .delayed, .cancelling, .other:
      return StepResult(
        status: .unknown,
        summary: "\(head) did not end in time (\(invocation.statusDetails)); newer data decides")
    }
  }

  private static func lastLine(_ text: String) -> String? {
    let lines = text.split(separator: "\n")
    guard let line = lines.last(where: { $0.contains { !$0.isWhitespace } }) else { return nil }
    return TextEscape.line(String(line.prefix(300)))
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
    case .recover: return try await recover(id)
    }
  }

  /// Stops, waits, starts. Begun only when there is time for both: a server left stopped would be
  /// worse than the fault.
  private func stopStart(
    _ id: String, force: Bool, within limit: Duration
  ) async throws(AWSError) -> StepResult {
    guard limit >= Self.stopTime else {
      return refused(
        .executor, "no_time",
        "only \(limit.text) are left, and stopping \(id) may take \(Self.stopTime.text)")
    }
    _ = try await client.ec2.stopInstances([id], force: force)
    var waited = Duration.zero
    while waited < limit - Self.startTime {
      await sleep(Self.pause)
      waited += Self.pause
      let state: String?
      do throws(AWSError) {
        state = try await client.ec2.describeInstances([id]).first?.state
      } catch {
        // A look that fails is repeated: what was begun is finished.
        continue
      }
      if state == "stopped" { break }
    }
    do throws(AWSError) {
      _ = try await client.ec2.startInstances([id])
      return StepResult(
        status: .succeeded, summary: "\(id) stopped and was started again after \(waited.text)")
    } catch {
      return StepResult(
        status: .unknown,
        summary: "\(id) was asked to stop and could not be started again yet: \(error)")
    }
  }

  /// What stopping takes at most before it is given up, and what is left for the start.
  private static let stopTime: Duration = .seconds(90)
  private static let startTime: Duration = .seconds(15)
  private static let pause: Duration = .seconds(5)

  /// The hypervisor's recovery has no call of its own: it is an alarm's action, so an alarm of our
  /// own is made for the instance and set off.
  private func recover(_ id: String) async throws(AWSError) -> StepResult {
    let region = try await client.region()
    let name = "lifeguard-recover-\(id)"
    var alarm = AlarmDefinition(
      name: name, namespace: "AWS/EC2", metricName: "StatusCheckFailed_System",
      dimensions: [MetricDimension("InstanceId", id)], threshold: 1)
    alarm.statistic = "Maximum"
    alarm.evaluationPeriods = 2
    alarm.actions.alarm = ["arn:aws:automate:\(region):ec2:recover"]
    try await client.cloudWatch.putMetricAlarm(alarm)
    try await client.cloudWatch.setAlarmState(
      name, .alarm, reason: "recovery of \(id) by lifeguard")
    return StepResult(
      status: .succeeded, summary: "recovery of \(id) was set off by the alarm \(name)")
  }
}
