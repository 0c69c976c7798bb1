/// An HTTP/1.1 response as far as a probe looks at it (RFC 9112).
struct HTTPResponse: Hashable, Sendable {
  enum Progress: Hashable {
    case incomplete
    /// Status and headers are there, the body is not complete yet.
    case head(status: Int)
    case complete(HTTPResponse)
    case malformed(String)
  }

  var status: Int
  var body: [UInt8]

  /// Reads what has come so far; `isClosed` says that nothing more will.
  static func read(_ bytes: [UInt8], isClosed: Bool) -> Progress {
    var start = 0
    while true {
      guard let end = headerEnd(bytes, from: start) else {
        let looksRight = bytes.starts(with: Array("HTTP/1.".utf8).prefix(bytes.count))
        return isClosed || !looksRight
          ? .malformed("not an HTTP response: \(printable(bytes))") : .incomplete
      }
      let lines = String(decoding: bytes[start..<end], as: UTF8.self)
        .split(whereSeparator: \.isNewline)
      guard let first = lines.first, let status = statusCode(first) else {
        return .malformed("not an HTTP response: \(printable(bytes))")
      }
      // Interim responses come before the real one.
      if (100..<200).contains(status) && status != 101 {
        start = end
        continue
      }
      return body(bytes[end...], status: status, headers: lines.dropFirst(), isClosed: isClosed)
    }
  }

  private static func body(
    _ rest: ArraySlice<UInt8>, status: Int, headers: ArraySlice<Substring>, isClosed: Bool
  ) -> Progress {
    let done = { (body: [UInt8]) in Progress.complete(HTTPResponse(status: status, body: body)) }
    if status == 204 || status == 304 { return done([]) }
    if let encoding = value(of: "transfer-encoding", in: headers),
      encoding.lowercased().hasSuffix("chunked")
    {
      let (body, isComplete) = unchunked(rest)
      return isComplete || isClosed ? done(body) : .head(status: status)
    }
    if let length = value(of: "content-length", in: headers).flatMap({ Int($0) }), length >= 0 {
      if rest.count >= length || isClosed { return done(Array(rest.prefix(length))) }
      return .head(status: status)
    }
    return isClosed ? done(Array(rest)) : .head(status: status)
  }

  private static func headerEnd(_ bytes: [UInt8], from start: Int) -> Int? {
    var index = start
    while index < bytes.count {
      if bytes[index] == 10 {
        if index + 1 < bytes.count, bytes[index + 1] == 10 { return index + 2 }
        if index + 2 < bytes.count, bytes[index + 1] == 13, bytes[index + 2] == 10 {
          return index + 3
        }
      }
      index += 1
    }
    return nil
  }

  private static func statusCode(_ line: Substring) -> Int? {
    let words = line.split(separator: " ", maxSplits: 2)
    guard words.count >= 2, words[0].hasPrefix("HTTP/1."), words[1].utf8.count == 3 else {
      return nil
    }
    return Int(words[1]).flatMap { (100..<600).contains($0) ? $0 : nil }
  }

  private static func value(of name: String, in headers: ArraySlice<Substring>) -> String? {
    for header in headers {
      guard let colon = header.firstIndex(of: ":") else { continue }
      if header[..<colon].lowercased() == name {
        let value = header[header.index(after: colon)...]
        return String(value.drop { $0 == " " || $0 == "\t" }.prefix { $0 != " " && $0 != "\t" })
      }
    }
    return nil
  }

  private static func unchunked(_ bytes: ArraySlice<UInt8>) -> ([UInt8], isComplete: Bool) {
    var body: [UInt8] = []
    var rest = bytes
    while let newline = rest.firstIndex(of: 10) {
      let line = rest[..<newline].prefix { $0 != 13 && $0 != UInt8(ascii: ";") }
      guard let size = Int(String(decoding: line, as: UTF8.self), radix: 16), size >= 0 else {
        return (body, true)
      }
      if size == 0 { return (body, true) }
      rest = rest[(newline + 1)...]
      body += rest.prefix(size)
      guard rest.count >= size + 2 else { return (body, false) }
      rest = rest.dropFirst(size + 2)
    }
    return (body, false)
  }

  private static func printable(_ bytes: [UInt8]) -> String {
    String(decoding: bytes.prefix(40).map { (32..<127).contains($0) ? $0 : 46 }, as: UTF8.self)
  }
}
