import LifeguardCore

/// The custom runtime's loop: asks for an event, has it handled, answers; until the environment
/// ends it.
///
/// Source: AWS Lambda developer guide, "Using the Lambda runtime API".
struct RuntimeLoop {
  /// One invocation, as its headers describe it.
  struct Invocation: Sendable {
    var requestID: String
    /// When Lambda ends it, milliseconds since 1970.
    var deadline: Timestamp
    var functionARN: String
    var traceID: String?
  }

  /// What becomes of an invocation.
  enum Outcome: Sendable {
    /// Done, or refused for good: asking again would not help.
    case response([UInt8])
    /// Not done, and worth a retry.
    case failure(type: String, message: String)
  }

  private var connection: RuntimeConnection
  private let log: RuntimeLog
  private let now: @Sendable () -> Timestamp
  private static let base = "/2018-06-01/runtime"

  init(
    connection: RuntimeConnection, log: RuntimeLog, now: @escaping @Sendable () -> Timestamp
  ) {
    self.connection = connection
    self.log = log
    self.now = now
  }

  /// Runs until the runtime API is gone or asks for the end.
  ///
  /// - Parameters:
  ///   - trace: takes the trace header to where libraries look for it (`_X_AMZN_TRACE_ID`).
  ///   - handle: handles one event.
  mutating func run(
    trace: (String?) -> Void, handle: ([UInt8], Invocation) -> Outcome
  ) throws(RuntimeConnection.Failure) {
    while true {
      let next = try connection.send("GET", Self.base + "/invocation/next")
      guard next.status == 200 else {
        throw RuntimeConnection.Failure(
          description: "the runtime API answered \(next.status) to the question for an event")
      }
      guard let id = next.headers["lambda-runtime-aws-request-id"], !id.isEmpty else {
        throw RuntimeConnection.Failure(description: "the runtime API sent an event without an id")
      }
      log.begin(request: id)
      let invocation = Invocation(
        requestID: id, deadline: deadline(next.headers["lambda-runtime-deadline-ms"]),
        functionARN: next.headers["lambda-runtime-invoked-function-arn"] ?? "",
        traceID: next.headers["lambda-runtime-trace-id"])
      trace(invocation.traceID)
      try answer(id, handle(next.body, invocation))
      log.begin(request: "")
    }
  }

  /// Without a deadline that can be one, little time is taken for granted: what is begun must be
  /// over before an end that nobody knows.
  private func deadline(_ header: String?) -> Timestamp {
    if let time = header.flatMap({ Int64($0) }), SampleBatch.times.contains(time) {
      return Timestamp(milliseconds: time)
    }
    log.warn(
      "Deadline unknown",
      [
        ("header", .string(header ?? "")), ("assumed", .string(Self.deadlineAssumed.text)),
      ])
    return now() + Self.deadlineAssumed
  }

  private static let deadlineAssumed: Duration = .seconds(10)

  private mutating func answer(
    _ id: String, _ outcome: Outcome
  ) throws(RuntimeConnection.Failure) {
    let status: Int
    switch outcome {
    case .response(let body):
      status = try connection.send(
        "POST", "\(Self.base)/invocation/\(id)/response",
        headers: [("Content-Type", "application/json")], body: body
      ).status
    case .failure(let type, let message):
      status = try connection.send(
        "POST", "\(Self.base)/invocation/\(id)/error", headers: Self.errorHeaders(type),
        body: Self.errorBody(type, message)
      ).status
    }
    // "Container error. Non-recoverable state. Runtime should exit promptly."
    guard status < 500 else {
      throw RuntimeConnection.Failure(description: "the runtime API answered \(status): exiting")
    }
    if status >= 300 {
      log.error("Answer not taken", [("status", .integer(Int64(status)))])
    }
  }

  /// Tells that the function cannot start at all.
  mutating func reportInitError(_ type: String, _ message: String) {
    // why try?: the process ends with a failure either way, and the log has the message.
    _ = try? connection.send(
      "POST", Self.base + "/init/error", headers: Self.errorHeaders(type),
      body: Self.errorBody(type, message))
  }

  private static func errorHeaders(_ type: String) -> [(String, String)] {
    [("Content-Type", "application/json"), ("Lambda-Runtime-Function-Error-Type", type)]
  }

  private static func errorBody(_ type: String, _ message: String) -> [UInt8] {
    JSON.object(
      JSONObject([
        ("errorMessage", .string(String(message.prefix(4000)))), ("errorType", .string(type)),
        ("stackTrace", .array([])),
      ])
    ).bytes()
  }
}
