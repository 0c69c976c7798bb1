/// How names are written that have more than letters, digits and underscores: Prometheus takes any
/// UTF-8 since its version 3, and readers from before it would refuse the whole text.
///
/// Source: Prometheus, "UTF-8 in Prometheus"; client_golang (`expfmt`, content negotiation).
public enum NameEscaping: Hashable, Sendable {
  /// As they are, in quotes; a metric's name stands in the braces then.
  case allowUTF8
  /// With `_` for everything else.
  case underscores

  /// What a scraper's `Accept` header asks for with `escaping=`; underscores where it does not.
  public init(accept: String?) {
    let fields = (accept ?? "").split { $0 == "," || $0 == ";" }
    let allows = fields.contains { field in
      field.filter { $0 != " " && $0 != "\t" }.lowercased() == "escaping=allow-utf-8"
    }
    self = allows ? .allowUTF8 : .underscores
  }

  /// A text in double quotes, as names and values of labels are written in Prometheus' formats.
  public static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }

  /// Whether a name needs neither quotes nor escapes.
  ///
  /// - Parameter allowsColon: for names of metrics.
  public static func isPlain(_ name: String, allowsColon: Bool) -> Bool {
    guard let first = name.utf8.first, !(0x30...0x39).contains(first) else { return false }
    return name.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
        true
      case UInt8(ascii: ":"): allowsColon
      default: false
      }
    }
  }

  /// A name with `_` for every character that a plain one may not have.
  static func underscored(_ name: String, allowsColon: Bool) -> String {
    var result = ""
    for scalar in name.unicodeScalars {
      let text = String(Character(scalar))
      // A digit may stand anywhere but at the beginning.
      let isAllowed = isPlain(result.isEmpty ? text : "_" + text, allowsColon: allowsColon)
      result += isAllowed ? text : "_"
    }
    return result
  }
}
