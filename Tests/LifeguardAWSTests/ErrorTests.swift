import LifeguardAWS
import LifeguardCore
import Testing

@Suite struct `errors of services` {
  private func failure(_ answer: ScriptedTransport.Answer) async -> AWSError? {
    var client = AWSClient.scripted(ScriptedTransport([answer]))
    client.retry.attemptsMax = 1
    do {
      _ = try await client.json(.logs, "FilterLogEvents", [:], repeatable: true)
      return nil
    } catch {
      return error
    }
  }

  @Test(arguments: [
    #"{"__type":"ResourceNotFoundException","message":"gone"}"#,
    #"{"__type":"com.amazonaws.logs#ResourceNotFoundException","Message":"gone"}"#,
    #"{"__type":"ResourceNotFoundException:http://internal/","message":"gone"}"#,
    #"{"code":"ResourceNotFoundException","message":"gone"}"#,
    "<ErrorResponse><Error><Type>Sender</Type><Code>ResourceNotFoundException</Code>"
      + "<Message>gone</Message></Error><RequestId>r</RequestId></ErrorResponse>",
    "<?xml version=\"1.0\"?>\n<Response><Errors><Error><Code>ResourceNotFoundException</Code>"
      + "<Message>gone</Message></Error></Errors><RequestID>r</RequestID></Response>",
    "<Error><Code>ResourceNotFoundException</Code><Message>gone</Message></Error>",
  ])
  func `every form of error body is read`(body: String) async {
    let error = await failure(AWSResponse.text(400, body))
    #expect(error?.code == "ResourceNotFoundException")
    #expect(error?.message == "gone")
    #expect(error?.kind == .notFound)
    #expect(error?.status == 400)
  }

  @Test func `headers name the error and the request, too`() async {
    let error = await failure(
      AWSResponse.text(
        400, "{}",
        [
          "x-amzn-errortype": "InvalidParameterException:http://internal/",
          "x-amzn-RequestId": "r-9",
        ]))
    #expect(error?.code == "InvalidParameterException")
    #expect(error?.requestID == "r-9")
    #expect(error?.kind == .invalid)
    let old = await failure(
      AWSResponse.text(
        400, #"{"__type":"x#ResourceNotFound"}"#, ["x-amzn-query-error": "Throttling;Sender"]))
    #expect(old?.code == "Throttling")
    #expect(old?.kind == .throttled)
  }

  @Test func `a page in HTML becomes one line`() async {
    let error = await failure(
      AWSResponse.text(
        500,
        "<!doctype html>\n<html lang=en>\n<title>500 Internal Server Error</title>\n"
          + "<h1>Internal Server Error</h1>"))
    #expect(error?.kind == .transient)
    #expect(error?.message.contains("Internal Server Error") == true)
    #expect(error?.description.contains("\n") == false)
    #expect(error?.description.contains("<") == false)
  }

  @Test(arguments: [
    (301, AWSError.Kind.other), (400, .invalid), (401, .accessDenied), (403, .accessDenied),
    (404, .notFound), (408, .timedOut), (409, .conflict), (413, .invalid), (429, .throttled),
    (500, .transient), (502, .transient), (503, .transient), (504, .transient),
  ])
  func `without a code the status decides`(status: Int, kind: AWSError.Kind) async {
    #expect(await failure(AWSResponse.text(status, ""))?.kind == kind)
  }

  @Test(arguments: [
    ("ProvisionedThroughputExceededException", AWSError.Kind.throttled),
    ("RequestLimitExceeded", .throttled), ("TransactionConflictException", .throttled),
    ("InternalServerError", .transient), ("ServiceUnavailableException", .transient),
    ("UnauthorizedOperation", .accessDenied), ("InvalidInstanceID.NotFound", .notFound),
    ("ParameterNotFound", .notFound), ("ExpiredToken", .expiredCredentials),
    ("InvalidClientTokenId", .badCredentials), ("UnrecognizedClientException", .badCredentials),
    ("SignatureDoesNotMatch", .badCredentials),
    ("ConditionalCheckFailedException", .conditionFailed),
    ("InstanceRefreshInProgress", .conflict), ("ValidationError", .invalid),
    ("LimitExceededException", .invalid), ("RequestExpired", .expiredCredentials),
  ])
  func `codes have their kinds`(code: String, kind: AWSError.Kind) async {
    let error = await failure(AWSResponse.text(400, "{\"__type\":\"\(code)\"}"))
    #expect(error?.kind == kind)
  }

  @Test func `an answer that cannot be read is an error`() async {
    let error = await failure(AWSResponse.text(200, "<html>"))
    #expect(error?.kind == .badAnswer)
    #expect(error?.mayHaveBeenDone == true)
    let long = await failure(.failure(AWSTransportError(.answerTooLarge, "too much")))
    #expect(long?.kind == .badAnswer)
  }

  @Test func `no secret is in an error`() async {
    let client = AWSClient.scripted(
      ScriptedTransport([AWSResponse.text(403, "")]),
      credentials: StaticCredentials(
        AWSCredentials(
          accessKeyID: "AKID", secretAccessKey: Secret("hidden-secret"),
          sessionToken: Secret("hidden-token"))))
    let error = await #expect(throws: AWSError.self) { try await client.ssm.parameter("/p") }
    #expect(
      error.map { !"\($0)".contains("hidden") && !String(reflecting: $0).contains("hidden") }
        == true)
    #expect(!"\(AWSCredentials.example)".contains("wJalr"))
  }
}
