/// A value that must never be shown: it describes itself as `<secret>`.
public struct Secret: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible,
  CustomReflectable
{
  /// The value itself; for the one place that sends it.
  public let revealed: String

  public init(_ value: String) {
    self.revealed = value
  }

  public var description: String { "<secret>" }
  public var debugDescription: String { "<secret>" }
  public var customMirror: Mirror { Mirror(self, children: []) }
}
