/// What a `Monitor` must not forget: written before every action, read after every start.
public struct MonitorState: Sendable, Codable {
  /// The form of this value; a newer one is refused by an older agent.
  public static let version = 1

  public var version = MonitorState.version
  public var tracker = AlertTracker()
  /// Open ones, and the last closed ones, by identity.
  public var incidents: [Int: Incident] = [:]
  public var nextIncident = 1
  public var nextSilence = 1
  /// Grows with every attempt (G2).
  public var fence = 0
  public var budget = Budget()
  public var cooldown = Cooldown()
  /// By plan and target.
  public var breakers: [String: Breaker] = [:]
  /// Where a ladder stood, by plan, target and kind of trouble (G9).
  public var positions: [String: Position] = [:]
  /// The end of the last action by target (G1).
  public var lastActionEnd: [String: Moment] = [:]
  public var silences: [Silence] = []
  /// How much each receiver was sent, by name.
  public var throttles: [String: Throttle] = [:]
  public var freeze: Freeze?
  /// The state of before was lost then: nothing is done before an operator's `thaw`.
  public var lostAt: Moment?
  /// Every budget counts as spent then; a `thaw` does not bring back what nobody knows.
  public var budgetsLostAt: Moment?
  /// When the wall clock was last set back: samples of before look newer than they are.
  public var setBackAt: Moment?
  /// The last moment seen, to notice clock jumps and reboots.
  public var lastSeen: Moment?

  public struct Freeze: Hashable, Sendable, Codable {
    public var by: String
    public var reason: String
    public var since: Moment
  }

  public struct Position: Hashable, Sendable, Codable {
    public var rung: Int
    public var at: Moment
  }

  public init() {}

  /// Closed incidents that are kept for joining and for `lifeguard incidents`; the store has all.
  static let closedMax = 20

  public var openIncidents: [Incident] {
    incidents.values.filter(\.isOpen).sorted { $0.id < $1.id }
  }
}
