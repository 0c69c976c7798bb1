import LifeguardAWS
import LifeguardCore
import Synchronization
import Testing

@Suite struct `retrying calls` {
  private static let published = AWSResponse.text(
    200,
    "<PublishResponse><PublishResult><MessageId>m-1</MessageId></PublishResult></PublishResponse>")
  private static let throttling = AWSResponse.text(
    400,
    "<ErrorResponse><Error><Code>Throttling</Code><Message>Rate exceeded</Message></Error>"
      + "<RequestId>r-1</RequestId></ErrorResponse>")
  private static let message = SNSMessage(
    topic: "arn:aws:sns:eu-west-1:123456789012:alerts", message: "m")

  @Test func `a throttled call is tried again after growing pauses`() async throws {
    let clock = VirtualClock(random: 0.999)
    let transport = ScriptedTransport([
      Self.throttling, Self.throttling, Self.throttling, Self.published,
    ])
    let id = try await AWSClient.scripted(transport, clock).sns.publish(Self.message)
    #expect(id == "m-1")
    #expect(transport.requests.count == 4)
    #expect(clock.sleeps.map { Int($0.milliseconds) } == [499, 999, 1998])
  }

  @Test func `pauses are anything from nothing to their bound`() async throws {
    let clock = VirtualClock(random: 0)
    let transport = ScriptedTransport([Self.throttling, Self.published])
    _ = try await AWSClient.scripted(transport, clock).sns.publish(Self.message)
    #expect(clock.sleeps == [.zero])
  }

