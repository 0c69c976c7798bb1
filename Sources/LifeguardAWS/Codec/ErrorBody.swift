import LifeguardCore

/// What an answer that is not a success says about itself, whatever form it has.
///
/// Services answer in JSON (`__type`, `message`), in XML of two shapes, and, when something in
/// front of them fails, in HTML or not at all.
struct ErrorBody {
  var code: String?
  var message: String?
  var requestID: String?
  var json: JSON?

  init(_ response: AWSResponse) {
    requestID =
      response.header("x-amzn-requestid") ?? response.header("x-amz-request-id")
      ?? response.header("x-amzn-request-id")
    // awsQueryCompatible: the code that the query protocol had, `Code;Sender`.
    let queryCode = response.header("x-amzn-query-error")?.split(separator: ";").first
    code = queryCode.map(String.init) ?? response.header("x-amzn-errortype").map(Self.shortName)
    switch response.body.first(where: { $0 > 0x20 }) {
    case UInt8(ascii: "{"): readJSON(response.body)
    case UInt8(ascii: "<"): readXML(response.body)
    default: break
    }
    if message == nil { message = Self.plain(response.body) }
  }

  private mutating func readJSON(_ body: [UInt8]) {
    // A body that is no JSON after all is shown as text.
    guard let json = try? JSON.parse(body) else { return }
    self.json = json
    let named = json["__type"]?.string ?? json["code"]?.string ?? json["Code"]?.string
    code = code ?? named.map(Self.shortName)
    message = json["message"]?.string ?? json["Message"]?.string ?? json["errorMessage"]?.string
  }

  private mutating func readXML(_ body: [UInt8]) {
    // HTML is shown as text.
    guard let root = try? XMLReader.parse(body) else { return }
    // `<ErrorResponse><Error>`, EC2's `<Response><Errors><Error>`, and `<Error>` alone.
    let error = root["Error"] ?? root["Errors"]?["Error"] ?? (root.name == "Error" ? root : nil)
    guard let error else { return }
    code = code ?? error.value("Code")
    message = error.value("Message") ?? error.value("message")
    requestID =
      requestID ?? root.value("RequestId") ?? root.value("RequestID")
      ?? error.value("RequestId")
  }

  /// `com.amazonaws.sns#NotFound` and `NotFound:http://…` are `NotFound`.
  private static func shortName(_ text: String) -> String {
    let name = text.split(separator: "#").last ?? ""
    return String(name.prefix { $0 != ":" })
  }

  /// The first words of a page, without its tags.
  private static func plain(_ body: [UInt8]) -> String? {
    var isTag = false
    var text: [UInt8] = []
    for byte in body.prefix(4096) {
      switch byte {
      case UInt8(ascii: "<"): isTag = true
      case UInt8(ascii: ">"):
        isTag = false
        text.append(0x20)
      default: if !isTag { text.append(byte < 0x20 ? 0x20 : byte) }
      }
    }
    let words = String(decoding: text, as: UTF8.self).split(separator: " ")
    let line = String(words.joined(separator: " ").prefix(200))
    return line.isEmpty ? nil : line
  }
}
