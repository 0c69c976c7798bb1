import LifeguardCore
import Testing

@testable import LifeguardAWS

@Suite struct `reading answers` {
  private func parse(_ text: String) throws(XMLError) -> XMLElement {
    try XMLReader.parse(Array(text.utf8))
  }

  @Test func `elements, text, entities and sections are read`() throws {
    let root = try parse(
      """
      <?xml version="1.0" encoding="UTF-8"?>
      <!-- a comment with <tags> & signs -->
      <aws:R xmlns:aws="https://x/?a=1>2" b='"'>
        <a>x &amp; y &lt;&#65;&#x1F600;&quot;&apos;&gt;</a>
        <b/><c  /><d><![CDATA[<raw> & ]] ]]></d>
        <e><member>1</member><member>2</member></e>
      </aws:R>
      """)
    #expect(root.name == "R")
    #expect(root["a"]?.text == "x & y <A😀\"'>")
    #expect(root["b"]?.text == "")
    #expect(root.value("b") == nil)
    #expect(root["d"]?.text == "<raw> & ]] ")
    #expect(root.list("e").map(\.text) == ["1", "2"])
    #expect(root.text == "")
  }

  @Test(arguments: [
    "", "   ", "text", "<a>", "<a></b>", "</a>", "<a/><b/>", "<a>&nope;</a>", "<a>&amp</a>",
    "<a b=\"<\"", "<a", "<", "<a><![CDATA[x</a>", "<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>",
    "<a>&#xD800;</a>", "<a>&#99999999;</a>", "<a/ >", "<a/>tail", "<!-- <a/>", "<a></ a>",
  ])
  func `what is no answer of a service is refused`(text: String) {
    #expect(throws: XMLError.self) { try parse(text) }
  }

  @Test func `depth and size are limited`() throws {
    let deep = String(repeating: "<a>", count: 64) + String(repeating: "</a>", count: 64)
    #expect(throws: Never.self) { try parse(deep) }
    let error = #expect(throws: XMLError.self) { try parse("<b>\(deep)</b>") }
    #expect(error?.reason.contains("64") == true)
    let many = "<r>" + String(repeating: "<a/>", count: 400_001) + "</r>"
    #expect(throws: XMLError.self) { try parse(many) }
  }

  @Test func `mutilated answers never crash the readers`() throws {
    let seeds = [
      "<R xmlns=\"x\"><A>1&amp;2</A><B><member>x</member><member/></B><![CDATA[y]]></R>",
      #"{"__type":"a#B","message":"m","Item":{"k":{"S":"v"},"n":{"N":"1e3"},"l":{"L":[]}}}"#,
      "[profile a]\nrole_arn = x\ns3 =\n  y = 1\n[services b]\nsns =\n  endpoint_url = http://x\n",
    ].map { Array($0.utf8) }
    var generator = SeededGenerator(seed: 11)
    let marks = Array("<>&;/![]=\"'{}:,\\ \n#-".utf8) + [0, 0xFF, 0xC3, 0xED]
    for _ in 0..<20_000 {
      var bytes = seeds[Int.random(in: 0..<seeds.count, using: &generator)]
      for _ in 0..<Int.random(in: 1...6, using: &generator) {
        guard !bytes.isEmpty else { break }
        let place = Int.random(in: 0..<bytes.count, using: &generator)
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: bytes.remove(at: place)
        case 1: bytes[place] = marks[Int.random(in: 0..<marks.count, using: &generator)]
        case 2: bytes.insert(marks[Int.random(in: 0..<marks.count, using: &generator)], at: place)
        default: bytes.removeSubrange(place...)
        }
      }
      let response = AWSResponse(status: 400, body: bytes)
      let body = ErrorBody(response)
      #expect((body.message?.utf8.count ?? 0) <= 4096)
      // Whatever it is, it is read or refused.
      _ = try? XMLReader.parse(bytes)
      if let json = try? JSON.parse(bytes) { _ = DynamoValue.item(json["Item"] ?? json) }
      var files = SharedFiles()
      files.add(SharedFileReader.sections(bytes), isCredentials: false)
      _ = AWSURL(String(decoding: bytes, as: UTF8.self))
    }
  }

  @Test func `values survive the way to the table and back`() throws {
    var generator = SeededGenerator(seed: 5)
    func value(_ depth: Int) -> DynamoValue {
      switch Int.random(in: 0..<(depth > 2 ? 7 : 9), using: &generator) {
      case 0: .string("é\u{1F600}\n\"")
      case 1: .number("12345678901234567890.5")
      case 2:
        .binary((0..<Int.random(in: 0..<9, using: &generator)).map { UInt8($0 * 31 & 255) })
      case 3: .bool(true)
      case 4: .null
      case 5: .stringSet(["a", "b"])
      case 6: .numberSet(["1", "2"])
      case 7: .list((0..<3).map { _ in value(depth + 1) })
      default: .map(["x": value(depth + 1), "y": value(depth + 1)])
      }
    }
    for _ in 0..<300 {
      let item: DynamoItem = ["k": value(0), "v": value(0)]
      let text = DynamoValue.json(item).bytes()
      #expect(DynamoValue.item(try JSON.parse(text)) == item)
    }
    #expect(DynamoValue.integer(-7).integer == -7)
    #expect(DynamoValue.number("1.5").integer == nil)
    #expect(DynamoValue.number("1.5").double == 1.5)
    #expect(DynamoValue(["B": "?"]) == .binary([]))
  }
}

