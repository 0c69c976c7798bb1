import LifeguardAWS
import LifeguardCore
import TestSupport
import Testing

@Suite struct `Signature Version 4` {
  static let folder = SourceTree.path(".build/peers/botocore-aws4-testsuite")

  /// Whether the vectors are there or can be fetched from PyPI.
  @Sendable static func hasVectors() async -> Bool {
    if TextFile.exists(folder) { return true }
    guard Oracle.requirement.isMet else { return false }
    do {
      _ = try await Oracle.run("fetch_vectors.py", [folder], timeout: .seconds(300))
    } catch {
      return false
    }
    return TextFile.exists(folder)
  }

  @Test(
    .enabled("needs the vectors: they come from PyPI, which cannot be reached", hasVectors))
  func `every official vector is reproduced step by step`() throws {
    let cases = try Vector.all(in: Self.folder)
    #expect(cases.count >= 34)
    for vector in cases {
      let signer = SignatureV4(
        vector.credentials, region: "us-east-1", service: "service",
        time: try #require(Timestamp("2015-08-30T12:36:00Z")))
      let signed = signer.sign(vector.request, signsToken: vector.signsToken)
      var unsigned = signed
      unsigned.headers.removeAll {
        $0.name == "Authorization"
          || (!vector.signsToken && $0.name == "X-Amz-Security-Token")
      }
      let steps = signer.steps(unsigned)
      #expect(steps.canonicalRequest == vector.canonicalRequest, "\(vector.name)")
      #expect(steps.stringToSign == vector.stringToSign, "\(vector.name)")
      #expect(signed.header("Authorization") == vector.authorization, "\(vector.name)")
      #expect(
        signed.header("X-Amz-Security-Token") == vector.credentials.sessionToken?.revealed,
        "\(vector.name)")
    }
  }

  @Test(.enabled(if: Oracle.requirement.isMet, "\(Oracle.requirement.reason)"))
  func `headers and addresses are signed as botocore signs them`() async throws {
    var generator = SeededGenerator(seed: 4)
    let requests = (0..<120).map { _ in SignedCase(&generator) }
    let lines = requests.map { $0.json.text() }.joined(separator: "\n")
    let answers = try await Oracle.run("sign.py", input: lines)
      .split(separator: "\n").map { try JSON.parse(String($0)) }
    try #require(answers.count == requests.count)
    for (request, answer) in zip(requests, answers) {
      let signed = request.signer.sign(request.request)
      #expect(
        signed.header("Authorization") == answer["authorization"]?.string,
        "\(request.json.text())")
      var address = request.request
      address.body = []
      let presigned = request.signer.presign(address, lifetime: .seconds(300))
      let expected = try #require(answer["url"]?.string)
      #expect(
        Self.parameters(presigned.url.description) == Self.parameters(expected),
        "\(request.json.text())")
    }
  }

  @Test func `a header that proxies change is sent but not signed`() throws {
    let signer = SignatureV4(
      .example, region: "eu-west-1", service: "sns",
      time: try #require(Timestamp("2026-11-23T08:00:00Z")))
    let url = try #require(AWSURL("https://sns.eu-west-1.amazonaws.com/"))
    let plain = AWSRequest("POST", url, body: [1])
    var other = plain
    other.headers.append(AWSHeader("User-Agent", "lifeguard"))
    let signed = signer.sign(other)
    #expect(signed.header("User-Agent") == "lifeguard")
    #expect(signer.sign(plain).header("Authorization") == signed.header("Authorization"))
    other.body = [2]
    #expect(signer.sign(other).header("Authorization") != signed.header("Authorization"))
  }

  private static func parameters(_ url: String) -> Set<String> {
    Set(url.split(separator: "?", maxSplits: 1).last?.split(separator: "&").map(String.init) ?? [])
  }
}

/// A request, and its signature as the suite has it.
private struct Vector {
  var name: String
  var request: AWSRequest
  var credentials = AWSCredentials.example
  var signsToken = true
  var canonicalRequest: String
  var stringToSign: String
  var authorization: String

  static func all(in folder: String) throws -> [Vector] {
    try SourceFolder.files(folder).filter { $0.hasSuffix(".req") }.sorted()
      .map { try Vector(String($0.dropLast(4))) }
  }

