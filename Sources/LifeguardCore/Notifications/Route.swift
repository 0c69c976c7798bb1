/// One entry of `notify.routes`: alerts that match every matcher go to these receivers.
///
/// The first route that matches decides; an entry without matchers matches everything.
public struct Route: Sendable {
  public var matchers: [Matcher]
  public var receivers: [String]
  /// Sends an open incident again after this long; nil takes the default of 4 h.
  public var repeatInterval: Duration?
  /// Whether later routes are looked at too.
  public var continues: Bool
  public var location: SourceLocation?

  public init(
    matchers: [Matcher], receivers: [String], repeatInterval: Duration? = nil,
    continues: Bool = false, location: SourceLocation? = nil
  ) {
    self.matchers = matchers
    self.receivers = receivers
    self.repeatInterval = repeatInterval
    self.continues = continues
    self.location = location
  }
}