  @Test func `tries are limited and the error tells how many there were`() async {
    let transport = ScriptedTransport([Self.throttling])
    let error = await #expect(throws: AWSError.self) {
      try await AWSClient.scripted(transport).sns.publish(Self.message)
    }
    #expect(error?.kind == .throttled)
    #expect(error?.attempts == 4)
    #expect(error?.code == "Throttling")
    #expect(error?.requestID == "r-1")
    #expect(error?.mayHaveBeenDone == false)
    #expect(transport.requests.count == 4)
  }

  @Test(arguments: [
    ScriptedTransport.Answer.failure(AWSTransportError(.connectionLost, "reset")),
    .failure(AWSTransportError(.timedOut, "no answer")),
    AWSResponse.text(500, "<html><body><h1>Internal Server Error</h1></body></html>"),
    AWSResponse.text(503, ""),
  ])
  func `a message that may have been sent is not sent again`(
    answer: ScriptedTransport.Answer
  ) async {
    let transport = ScriptedTransport([answer, Self.published])
    let error = await #expect(throws: AWSError.self) {
      try await AWSClient.scripted(transport).sns.publish(Self.message)
    }
    #expect(transport.requests.count == 1)
    #expect(error?.mayHaveBeenDone == true)
    #expect(error?.isRetryable == true)
  }

  @Test func `a message with a deduplication id is sent again`() async throws {
    let transport = ScriptedTransport([
      .failure(AWSTransportError(.connectionLost, "reset")), Self.published,
    ])
    var message = Self.message
    message.deduplicationID = "once"
    #expect(try await AWSClient.scripted(transport).sns.publish(message) == "m-1")
    #expect(transport.requests.count == 2)
  }

  @Test func `a request that surely was not sent is sent again`() async throws {
    let transport = ScriptedTransport([
      .failure(AWSTransportError(.unreachable, "refused")), Self.published,
    ])
    #expect(try await AWSClient.scripted(transport).sns.publish(Self.message) == "m-1")
  }

  @Test func `reading is tried again after any failure of the service`() async throws {
    let transport = ScriptedTransport([
      AWSResponse.text(500, "oops"), .failure(AWSTransportError(.connectionLost, "reset")),
      AWSResponse.text(200, #"{"MetricAlarms":[]}"#),
    ])
    #expect(try await AWSClient.scripted(transport).cloudWatch.describeAlarms().isComplete)
    #expect(transport.requests.count == 3)
  }

  @Test func `a conditional write is not repeated and its loss is reported`() async {
    let transport = ScriptedTransport([.failure(AWSTransportError(.timedOut, "no answer"))])
    let error = await #expect(throws: AWSError.self) {
      try await AWSClient.scripted(transport).dynamoDB.putItem(
        "t", ["k": .string("1")], condition: DynamoExpression("attribute_not_exists(k)"))
    }
    #expect(transport.requests.count == 1)
    #expect(error?.mayHaveBeenDone == true)
  }

  @Test(arguments: [
    (
      "AccessDenied",
      "User: arn:aws:iam::1:user/x is not authorized to perform: sns:Publish on"
        + " resource: arn:aws:sns:eu-west-1:1:t"
    ),
    ("AuthorizationError", "no"), ("AccessDeniedException", ""),
  ])
  func `a missing permission is named and never tried again`(
    code: String, message: String
  ) async {
    let transport = ScriptedTransport([
      AWSResponse.text(
        403,
        "<ErrorResponse><Error><Code>\(code)</Code><Message>\(message)</Message></Error>"
          + "</ErrorResponse>")
    ])
    let error = await #expect(throws: AWSError.self) {
      try await AWSClient.scripted(transport).sns.publish(Self.message)
    }
    #expect(error?.kind == .accessDenied)
    #expect(error?.permission == "sns:Publish")
    #expect(error?.isRetryable == false)
    #expect(transport.requests.count == 1)
    #expect(error?.description.contains("sns:Publish is missing") == true)
  }

  @Test func `the permission to invoke a function has its own name`() async {
    let transport = ScriptedTransport([
      AWSResponse.text(403, "{}", ["x-amzn-errortype": "AccessDeniedException:"])
    ])
    let error = await #expect(throws: AWSError.self) {
      try await AWSClient.scripted(transport).lambda.invoke("f")
    }
    #expect(error?.permission == "lambda:InvokeFunction")
  }

  @Test func `a call ends at its deadline`() async {
    let clock = VirtualClock()
    let transport = ScriptedTransport { _, _ in
      clock.advance(.seconds(3))
      return .failure(AWSTransportError(.timedOut, "no answer"))
    }
    let error = await #expect(throws: AWSError.self) {
      try await AWSClient.scripted(transport, clock).within(.seconds(7)).ssm.parameter("/p")
    }
    #expect(transport.requests.count == 3)
    #expect(error?.kind == .timedOut)
    // Each try gets what is left at most.
    #expect(transport.limits.map { $0.seconds <= 7 } == [true, true, true])
    #expect(transport.limits.last.map { $0 < .seconds(1) } == true)
  }

  @Test func `a service that asks to be left alone is left alone`() async throws {
    let clock = VirtualClock(random: 0)
    let transport = ScriptedTransport([
      AWSResponse.text(429, "{}", ["Retry-After": "7"]),
      AWSResponse.text(200, #"{"Parameter":{"Value":"v"}}"#),
    ])
    _ = try await AWSClient.scripted(transport, clock).ssm.parameter("/p")
    #expect(clock.sleeps == [.seconds(7)])
  }

  @Test func `a clock that is off is corrected once for all later calls`() async throws {
    let clock = VirtualClock()
    let real = clock.now + .seconds(3600)
    let transport = ScriptedTransport { request, _ in
      let date = request.header("X-Amz-Date") ?? ""
      guard date.hasPrefix("20261123T09") else {
        return AWSResponse.text(
          400, #"{"__type":"InvalidSignatureException","message":"Signature expired"}"#,
          ["Date": "Mon, 23 Nov 2026 09:00:00 GMT"])
      }
      return AWSResponse.text(200, #"{"Parameter":{"Value":"v"}}"#)
    }
    let client = AWSClient.scripted(transport, clock)
    _ = try await client.ssm.parameter("/p")
    #expect(transport.requests.count == 2)
    _ = try await client.inRegion("eu-west-2").ssm.parameter("/p")
    #expect(transport.requests.count == 3)
    #expect(real.text.hasPrefix("2026-11-23T09"))
  }

  @Test func `a wrong secret is not mistaken for a wrong clock`() async {
    let transport = ScriptedTransport([
      AWSResponse.text(
        403, #"{"__type":"InvalidSignatureException","message":"no match"}"#,
        ["Date": "Mon, 23 Nov 2026 08:00:02 GMT"])
    ])
    let error = await #expect(throws: AWSError.self) {
      try await AWSClient.scripted(transport).ssm.parameter("/p")
    }
    #expect(error?.kind == .badCredentials)
    #expect(transport.requests.count == 1)
  }

  @Test func `a clock that stays off is reported`() async {
    let transport = ScriptedTransport([
      AWSResponse.text(
        403, #"{"__type":"RequestTimeTooSkewed","message":"m"}"#,
        ["Date": "Mon, 23 Nov 2026 12:00:00 GMT"])
    ])
    let error = await #expect(throws: AWSError.self) {
      try await AWSClient.scripted(transport).ssm.parameter("/p")
    }
    #expect(error?.kind == .clockSkew)
    #expect(transport.requests.count == 2)
    #expect(error?.description.contains("clock") == true)
  }

  @Test func `expired credentials are renewed once`() async throws {
    let source = NumberedCredentials()
    let transport = ScriptedTransport { request, _ in
      let isOld = request.header("Authorization")?.contains("Credential=KEY1/") == true
      return isOld
        ? AWSResponse.text(400, #"{"__type":"ExpiredTokenException","message":"expired"}"#)
        : AWSResponse.text(200, #"{"Parameter":{"Value":"v"}}"#)
    }
    let client = AWSClient.scripted(transport, credentials: source)
    #expect(try await client.ssm.parameter("/p").value == Secret("v"))
    #expect(transport.requests.count == 2)
  }

  @Test func `credentials that stay expired are an error`() async {
    let transport = ScriptedTransport([
      AWSResponse.text(400, #"{"__type":"ExpiredTokenException","message":"expired"}"#)
    ])
    let renewed = await #expect(throws: AWSError.self) {
      try await AWSClient.scripted(transport, credentials: NumberedCredentials())
        .ssm.parameter("/p")
    }
    #expect(renewed?.kind == .expiredCredentials)
    #expect(transport.requests.count == 2)
    let fixed = await #expect(throws: AWSError.self) {
      try await AWSClient.scripted(transport).ssm.parameter("/p")
    }
    #expect(fixed?.kind == .expiredCredentials)
    #expect(transport.requests.count == 3)
  }

  @Test func `a cancelled call ends`() async throws {
    let transport = ScriptedTransport { _, _ in
      do { try await Task.sleep(for: .seconds(60)) } catch {}
      return .failure(AWSTransportError(.cancelled, "cancelled"))
    }
    let client = AWSClient.scripted(transport)
    let call = Task { () -> AWSError? in
      do {
        _ = try await client.ssm.parameter("/p")
        return nil
      } catch let error as AWSError {
        return error
      }
    }
    call.cancel()
    #expect(try await call.value?.kind == .cancelled)
  }
}

/// KEY1, and after each rejection the next.
private final class NumberedCredentials: AWSCredentialSource {
  private let number = Mutex(1)

  func credentials() async throws(AWSCredentialsError) -> AWSCredentials {
    let number = number.withLock { $0 }
    return AWSCredentials(accessKeyID: "KEY\(number)", secretAccessKey: Secret("s"))
  }

  func reject(_ credentials: AWSCredentials) async {
    number.withLock { if credentials.accessKeyID == "KEY\($0)" { $0 += 1 } }
  }
}