  init(_ path: String) throws {
    func read(_ ending: String) throws -> String {
      let text = try TextFile.read(path + ending)
      return text.replacing("\r\n", with: "\n")
    }
    name = path.split(separator: "/").last.map(String.init) ?? path
    canonicalRequest = try read(".creq")
    stringToSign = try read(".sts")
    authorization = try read(".authz")
    request = try Self.request(try read(".req"))
    let token = try Self.request(try read(".sreq")).header("X-Amz-Security-Token")
    credentials.sessionToken = token.map(Secret.init)
    signsToken = canonicalRequest.contains("x-amz-security-token")
    // The signer adds these itself.
    request.headers.removeAll {
      ["X-Amz-Date", "X-Amz-Security-Token"].contains($0.name)
    }
  }

  private static func request(_ text: String) throws -> AWSRequest {
    let parts = text.split(separator: "\n\n", maxSplits: 1, omittingEmptySubsequences: false)
    let lines = parts[0].split(separator: "\n", omittingEmptySubsequences: false)
    let words = lines[0].split(separator: " ")
    // A path may hold spaces: it is what stands between the method and the version.
    let target = words.dropFirst().dropLast().joined(separator: " ")
    let pieces = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    var url = try #require(AWSURL("https://example.amazonaws.com/"))
    url.path = String(pieces[0])
    url.query = pieces.count > 1 ? String(pieces[1]) : nil
    var headers: [AWSHeader] = []
    for line in lines.dropFirst() where !line.isEmpty {
      if line.first == " ", var last = headers.popLast() {
        last.value += "\n" + line
        headers.append(last)
      } else if let colon = line.firstIndex(of: ":") {
        headers.append(
          AWSHeader(String(line[..<colon]), String(line[line.index(after: colon)...])))
      }
    }
    return AWSRequest(
      String(words[0]), url, headers: headers,
      body: parts.count > 1 ? Array(parts[1].utf8) : [])
  }
}

/// A request made up from a seed.
private struct SignedCase {
  let request: AWSRequest
  let signer: SignatureV4
  let json: JSON

  init(_ generator: inout SeededGenerator) {
    func pick(_ values: [String]) -> String {
      values[Int.random(in: 0..<values.count, using: &generator)]
    }
    let path = pick(["/", "/a/b", "/2015-03-31/functions/arn%3Aaws%3Ax/invocations", "/a%20b/"])
    let query = pick(["", "Qualifier=1", "a=1&b=x%20y", "z=~&a=%2F"])
    let host = pick(["sns.eu-west-1.amazonaws.com", "monitoring.cn-north-1.amazonaws.com.cn"])
    let body = pick(["", "{}", "Action=Publish&Message=h%C3%A9", "\u{1F600}"])
    let token = pick(["", "", "token/with+signs=="])
    let service = pick(["sns", "monitoring", "lambda"])
    let region = pick(["eu-west-1", "cn-north-1", "us-gov-west-1"])
    let type = pick(["application/x-amz-json-1.1", "application/x-www-form-urlencoded"])
    let note = pick(["plain", "  a   b  ", "x,y"])
    let method = pick(["POST", "GET", "PUT"])
    let time = Timestamp(milliseconds: Int64.random(in: 0..<4_000_000_000_000, using: &generator))
    var credentials = AWSCredentials.example
    credentials.sessionToken = token.isEmpty ? nil : Secret(token)
    let url = AWSURL(host: host, path: path, query: query.isEmpty ? nil : query)
    request = AWSRequest(
      method, url,
      headers: [
        AWSHeader("Host", host), AWSHeader("Content-Type", type), AWSHeader("X-Amz-Note", note),
      ], body: Array(body.utf8))
    signer = SignatureV4(credentials, region: region, service: service, time: time)
    json = [
      "method": .string(method), "url": .string(url.description), "body": .string(body),
      "headers": [
        "Host": .string(host), "Content-Type": .string(type), "X-Amz-Note": .string(note),
      ],
      "key": .string(credentials.accessKeyID),
      "secret": .string(credentials.secretAccessKey.revealed), "token": .string(token),
      "region": .string(region), "service": .string(service), "date": .string(signer.date),
    ]
  }
}
