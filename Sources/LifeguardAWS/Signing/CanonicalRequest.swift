/// A request in the one form that both ends hash (Signature Version 4, "Create a canonical
/// request").
struct CanonicalRequest {
  let text: String
  /// Lower-case names joined by `;`.
  let signedHeaders: String

  /// - Parameters:
  ///   - path: as it goes over the wire; every byte of it is encoded once more, so `%` is `%25`.
  ///   - query: as it goes over the wire.
  ///   - normalizes: whether `.`, `..` and empty segments are folded, as all services but S3 do.
  init(
    method: String, path: String, query: String, headers: [AWSHeader], bodyHash: String,
    normalizes: Bool = true
  ) {
    let fields = Self.fields(headers)
    signedHeaders = fields.map(\.name).joined(separator: ";")
    let folded = normalizes ? Self.fold(path) : path
    text = [
      method, PercentEncoding.encode(folded.isEmpty ? "/" : folded, keepsSlash: true),
      Self.sortedQuery(query), fields.map { "\($0.name):\($0.value)\n" }.joined(),
      signedHeaders, bodyHash,
    ].joined(separator: "\n")
  }

  /// Names in lower case and order, equal ones joined by commas in the order they stand.
  private static func fields(_ headers: [AWSHeader]) -> [AWSHeader] {
    var values: [String: [String]] = [:]
    for header in headers { values[header.name.lowercased(), default: []].append(header.value) }
    return values.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
      .map { AWSHeader($0.key, $0.value.map(trim).joined(separator: ",")) }
  }

  /// Without white space at the ends, and one space for each run of it inside.
  private static func trim(_ value: String) -> String {
    var result: [UInt8] = []
    for byte in value.utf8 {
      let isSpace = byte == 0x20 || (0x09...0x0D).contains(byte)
      if !isSpace {
        result.append(byte)
      } else if let last = result.last, last != 0x20 {
        result.append(0x20)
      }
    }
    if result.last == 0x20 { result.removeLast() }
    return String(decoding: result, as: UTF8.self)
  }

  /// RFC 3986, 5.2.4, and empty segments left out.
  private static func fold(_ path: String) -> String {
    let segments = path.split(separator: "/", omittingEmptySubsequences: false)
    var kept: [Substring] = []
    for segment in segments {
      switch segment {
      case "", ".": continue
      case "..": _ = kept.popLast()
      default: kept.append(segment)
      }
    }
    let isFolder = ["", ".", ".."].contains(segments.last ?? "")
    return "/" + kept.joined(separator: "/") + (isFolder && !kept.isEmpty ? "/" : "")
  }

  /// Each name and value decoded and encoded again, in the order of names, then values.
  private static func sortedQuery(_ query: String) -> String {
    query.split(separator: "&")
      .map { pair -> (String, String) in
        let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let value = parts.count > 1 ? parts[1] : ""
        return (
          PercentEncoding.encode(PercentEncoding.decode(parts[0])),
          PercentEncoding.encode(PercentEncoding.decode(value))
        )
      }
      .sorted { $0 < $1 }
      .map { "\($0.0)=\($0.1)" }
      .joined(separator: "&")
  }
}
