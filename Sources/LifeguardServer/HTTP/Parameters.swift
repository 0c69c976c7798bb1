import LifeguardCore

/// What came with a request: members of a JSON object, or fields of a form.
struct Parameters: Sendable {
  private let members: JSON
  /// Whether a page's form sent it, which wants to see the page again.
  let isForm: Bool

  struct Problem: Error {
    var message: String
  }

  /// Query parameters of an address.
  init(query: String?) {
    members = .object(Parameters.fields(query ?? ""))
    isForm = false
  }

  /// - Throws: `Problem` when the bytes are not what the content type says.
  init(body: [UInt8], contentType: String?) throws(Problem) {
    let type = contentType?.split(separator: ";").first.map { $0.lowercased() }
    if type == "application/x-www-form-urlencoded" {
      members = .object(Parameters.fields(String(decoding: body, as: UTF8.self)))
      isForm = true
      return
    }
    isForm = false
    guard !body.isEmpty else {
      members = .object(JSONObject())
      return
    }
    do {
      members = try JSON.parse(body)
    } catch {
      throw Problem(message: "the body is not JSON: \(error)")
    }
    guard case .object = members else {
      throw Problem(message: "the body must be a JSON object such as {\"reason\": \"…\"}")
    }
  }

  /// A text, or a number as text.
  func text(_ name: String) -> String? {
    switch members[name] {
    case .string(let text): text
    case .some(let value): value.integer.map(String.init)
    case nil: nil
    }
  }

  func texts(_ name: String) -> [String] {
    switch members[name] {
    case .array(let values): values.compactMap(\.string)
    case .string(let text): [text]
    default: []
    }
  }

  private static func fields(_ text: String) -> JSONObject {
    var object = JSONObject()
    for pair in text.split(separator: "&").prefix(100) {
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      object[decoded(parts[0])] = .string(parts.count > 1 ? decoded(parts[1]) : "")
    }
    return object
  }

  /// `application/x-www-form-urlencoded` (URL standard, section 5.1).
  static func decoded(_ text: Substring) -> String {
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
      switch byte {
      case UInt8(ascii: "+"): bytes.append(0x20)
      case UInt8(ascii: "%"):
        let digits = rest.prefix(2)
        if digits.count == 2, let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
        {
          bytes.append(value)
          rest = rest.dropFirst(2)
        } else {
          bytes.append(byte)
        }
      default: bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
