import LifeguardCore

/// A command to servers, by a document that says what it may do.
public struct SSMCommand: Sendable {
  /// A filter for servers: `tag:Role` is one of these values.
  public struct Target: Hashable, Sendable {
    public var key: String
    public var values: [String]

    /// Servers whose `key` has one of these values.
    public init(_ key: String, _ values: [String]) {
      self.key = key
      self.values = values
    }
  }

  /// The document's name or ARN: `AWS-RunShellScript`.
  public var document: String
  public var documentVersion: String?
  /// At most 50; either these or `targets`.
  public var instances: [String]
  public var targets: [Target] = []
  public var parameters: [String: [String]]
  /// How long the service tries to hand the command over, from 30 s to 30 days.
  public var deliveryTimeout: Duration = .seconds(600)
  /// At most 100 characters are sent.
  public var comment: String?
  /// How many at a time: `10` or `50%`.
  public var maxConcurrency: String?
  /// After how many failures the rest is left alone.
  public var maxErrors: String?
  /// Where the whole output goes; the answer of GetCommandInvocation holds 24,000 characters.
  public var logGroup: String?

  /// A command to these instances.
  public init(document: String, instances: [String], parameters: [String: [String]] = [:]) {
    self.document = document
    self.instances = instances
    self.parameters = parameters
  }
}

/// How far a command is on one server.
public struct SSMInvocation: Hashable, Sendable {
  public enum Status: Hashable, Sendable {
    /// Not handed over yet.
    case pending
    case inProgress
    case delayed
    case success
    case cancelled
    case cancelling
    case timedOut
    case failed
    case other(String)

    init(_ text: String) {
      self =
        switch text {
        case "Pending": .pending
        case "InProgress": .inProgress
        case "Delayed": .delayed
        case "Success": .success
        case "Cancelled": .cancelled
        case "Cancelling": .cancelling
        case "TimedOut": .timedOut
        case "Failed": .failed
        default: .other(text)
        }
    }

    /// Whether nothing more will come.
    public var isFinal: Bool {
      switch self {
      case .success, .cancelled, .timedOut, .failed: true
      case .pending, .inProgress, .delayed, .cancelling, .other: false
      }
    }
  }

  public var commandID: String
  public var instanceID: String
  public var status: Status
  /// More exactly: `DeliveryTimedOut`, `Undeliverable` …
  public var statusDetails: String
  /// Nil while there is none.
  public var exitCode: Int?
  public var standardOutput: String
  public var standardError: String
}

/// A parameter of the Parameter Store.
public struct SSMParameter: Hashable, Sendable {
  public var name: String
  /// `String`, `StringList` or `SecureString`.
  public var type: String
  public var value: Secret
  public var version: Int
}

/// Systems Manager.
public struct SSM: Sendable {
  /// More are refused as throttling, which waiting would not cure.
  public static let instancesMax = 50
  /// Asking each second is throttled.
  private static let pollMin: Duration = .seconds(2)
  private static let pollMax: Duration = .seconds(15)

  let client: AWSClient

  /// Hands a command over and returns its id; it is not sent again when the answer was lost.
  public func sendCommand(_ command: SSMCommand) async throws(AWSError) -> String {
    func invalid(_ reason: String) -> AWSError {
      AWSError(.invalid, service: "ssm", action: "SendCommand", message: reason)
    }
    guard command.instances.count <= Self.instancesMax else {
      throw invalid("\(command.instances.count) instances; at most \(Self.instancesMax) a command")
    }
    guard command.instances.isEmpty != command.targets.isEmpty else {
      throw invalid("name either instances or targets")
    }
    let seconds = command.deliveryTimeout.components.seconds
    guard (30...2_592_000).contains(seconds) else {
      throw invalid("a delivery timeout of \(seconds) s; it must be from 30 s to 30 days")
    }
    let answer = try await client.json(
      .ssm, "SendCommand", .object(input(command, seconds)), repeatable: false)
    guard let id = answer["Command"]?["CommandId"]?.string else {
      var error = AWSError(
        .badAnswer, service: "ssm", action: "SendCommand", message: "no CommandId in the answer")
      error.mayHaveBeenDone = true
      throw error
    }
    return id
  }

