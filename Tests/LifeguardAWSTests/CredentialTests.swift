import LifeguardAWS
import LifeguardCore
import Synchronization
import TestSupport
import Testing

@Suite struct `where credentials come from` {
  private static let role = "arn:aws:iam::123456789012:role/web"

  private static func assumed(
    _ key: String, _ action: String = "AssumeRole"
  ) -> ScriptedTransport.Answer {
    AWSResponse.text(
      200,
      """
      <\(action)Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><\(action)Result>
      <Credentials><AccessKeyId>\(key)</AccessKeyId><SecretAccessKey>s</SecretAccessKey>
      <SessionToken>t</SessionToken><Expiration>2026-11-23T09:00:00Z</Expiration></Credentials>
      </\(action)Result></\(action)Response>
      """)
  }

  private static let document = """
    {"Code":"Success","AccessKeyId":"ASIA1","SecretAccessKey":"s","Token":"t",
    "Expiration":"2026-11-23T14:00:00Z"}
    """

  /// The key that a call is signed with, or the error of the call.
  private func key(
    _ environment: [String: String], profile: String? = nil, transport: ScriptedTransport? = nil
  ) async -> Result<String, AWSError> {
    let transport =
      transport
      ?? ScriptedTransport { _, _ in
        .failure(AWSTransportError(.unreachable, "connecting failed"))
      }
    let answering = ScriptedTransport { request, _ in
      if request.header("X-Amz-Target") != nil {
        let key = request.header("Authorization")?.split(separator: "=")[1].split(separator: "/")[0]
        return AWSResponse.text(200, "{\"Parameter\":{\"Value\":\"\(key ?? "")\"}}")
      }
      do throws(AWSTransportError) {
        return .success(try await transport.send(request, timeout: .seconds(1)))
      } catch {
        return .failure(error)
      }
    }
    let client = AWSClient(
      AWSSettings(environment: environment, profile: profile, region: "eu-west-1"),
      transport: answering, clock: VirtualClock().clock)
    do throws(AWSError) {
      return .success(try await client.ssm.parameter("/p").value.revealed)
    } catch {
      return .failure(error)
    }
  }

  private func files(_ config: String, _ credentials: String = "") throws -> (
    folder: TemporaryFolder, environment: [String: String]
  ) {
    let folder = try TemporaryFolder()
    try TextFile.write(config, to: folder / "config")
    try TextFile.write(credentials, to: folder / "credentials", mode: 0o600)
    return (
      folder,
      [
        "AWS_CONFIG_FILE": folder / "config",
        "AWS_SHARED_CREDENTIALS_FILE": folder / "credentials",
        "AWS_EC2_METADATA_DISABLED": "true",
      ]
    )
  }

  @Test func `the environment comes first`() async throws {
    let files = try files("", "[default]\naws_access_key_id = FILE\naws_secret_access_key = s\n")
    var environment = files.environment
    #expect(try await key(environment).get() == "FILE")
    environment["AWS_ACCESS_KEY_ID"] = "ENV"
    environment["AWS_SECRET_ACCESS_KEY"] = "s"
    #expect(try await key(environment).get() == "ENV")
    environment["AWS_SECRET_ACCESS_KEY"] = nil
    guard case .failure(let error) = await key(environment) else {
      Issue.record("half a key is no key")
      return
    }
    #expect(error.kind == .noCredentials)
    #expect(error.message.contains("AWS_SECRET_ACCESS_KEY"))
  }

