import HTTPTypes
import LifeguardAgent
import LifeguardConfiguration
import LifeguardCore
import NIOCore

/// One request to Prometheus' API, read so far that it can be answered.
struct PrometheusCall: Sendable {
  var form: Form
  /// When it came, on the agent's clock.
  var now: Timestamp
  var settings: HTTPQuerySettings
  /// Whether the client takes a compressed answer.
  var takesGzip: Bool
  var accept: String?
  var watch: DisconnectWatch?
  var timer: any EventLoop

  /// When its time is up: after the configured time, or the shorter one that the client names.
  func deadline() throws(APIFailure) -> ContinuousClock.Instant {
    let text = form.text("timeout")
    guard !text.isEmpty else { return .now + settings.timeout }
    guard let timeout = ParameterText.duration(text) else {
      throw .invalid("timeout", "cannot parse \(Self.quoted(text)) to a valid duration")
    }
    return .now + min(max(timeout, .zero), settings.timeout)
  }

  /// - Parameter missing: what an absent one stands for; nil for one that must be there.
  func time(_ name: String, missing: Timestamp?) throws(APIFailure) -> Timestamp {
    let text = form.text(name)
    if text.isEmpty, let missing { return missing }
    if let time = ParameterText.timestamp(text) { return time }
    let why = "cannot parse \(Self.quoted(text)) to a valid timestamp"
    // Prometheus names the parameter twice where it is optional.
    throw .invalid(name, missing == nil ? why : "invalid time value for '\(name)': \(why)")
  }

  /// `limit`, where 0 and absent are none.
  func limit() throws(APIFailure) -> Int {
    let text = form.text("limit")
    if text.isEmpty { return 0 }
    guard let limit = Int(text) else {
      throw .invalid("limit", "cannot parse \(Self.quoted(text)) to a valid limit")
    }
    guard limit >= 0 else { throw .invalid("limit", "limit must be non-negative") }
    return limit
  }

  /// The selectors of `match[]`, each with at least one matcher that the empty text does not match.
  func selectors() throws(APIFailure) -> [[Matcher]] {
    let texts = form.texts("match[]")
    guard texts.count <= PrometheusCall.selectorsMax else {
      throw .invalid("match[]", "more than \(PrometheusCall.selectorsMax) selectors")
    }
    var all: [[Matcher]] = []
    for text in texts { all.append(try PrometheusCall.selector(text)) }
    return all
  }

  /// Each costs a look at every series.
  private static let selectorsMax = 200

  private static func selector(_ text: String) throws(APIFailure) -> [Matcher] {
    let query: Query
    do throws(ParseError) {
      query = try Query(parsing: text)
    } catch {
      throw .invalid(
        "match[]",
        error.message.hasSuffix("must contain at least one non-empty matcher")
          ? "match[] must contain at least one non-empty matcher" : error.description)
    }
    guard case .vectorSelector(let selector) = query.expression, selector.offset == nil,
      selector.fixedTime == nil
    else {
      throw .invalid("match[]", "1:1: parse error: \(quoted(text)) is no selector of series")
    }
    return selector.matchers
  }

  /// A text from a client in an answer: as Go quotes it.
  static func quoted(_ text: String) -> String {
    "\"" + Printable.text(text, limit: 200).replacingQuotes + "\""
  }

  /// The options of an evaluation within the configured limits.
  func options(_ ticket: QueryTicket) throws(APIFailure) -> QueryOptions {
    QueryOptions(
      lookback: try lookback(), samplesMax: settings.samplesMax, pointsMax: settings.pointsMax,
      interruption: { ticket.interruption })
  }

  /// How old a sample may be that a selector still sees.
  func lookback() throws(APIFailure) -> Duration {
    let text = form.text("lookback_delta")
    guard !text.isEmpty else { return settings.lookback }
    guard let given = ParameterText.duration(text), given > .zero else {
      throw .invalid("lookback_delta", "cannot parse \(Self.quoted(text)) to a valid duration")
    }
    return given
  }
}

extension String {
  fileprivate var replacingQuotes: String {
    var result = ""
    for character in self {
      if character == "\"" || character == "\\" { result.append("\\") }
      result.append(character)
    }
    return result
  }
}
