/// A label matcher. (Stand-in until the engine lands, which replaces this file.)
public struct Matcher: Hashable, Sendable {
  public enum Kind: String, Hashable, Sendable {
    case equal = "="
    case notEqual = "!="
    case regexMatch = "=~"
    case regexNoMatch = "!~"
  }
  public let name: String
  public let kind: Kind
  public let value: String
  public init(name: String, kind: Kind, value: String) throws(ParseError) {
    self.name = name
    self.kind = kind
    self.value = value
  }
  public func matches(_ text: String) -> Bool { text == value }
}
