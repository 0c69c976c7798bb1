import LifeguardCore

/// Credentials of a container's role: the endpoint that ECS and EKS Pod Identity offer.
struct ContainerCredentials: Sendable {
  let settings: AWSSettings
  let transport: any AWSTransport
  let clock: AWSClock

  private static let timeout: Duration = .seconds(2)
  private static let attemptsMax = 3
  /// The endpoints of ECS and of EKS Pod Identity, to which plain HTTP is allowed beside loopback
  /// (docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html).
  private static let plainHosts: Set<String> = [
    "169.254.170.2", "169.254.170.23", "[fd00:ec2::23]",
  ]

  func find() async -> CredentialChain.Finding {
    let url: AWSURL
    switch address() {
    case .success(let found?): url = found
    case .success(nil):
      return .absent(
        "container: AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and …_FULL_URI are not set")
    case .failure(let problem): return .failed("container: \(problem.reason)", isRetryable: false)
    }
    var request = AWSRequest(
      "GET", url, headers: [AWSHeader("Accept", "application/json")], answerMax: 65_536)
    switch token() {
    case .success(let token): if let token { request.set("Authorization", token.revealed) }
    case .failure(let problem): return .failed("container: \(problem.reason)", isRetryable: false)
    }
    return await ask(request)
  }

  private func ask(_ request: AWSRequest) async -> CredentialChain.Finding {
    var reason = ""
    for attempt in 1...Self.attemptsMax {
      if attempt > 1 {
        // Cancelled: the exchange below says so.
        try? await clock.sleep(.milliseconds(100 * attempt) * clock.random())
      }
      do {
        let response = try await transport.send(request, timeout: Self.timeout)
        if response.status == 200 { return Self.read(response) }
        reason = "\(request.url.authority) answered \(response.status)"
        let body = ErrorBody(response)
        if let message = body.message { reason += ": \(TextEscape.line(message))" }
        if response.status < 500 && response.status != 429 {
          return .failed("container: \(reason)", isRetryable: false)
        }
      } catch {
        reason = error.reason
        if error.kind == .cancelled { break }
      }
    }
    return .failed("container: \(reason)", isRetryable: true)
  }

  private static func read(_ response: AWSResponse) -> CredentialChain.Finding {
    switch CredentialDocument.read(response.body, source: "the container") {
    case .success(let credentials): .found(credentials)
    case .failure(let problem): .failed("container: \(problem.reason)", isRetryable: true)
    }
  }

  private func address() -> Result<AWSURL?, SharedFiles.Problem> {
    if let relative = settings.variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") {
      let text = "http://169.254.170.2" + (relative.hasPrefix("/") ? "" : "/") + relative
      guard let url = AWSURL(text) else {
        return .failure(.init(reason: "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is no path"))
      }
      return .success(url)
    }
    guard let full = settings.variable("AWS_CONTAINER_CREDENTIALS_FULL_URI") else {
      return .success(nil)
    }
    guard let url = AWSURL(full) else {
      return .failure(.init(reason: "AWS_CONTAINER_CREDENTIALS_FULL_URI is no address"))
    }
    guard url.scheme == "https" || Self.isTrusted(url.host) else {
      return .failure(
        .init(
          reason: "AWS_CONTAINER_CREDENTIALS_FULL_URI names \(url.host): plain HTTP is only good"
            + " for loopback and the platform's own addresses"))
    }
    return .success(url)
  }

  private static func isTrusted(_ host: String) -> Bool {
    if plainHosts.contains(host) || host == "localhost" || host == "[::1]" { return true }
    let parts = host.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
    return parts.count == 4 && parts[0] == 127 && !parts.contains(nil)
  }

  /// The value of the `Authorization` header; a file is read anew each time.
  private func token() -> Result<Secret?, SharedFiles.Problem> {
    var token = settings.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN")
    if let path = settings.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") {
      switch SharedFiles.read(path) {
      case .success(let bytes): token = String(decoding: bytes, as: UTF8.self)
      case .failure(let problem):
        return .failure(.init(reason: "token file \(path) \(problem.reason)"))
      }
    }
    guard let token else { return .success(nil) }
    guard !token.utf8.contains(where: { $0 == 0x0A || $0 == 0x0D }) else {
      return .failure(.init(reason: "the authorization token holds a line break"))
    }
    return .success(Secret(token))
  }
}

/// The JSON that container and instance endpoints answer with.
enum CredentialDocument {
  static func read(
    _ bytes: [UInt8], source: String
  ) -> Result<AWSCredentials, SharedFiles.Problem> {
    // What cannot be read is an error either way.
    guard let json = try? JSON.parse(bytes) else {
      return .failure(.init(reason: "the answer is no JSON"))
    }
    if let code = json["Code"]?.string, code != "Success" {
      let message = json["Message"]?.string ?? json["message"]?.string ?? ""
      return .failure(.init(reason: TextEscape.line("\(code) \(message)")))
    }
    guard let key = json["AccessKeyId"]?.string, let secret = json["SecretAccessKey"]?.string,
      !key.isEmpty, !secret.isEmpty
    else { return .failure(.init(reason: "the answer holds no AccessKeyId and SecretAccessKey")) }
    return .success(
      AWSCredentials(
        accessKeyID: key, secretAccessKey: Secret(secret),
        sessionToken: json["Token"]?.string.map(Secret.init),
        expiration: json["Expiration"]?.string.flatMap { Timestamp($0) }, source: source))
  }
}
