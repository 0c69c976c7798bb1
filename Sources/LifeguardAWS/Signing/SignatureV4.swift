import LifeguardCore

/// Signs requests with AWS Signature Version 4
/// (docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html).
public struct SignatureV4: Sendable {
  public var credentials: AWSCredentials
  public var region: String
  /// The name that the service signs with, `monitoring` for CloudWatch.
  public var service: String
  public var time: Timestamp
  /// False for S3, whose paths are signed as they are.
  public var normalizesPath = true

  /// A signer for requests of one service in one region at one time.
  public init(
    _ credentials: AWSCredentials, region: String, service: String, time: Timestamp
  ) {
    self.credentials = credentials
    self.region = region
    self.service = service
    self.time = time
  }

  /// What a request is signed with, step by step; tests compare every step.
  public struct Steps: Sendable {
    public var canonicalRequest: String
    public var stringToSign: String
    public var signature: String
    public var signedHeaders: String
  }

  private static let algorithm = "AWS4-HMAC-SHA256"

  /// Headers that proxies and clients change on the way are never signed.
  private static let unsignedHeaders: Set<String> = [
    "authorization", "connection", "expect", "transfer-encoding", "user-agent",
    "x-amzn-trace-id",
  ]

  /// `20150830T123600Z`.
  public var date: String {
    let text = time.text.filter { $0 != "-" && $0 != ":" }
    return text.prefix(15) + "Z"
  }

  private var scope: String { "\(date.prefix(8))/\(region)/\(service)/aws4_request" }

  /// The request with `X-Amz-Date`, `X-Amz-Security-Token` and `Authorization`.
  ///
  /// - Parameter signsToken: a few old services want the session token outside of the signature.
  public func sign(_ request: AWSRequest, signsToken: Bool = true) -> AWSRequest {
    var signed = request
    if signed.header("Host") == nil {
      signed.headers.append(AWSHeader("Host", request.url.authority))
    }
    signed.set("X-Amz-Date", date)
    if let token = credentials.sessionToken, signsToken {
      signed.set("X-Amz-Security-Token", token.revealed)
    }
    let steps = steps(signed)
    if let token = credentials.sessionToken, !signsToken {
      signed.set("X-Amz-Security-Token", token.revealed)
    }
    signed.set(
      "Authorization",
      "\(Self.algorithm) Credential=\(credentials.accessKeyID)/\(scope), "
        + "SignedHeaders=\(steps.signedHeaders), Signature=\(steps.signature)")
    return signed
  }

  /// The request as an address that anybody may use until it expires: the signature stands in the
  /// query.
  ///
  /// - Parameter lifetime: whole seconds, from 1 s to 7 days.
  public func presign(
    _ request: AWSRequest, lifetime: Duration, signsToken: Bool = true
  ) -> AWSRequest {
    var signed = request
    if signed.header("Host") == nil {
      signed.headers.append(AWSHeader("Host", request.url.authority))
    }
    let names = CanonicalRequest(
      method: "", path: "", query: "", headers: signable(signed.headers), bodyHash: "")
    var pairs = request.url.query.map { $0.isEmpty ? [] : [$0] } ?? []
    func add(_ name: String, _ value: String) {
      pairs.append("\(name)=\(PercentEncoding.encode(value))")
    }
    add("X-Amz-Algorithm", Self.algorithm)
    add("X-Amz-Credential", "\(credentials.accessKeyID)/\(scope)")
    add("X-Amz-Date", date)
    add("X-Amz-Expires", "\(lifetime.components.seconds)")
    add("X-Amz-SignedHeaders", names.signedHeaders)
    if let token = credentials.sessionToken, signsToken {
      add("X-Amz-Security-Token", token.revealed)
    }
    signed.url.query = pairs.joined(separator: "&")
    let steps = steps(signed)
    if let token = credentials.sessionToken, !signsToken {
      add("X-Amz-Security-Token", token.revealed)
    }
    add("X-Amz-Signature", steps.signature)
    signed.url.query = pairs.joined(separator: "&")
    return signed
  }

  /// Canonical request, string to sign and signature of a request that is complete but for them.
  public func steps(_ request: AWSRequest) -> Steps {
    let canonical = CanonicalRequest(
      method: request.method, path: request.url.path, query: request.url.query ?? "",
      headers: signable(request.headers),
      bodyHash: Digest.hexadecimal(Digest.sha256(request.body)), normalizes: normalizesPath)
    let hash = Digest.hexadecimal(Digest.sha256(Array(canonical.text.utf8)))
    let stringToSign = [Self.algorithm, date, scope, hash].joined(separator: "\n")
    return Steps(
      canonicalRequest: canonical.text, stringToSign: stringToSign,
      signature: Digest.hexadecimal(Digest.hmac(key, stringToSign)),
      signedHeaders: canonical.signedHeaders)
  }

  private func signable(_ headers: [AWSHeader]) -> [AWSHeader] {
    headers.filter { !Self.unsignedHeaders.contains($0.name.lowercased()) }
  }

  /// The key of one day, region and service.
  private var key: [UInt8] {
    let secret = Array("AWS4\(credentials.secretAccessKey.revealed)".utf8)
    let parts = [String(date.prefix(8)), region, service, "aws4_request"]
    return parts.reduce(secret) { Digest.hmac($0, $1) }
  }
}