@Suite struct `addresses and regions` {
  @Test(arguments: [
    "https://a.example.com/", "http://127.0.0.1:5000/x/y?a=1&b=%20", "http://[::1]:8080/",
    "http://[fd00:ec2::254]/latest/", "https://a_b-c.example/",
  ])
  func `an address is written as it was read`(text: String) {
    #expect(AWSURL(text)?.description == text)
  }

  @Test(arguments: [
    "", "a", "://x", "ftp://x/", "http://", "http://:80/", "http://a:0/", "http://a:99999/",
    "http://user@host/", "http://a b/", "http://a\r\nX: y/", "http://ü/", "http://a%00/",
    "http://::1/",
  ])
  func `what is no address is refused`(text: String) { #expect(AWSURL(text) == nil) }

  @Test func `parts of an address that go without saying are left out`() {
    #expect(AWSURL("HTTPS://Example.COM:443")?.description == "https://example.com/")
    #expect(AWSURL("http://x?a#b")?.query == "a")
  }

  private func url(
    _ environment: [String: String], _ call: (AWSClient) async throws -> Void
  ) async throws -> String? {
    let transport = ScriptedTransport([AWSResponse.text(400, "{}")])
    let client = AWSClient(
      AWSSettings(environment: environment), transport: transport,
      credentials: StaticCredentials(.example), clock: VirtualClock().clock)
    do { try await call(client) } catch {}
    return transport.requests.first?.url.description
  }

  @Test(arguments: [
    ("eu-west-1", "https://monitoring.eu-west-1.amazonaws.com/"),
    ("cn-north-1", "https://monitoring.cn-north-1.amazonaws.com.cn/"),
    ("us-gov-west-1", "https://monitoring.us-gov-west-1.amazonaws.com/"),
  ])
  func `a service is found by its region`(region: String, expected: String) async throws {
    let found = try await url(["AWS_REGION": region]) {
      _ = try await $0.cloudWatch.describeAlarms()
    }
    #expect(found == expected)
  }

  @Test func `endpoints of the environment and of the files are used in their order`() async throws
  {
    let folder = try TemporaryFolderWith(
      """
      [default]
      region = eu-west-3
      services = local
      endpoint_url = http://127.0.0.1:1
      [services local]
      sns =
        endpoint_url = http://127.0.0.1:2/base
      """)
    func sns(_ environment: [String: String]) async throws -> String? {
      let all = environment.merging(["AWS_CONFIG_FILE": folder.path]) { $1 }
      return try await url(all) { client in
        _ = try await client.sns.publish(SNSMessage(topic: "t", message: "m"))
      }
    }
    #expect(try await sns([:]) == "http://127.0.0.1:2/base/")
    #expect(try await sns(["AWS_ENDPOINT_URL": "http://127.0.0.1:3"]) == "http://127.0.0.1:3/")
    #expect(
      try await sns([
        "AWS_ENDPOINT_URL": "http://127.0.0.1:3", "AWS_ENDPOINT_URL_SNS": "http://127.0.0.1:4",
      ]) == "http://127.0.0.1:4/")
    #expect(
      try await sns(["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"])
        == "https://sns.eu-west-3.amazonaws.com/")
    let ssm = try await url(["AWS_CONFIG_FILE": folder.path]) {
      _ = try await $0.ssm.parameter("/p")
    }
    #expect(ssm == "http://127.0.0.1:1/")
  }

  @Test func `a topic is called in its own region`() async throws {
    let found = try await url(["AWS_REGION": "eu-west-1"]) { client in
      _ = try await client.sns.publish(
        SNSMessage(topic: "arn:aws:sns:ap-south-1:123456789012:t", message: "m"))
    }
    #expect(found == "https://sns.ap-south-1.amazonaws.com/")
  }

  @Test(arguments: [
    ["AWS_REGION": "eu-west-1.evil.com/"], ["AWS_REGION": "EU"], ["AWS_REGION": "-x"],
    ["AWS_EC2_METADATA_DISABLED": "true"],
    ["AWS_REGION": "eu-west-1", "AWS_ENDPOINT_URL": "localhost:4566"],
  ])
  func `a region or an endpoint that cannot be is an error`(
    environment: [String: String]
  ) async throws {
    let transport = ScriptedTransport([AWSResponse.text(200, "{}")])
    let client = AWSClient(
      AWSSettings(environment: environment), transport: transport,
      credentials: StaticCredentials(.example))
    let error = await #expect(throws: AWSError.self) { try await client.ssm.parameter("/p") }
    #expect(error?.kind == .configuration)
    #expect(error?.description.contains("AWS_") == true, "\(String(describing: error))")
    #expect(transport.requests.isEmpty)
  }

  @Test func `an instance's own region is the last resort`() async throws {
    let transport = ScriptedTransport { request, _ in
      AWSResponse.text(200, request.method == "PUT" ? "T" : "eu-central-1")
    }
    let client = AWSClient(AWSSettings(environment: [:]), transport: transport)
    #expect(try await client.region() == "eu-central-1")
    #expect(try await client.region() == "eu-central-1")
    #expect(transport.requests.count == 2)
  }

  @Test(arguments: [
    "arn:aws:sns:eu-west-1:123456789012:alerts", "arn:aws-cn:lambda:cn-north-1:1:function:f:1",
    "arn:aws:iam::123456789012:role/x",
  ])
  func `a resource's name is written as it was read`(text: String) {
    #expect(ARN(text)?.description == text)
    #expect(ARN(String(text.dropFirst())) == nil)
    #expect(ARN("arn:aws:sns") == nil)
  }
}
