/// Why a template cannot be parsed or expanded.
public struct TemplateError: Error, Hashable, Sendable, CustomStringConvertible {
  public var message: String
  /// From the start of the text, from 0, in UTF-8 bytes.
  public var offset: Int

  public init(message: String, offset: Int) {
    self.message = message
    self.offset = offset
  }

  public var description: String { "\(message) (at byte \(offset))" }
}