  private func input(_ command: SSMCommand, _ seconds: Int64) -> JSONObject {
    var input = JSONObject()
    input["DocumentName"] = .string(command.document)
    input["DocumentVersion"] = command.documentVersion.map(JSON.string)
    if !command.instances.isEmpty { input["InstanceIds"] = JSON(strings: command.instances) }
    if !command.targets.isEmpty {
      input["Targets"] = .array(
        command.targets.map { ["Key": .string($0.key), "Values": JSON(strings: $0.values)] })
    }
    if !command.parameters.isEmpty {
      input["Parameters"] = .object(
        JSONObject(
          command.parameters.sorted { $0.key < $1.key }.map { ($0.key, JSON(strings: $0.value)) }))
    }
    input["TimeoutSeconds"] = .integer(seconds)
    input["Comment"] = command.comment.map { .string(String($0.prefix(100))) }
    input["MaxConcurrency"] = command.maxConcurrency.map(JSON.string)
    input["MaxErrors"] = command.maxErrors.map(JSON.string)
    input["CloudWatchOutputConfig"] = command.logGroup.map {
      ["CloudWatchLogGroupName": .string($0), "CloudWatchOutputEnabled": true]
    }
    return input
  }

  /// How far a command is on a server.
  ///
  /// Right after SendCommand the service does not know it yet: that is `pending`, too.
  ///
  /// - Parameter plugin: a step of a document with several of them.
  public func commandInvocation(
    _ commandID: String, instance: String, plugin: String? = nil
  ) async throws(AWSError) -> SSMInvocation {
    var input = JSONObject()
    input["CommandId"] = .string(commandID)
    input["InstanceId"] = .string(instance)
    input["PluginName"] = plugin.map(JSON.string)
    let answer: JSON
    do {
      answer = try await client.json(
        .ssm, "GetCommandInvocation", .object(input), repeatable: true)
    } catch {
      guard error.code == "InvocationDoesNotExist" else { throw error }
      return SSMInvocation(
        commandID: commandID, instanceID: instance, status: .pending, statusDetails: "Pending",
        exitCode: nil, standardOutput: "", standardError: "")
    }
    let code = answer["ResponseCode"]?.integer.map(Int.init)
    let status = SSMInvocation.Status(answer["Status"]?.string ?? "")
    return SSMInvocation(
      commandID: commandID, instanceID: instance, status: status,
      statusDetails: answer["StatusDetails"]?.string ?? "",
      // -1 stands for a command that has not ended.
      exitCode: code == -1 && !status.isFinal ? nil : code,
      standardOutput: answer["StandardOutputContent"]?.string ?? "",
      standardError: answer["StandardErrorContent"]?.string ?? "")
  }

  /// Asks until a command has ended on a server or time is up, and returns the last state seen,
  /// which may not be final: then nobody knows how it ended.
  public func waitForCommand(
    _ commandID: String, instance: String, within limit: Duration
  ) async throws(AWSError) -> SSMInvocation {
    let clock = client.clock
    let end = clock.elapsed() + limit
    var pause = Self.pollMin
    while true {
      let left = max(end - clock.elapsed(), .seconds(1))
      let state = try await client.within(min(left, client.retry.callTimeout)).ssm
        .commandInvocation(commandID, instance: instance)
      // A quarter of jitter: commands that were sent together are not asked for together.
      let next = pause * (0.75 + clock.random() / 2)
      guard !state.status.isFinal, clock.elapsed() + next < end else { return state }
      do {
        try await clock.sleep(next)
      } catch {
        return state
      }
      pause = min(pause * 3 / 2, Self.pollMax)
    }
  }

  /// Asks that a command be ended where it has not: what nobody waits for any more must not run
  /// beside whatever comes next. It may still have run, or go on.
  public func cancelCommand(_ commandID: String, instance: String) async throws(AWSError) {
    _ = try await client.json(
      .ssm, "CancelCommand",
      ["CommandId": .string(commandID), "InstanceIds": JSON(strings: [instance])],
      repeatable: true)
  }

  /// A parameter's value.
  ///
  /// - Parameter decrypts: a SecureString comes in clear text.
  public func parameter(
    _ name: String, decrypts: Bool = true
  ) async throws(AWSError) -> SSMParameter {
    let answer = try await client.json(
      .ssm, "GetParameter", ["Name": .string(name), "WithDecryption": .bool(decrypts)],
      repeatable: true)
    guard let found = answer["Parameter"], let value = found["Value"]?.string else {
      throw AWSError(
        .badAnswer, service: "ssm", action: "GetParameter", message: "no value in the answer")
    }
    return SSMParameter(
      name: found["Name"]?.string ?? name, type: found["Type"]?.string ?? "",
      value: Secret(value), version: Int(found["Version"]?.integer ?? 0))
  }
}
