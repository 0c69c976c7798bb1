import LifeguardAWS
import LifeguardCore
import Synchronization
import Testing

@testable import LifeguardAgent

@Suite struct SNSNotifierTests {
  private final class Transport: AWSTransport {
    let seen = Mutex<[AWSRequest]>([])
    let answer: Result<AWSResponse, AWSTransportError>

    init(_ answer: Result<AWSResponse, AWSTransportError>) { self.answer = answer }

    func send(
      _ request: AWSRequest, timeout: Duration
    ) async throws(AWSTransportError) -> AWSResponse {
      seen.withLock { $0.append(request) }
      return try answer.get()
    }
  }

  private func failure(
    _ transport: Transport, topic: String = "arn:aws:sns:eu-west-1:123456789012:alerts"
  ) async -> DeliveryError? {
    let credentials = AWSCredentials(accessKeyID: "A", secretAccessKey: Secret("s3cret"))
    var client = AWSClient(
      AWSSettings(environment: [:]), transport: transport,
      credentials: StaticCredentials(credentials))
    client.retry.attemptsMax = 1
    let notifier = SNSNotifier(SNSChannel(topicARN: topic), client: client)
    let message = OutgoingMessage(
      announcement(), idempotencyKey: announcement().id, now: announcement().at)
    do throws(DeliveryError) {
      return try await notifier.send(message, timeout: .seconds(10)).map {
        DeliveryError(retryable: false, $0)
      }
    } catch {
      return error
    }
  }

  private static let success = Transport(
    .success(
      AWSResponse(
        status: 200,
        body: Array(
          "<R><PublishResult><MessageId>m</MessageId></PublishResult></R>"
            .utf8))))

  @Test func `a topic gets the announcement in the region of its name`() async throws {
    let transport = Self.success
    #expect(await failure(transport) == nil)
    let request = try #require(transport.seen.withLock { $0.last })
    #expect(request.url.host == "sns.eu-west-1.amazonaws.com")
    let body = String(decoding: request.body, as: UTF8.self)
    #expect(body.contains("Action=Publish"))
    #expect(body.contains("Subject="))
    #expect(body.contains("MessageStructure=json"))
    #expect(body.contains("MessageAttributes.entry.1.Name="))
  }

  @Test func `what can be mended is tried again, with the missing permission named`() async {
    let denied = Transport(
      .success(
        AWSResponse(
          status: 403,
          body: Array(
            "<ErrorResponse><Error><Code>AuthorizationError</Code></Error></ErrorResponse>".utf8))))
    let error = await failure(denied)
    #expect(error?.isRetryable == true)
    #expect(error?.reason.contains("sns:Publish is missing") == true)
    #expect(error?.reason.contains("s3cret") == false)
    let lost = await failure(Transport(.failure(AWSTransportError(.timedOut, "no answer"))))
    #expect(lost?.isRetryable == true)
    let wrong = Transport(.success(AWSResponse(status: 400, body: Array("<a/>".utf8))))
    #expect(await failure(wrong)?.isRetryable == false)
  }
}