  @Test func `a session token of the environment is sent`() async throws {
    let transport = ScriptedTransport([AWSResponse.text(200, #"{"Parameter":{"Value":"v"}}"#)])
    let client = AWSClient(
      AWSSettings(environment: [
        "AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": "tok",
        "AWS_REGION": "eu-west-1",
      ]), transport: transport)
    _ = try await client.ssm.parameter("/p")
    let request = try #require(transport.requests.first)
    #expect(request.header("X-Amz-Security-Token") == "tok")
    #expect(request.header("Authorization")?.contains("x-amz-security-token") == true)
  }

  @Test func `profiles of both files are merged and those of the credentials file win`()
    async throws
  {
    let files = try files(
      """
      # a comment
      [profile web]
      aws_access_key_id = CONFIG
      aws_secret_access_key = s # not part of it
      region = eu-west-1
      [ profile  "two words" ]
      aws_access_key_id = TWO
      aws_secret_access_key = s#t;u
      s3 =
        max_concurrent_requests = 20
      """, "[web]\naws_access_key_id=FILE\naws_secret_access_key=s\n")
    var environment = files.environment
    environment["AWS_PROFILE"] = "web"
    #expect(try await key(environment).get() == "FILE")
    environment["AWS_PROFILE"] = "two words"
    #expect(try await key(environment).get() == "TWO")
    environment["AWS_ACCESS_KEY_ID"] = "ENV"
    environment["AWS_SECRET_ACCESS_KEY"] = "s"
    #expect(try await key(environment, profile: "two words").get() == "TWO")
  }

  @Test func `a role is assumed with the keys of another profile`() async throws {
    let files = try files(
      """
      [profile web]
      role_arn = \(Self.role)
      source_profile = base
      external_id = x-1
      role_session_name = night watch
      duration_seconds = 900
      [profile base]
      aws_access_key_id = BASE
      aws_secret_access_key = s
      """)
    let transport = ScriptedTransport([Self.assumed("ASSUMED")])
    var environment = files.environment
    environment["AWS_PROFILE"] = "web"
    #expect(try await key(environment, transport: transport).get() == "ASSUMED")
    let request = try #require(transport.requests.first)
    #expect(request.url.host == "sts.eu-west-1.amazonaws.com")
    #expect(request.header("Authorization")?.contains("Credential=BASE/") == true)
    #expect(request.form["RoleArn"] == Self.role)
    #expect(request.form["ExternalId"] == "x-1")
    #expect(request.form["RoleSessionName"] == "night-watch")
    #expect(request.form["DurationSeconds"] == "900")
  }

  @Test func `roles lead to roles`() async throws {
    let files = try files(
      """
      [profile a]
      role_arn = \(Self.role)
      source_profile = b
      [profile b]
      role_arn = arn:aws:iam::123456789012:role/middle
      source_profile = b
      aws_access_key_id = OWN
      aws_secret_access_key = s
      """)
    let transport = ScriptedTransport([Self.assumed("MIDDLE"), Self.assumed("END")])
    #expect(try await key(files.environment, profile: "a", transport: transport).get() == "END")
    #expect(
      transport.requests.map { $0.header("Authorization")?.contains("Credential=OWN/") == true }
        == [true, false])
  }

  @Test(arguments: [
    (
      "[profile x]\nrole_arn = r\nsource_profile = y\n"
        + "[profile y]\nrole_arn = r\nsource_profile = x",
      "circles"
    ),
    ("[profile x]\nrole_arn = r\nsource_profile = nobody", "nobody does not exist"),
    ("[profile x]\nrole_arn = r", "needs source_profile"),
    ("[profile x]\nrole_arn = r\ncredential_source = Moon", "\"Moon\""),
    ("[profile x]\nrole_arn = r\nsource_profile = x\nmfa_serial = m", "mfa_serial"),
    ("[profile x]\nsso_session = s", "sso_session is not supported"),
    ("[profile x]\ncredential_process = /bin/true", "credential_process is not supported"),
    ("[profile x]\nregion = eu-west-1", "has no credentials"),
    ("[profile x]\naws_access_key_id = A", "belong together"),
    ("[profile y]", "no such profile"),
  ])
  func `a profile that leads nowhere says why`(config: String, words: String) async throws {
    let files = try files(config)
    guard case .failure(let error) = await key(files.environment, profile: "x") else {
      Issue.record("there are no credentials")
      return
    }
    #expect(error.kind == .noCredentials)
    #expect(error.message.contains("profile x"), "\(error)")
    #expect(error.message.contains(words), "\(error)")
  }

  @Test func `a web identity is exchanged without a signature`() async throws {
    let folder = try TemporaryFolder()
    try TextFile.write("the.web.token\n", to: folder / "token")
    let transport = ScriptedTransport([Self.assumed("WEB", "AssumeRoleWithWebIdentity")])
    let found = await key(
      [
        "AWS_WEB_IDENTITY_TOKEN_FILE": folder / "token", "AWS_ROLE_ARN": Self.role,
        "AWS_ROLE_SESSION_NAME": "pod",
      ], transport: transport)
    #expect(try found.get() == "WEB")
    let request = try #require(transport.requests.first)
    #expect(request.header("Authorization") == nil)
    #expect(request.form["Action"] == "AssumeRoleWithWebIdentity")
    #expect(request.form["WebIdentityToken"] == "the.web.token")
    #expect(request.form["RoleSessionName"] == "pod")
  }

  @Test func `a container's endpoint is asked with its token`() async throws {
    let folder = try TemporaryFolder()
    try TextFile.write("Bearer abc", to: folder / "token")
    let transport = ScriptedTransport([AWSResponse.text(200, Self.document)])
    let relative = await key(
      ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/credentials/id?x=1"], transport: transport)
    #expect(try relative.get() == "ASIA1")
    #expect(
      transport.requests.first?.url.description == "http://169.254.170.2/v2/credentials/id?x=1")
    let full = await key(
      [
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.23/v1/credentials",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": folder / "token",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN": "other",
      ], transport: transport)
    #expect(try full.get() == "ASIA1")
    #expect(transport.requests.last?.header("Authorization") == "Bearer abc")
  }

  @Test(arguments: [
    ("http://127.0.0.1:80/", true), ("http://127.9.9.9/", true), ("http://localhost/x", true),
    ("http://[::1]:8080/", true), ("http://169.254.170.2/", true),
    ("http://[fd00:ec2::23]/v1/credentials", true), ("https://example.com/c", true),
    ("http://example.com/c", false), ("http://169.254.169.254/", false),
    ("http://127.0.0.1.example.com/", false), ("http://10.0.0.1/", false), ("ftp://x/", false),
  ])
  func `plain requests for credentials only go to trusted addresses`(
    address: String, isAllowed: Bool
  ) async {
    let transport = ScriptedTransport([AWSResponse.text(200, Self.document)])
    let found = await key(["AWS_CONTAINER_CREDENTIALS_FULL_URI": address], transport: transport)
    #expect((try? found.get()) == (isAllowed ? "ASIA1" : nil))
    #expect(transport.requests.isEmpty == !isAllowed)
  }

  @Test func `an authorization token with a line break is refused`() async {
    let transport = ScriptedTransport([AWSResponse.text(200, Self.document)])
    let found = await key(
      [
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1/",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN": "a\r\nHost: evil",
      ], transport: transport)
    #expect((try? found.get()) == nil)
    #expect(transport.requests.isEmpty)
  }

  @Test func `a container's endpoint that fails now and then is asked again`() async throws {
    let transport = ScriptedTransport([
      AWSResponse.text(500, "busy"), .failure(AWSTransportError(.connectionLost, "reset")),
      AWSResponse.text(200, Self.document),
    ])
    let environment = ["AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1/"]
    #expect(try await key(environment, transport: transport).get() == "ASIA1")
    let refusing = ScriptedTransport([AWSResponse.text(403, #"{"code":"x","message":"no task"}"#)])
    guard case .failure(let error) = await key(environment, transport: refusing) else {
      Issue.record("refused")
      return
    }
    #expect(refusing.requests.count == 1)
    #expect(error.message.contains("container: 127.0.0.1 answered 403: no task"), "\(error)")
  }

  @Test func `an instance's role is read with a token`() async throws {
    let transport = ScriptedTransport { request, _ in
      switch (request.method, request.url.path) {
      case ("PUT", "/latest/api/token"):
        return request.header("X-aws-ec2-metadata-token-ttl-seconds") == "21600"
          ? AWSResponse.text(200, "TOKEN") : AWSResponse.text(400, "")
      case ("GET", let path) where request.header("X-aws-ec2-metadata-token") == "TOKEN":
        return path.hasSuffix("/security-credentials/")
          ? AWSResponse.text(200, "web role\n") : AWSResponse.text(200, Self.document)
      default: return AWSResponse.text(401, "")
      }
    }
    #expect(try await key([:], transport: transport).get() == "ASIA1")
    #expect(
      transport.requests.map(\.url.description) == [
        "http://169.254.169.254/latest/api/token",
        "http://169.254.169.254/latest/meta-data/iam/security-credentials/",
        "http://169.254.169.254/latest/meta-data/iam/security-credentials/web%20role",
      ])
  }

  @Test func `a metadata token that is refused is replaced once`() async throws {
    let tokens = Counter()
    let transport = ScriptedTransport { request, _ in
      if request.method == "PUT" {
        return AWSResponse.text(200, "T\(tokens.next())")
      }
      return request.header("X-aws-ec2-metadata-token") == "T1"
        ? AWSResponse.text(401, "") : AWSResponse.text(200, "i-1")
    }
    let metadata = InstanceMetadata(AWSSettings(environment: [:]), transport: transport)
    #expect(try await metadata.text("meta-data/instance-id") == "i-1")
    #expect(tokens.next() == 3)
    let refusing = ScriptedTransport { request, _ in
      AWSResponse.text(request.method == "PUT" ? 200 : 401, "T")
    }
    await #expect(throws: InstanceMetadata.Failure.self) {
      try await InstanceMetadata(AWSSettings(environment: [:]), transport: refusing).text("x")
    }
    #expect(refusing.requests.count == 4)
  }

  @Test func `an instance says who it is`() async throws {
    let known = [
      "instance-id": "i-1", "ami-id": "ami-1", "instance-type": "t3.micro",
      "placement/availability-zone": "eu-west-1a",
      "tags/instance": "Name\nRole\n"
        + "aws:autoscaling:groupName", "tags/instance/Name": "web-1", "tags/instance/Role": "web",
      "tags/instance/aws%3Aautoscaling%3AgroupName": "web-asg",
      "spot/instance-action": #"{"action":"stop","time":"2026-11-23T08:02:00Z"}"#,
    ]
    let transport = ScriptedTransport { request, _ in
      if request.method == "PUT" { return AWSResponse.text(200, "T") }
      let path = String(request.url.path.dropFirst("/latest/meta-data/".count))
      return known[path].map { AWSResponse.text(200, $0) } ?? AWSResponse.text(404, "")
    }
    let metadata = InstanceMetadata(AWSSettings(environment: [:]), transport: transport)
    let identity = try await metadata.identity()
    #expect(identity.instanceID == "i-1")
    #expect(identity.region == "eu-west-1")
    #expect(identity.tags["Name"] == "web-1")
    #expect(identity.autoScalingGroup == "web-asg")
    #expect(try await metadata.spotAction()?.action == "stop")
    #expect(try await metadata.autoScalingTarget() == nil)
    #expect(transport.requests.filter { $0.method == "PUT" }.count == 1)
  }

  @Test func `without credentials every place is named`() async {
    guard case .failure(let error) = await key(["HOME": "/nonexistent"]) else {
      Issue.record("there are none")
      return
    }
    #expect(error.kind == .noCredentials)
    for words in [
      "AWS_ACCESS_KEY_ID is not set", "profile default", "AWS_WEB_IDENTITY_TOKEN_FILE",
      "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "instance: no metadata service",
    ] {
      #expect(error.message.contains(words), "\(error)")
    }
  }

  @Test func `a place that fails ends the search`() async {
    let transport = ScriptedTransport([AWSResponse.text(200, Self.document)])
    let found = await key(
      ["AWS_WEB_IDENTITY_TOKEN_FILE": "/nonexistent/token", "AWS_ROLE_ARN": Self.role],
      transport: transport)
    #expect((try? found.get()) == nil)
    #expect(transport.requests.isEmpty)
  }
}

@Suite struct `keeping credentials` {
  private func document(_ key: Int, _ expiration: Timestamp) -> ScriptedTransport.Answer {
    AWSResponse.text(
      200,
      "{\"AccessKeyId\":\"K\(key)\",\"SecretAccessKey\":\"s\",\"Token\":\"t\",\"Expiration\":"
        + "\"\(expiration.text)\"}")
  }

  private func client(_ setup: SharedSetup) -> AWSClient {
    let transport = ScriptedTransport { request, _ in
      if request.header("X-Amz-Target") != nil {
        let key = request.header("Authorization")?.split(separator: "=")[1].split(separator: "/")[0]
        return AWSResponse.text(200, "{\"Parameter\":{\"Value\":\"\(key ?? "")\"}}")
      }
      if setup.isDown.withLock({ $0 }) { return AWSResponse.text(500, "down") }
      let number = setup.fetched.withLock {
        $0 += 1
        return $0
      }
      do { try await Task.sleep(for: .milliseconds(20)) } catch {}
      return self.document(number, setup.clock.now + .seconds(3600))
    }
    return AWSClient(
      AWSSettings(environment: [
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1/", "AWS_REGION": "eu-west-1",
      ]), transport: transport, clock: setup.clock.clock)
  }

  private final class SharedSetup: Sendable {
    let clock = VirtualClock()
    let fetched = Mutex(0)
    let isDown = Mutex(false)
  }

  @Test func `many callers wait for one fetch`() async throws {
    let setup = SharedSetup()
    let client = client(setup)
    let keys = try await withThrowingTaskGroup(of: String.self) { group in
      for _ in 0..<40 {
        group.addTask { try await client.ssm.parameter("/p").value.revealed }
      }
      return try await group.reduce(into: Set<String>()) { $0.insert($1) }
    }
    #expect(keys == ["K1"])
    #expect(setup.fetched.withLock { $0 } == 1)
  }

  @Test func `a caller that gives up leaves the others waiting`() async throws {
    let setup = SharedSetup()
    let client = client(setup)
    let impatient = Task { try await client.ssm.parameter("/p").value.revealed }
    let patient = Task { try await client.ssm.parameter("/p").value.revealed }
    impatient.cancel()
    #expect(try await patient.value == "K1")
    #expect(setup.fetched.withLock { $0 } == 1)
    _ = await impatient.result
  }

  @Test func `credentials are renewed before they expire`() async throws {
    let setup = SharedSetup()
    let client = client(setup)
    #expect(try await client.ssm.parameter("/p").value.revealed == "K1")
    setup.clock.advance(.seconds(3200))
    #expect(try await client.ssm.parameter("/p").value.revealed == "K1")
    setup.clock.advance(.seconds(150))
    #expect(try await client.ssm.parameter("/p").value.revealed == "K2")
  }

  @Test func `old credentials serve while no new ones are to be had`() async throws {
    let setup = SharedSetup()
    let client = client(setup)
    #expect(try await client.ssm.parameter("/p").value.revealed == "K1")
    setup.isDown.withLock { $0 = true }
    setup.clock.advance(.seconds(3400))
    #expect(try await client.ssm.parameter("/p").value.revealed == "K1")
    setup.clock.advance(.seconds(195))
    let error = await #expect(throws: AWSError.self) { try await client.ssm.parameter("/p") }
    #expect(error?.isRetryable == true)
    setup.isDown.withLock { $0 = false }
    #expect(try await client.ssm.parameter("/p").value.revealed == "K2")
  }
}
