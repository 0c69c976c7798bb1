/// A parsed PromQL expression. (Stand-in until the engine lands, which replaces this file.)
public struct Query: Hashable, Sendable {
  public let text: String
  public init(parsing text: String) throws(ParseError) { self.text = text }
}
public struct ParseError: Error, Hashable, Sendable {
  public var message: String
  public var line: Int
  public var column: Int
}
