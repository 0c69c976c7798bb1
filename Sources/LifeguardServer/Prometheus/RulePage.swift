import LifeguardAgent

/// A page of `/api/v1/rules`: `group_limit` and `group_next_token`, in Prometheus' words
/// (`web/api/v1/api.go`, parseListRulesPaginationRequest).
struct RulePage {
  /// nil for all groups.
  private let limit: Int?
  /// The group that the page begins with; empty for the first page.
  private let first: String
  private var hasBegun: Bool
  /// The group that the next page begins with; nil on the last one.
  private(set) var next: String?

  init(_ call: PrometheusCall) throws(APIFailure) {
    let text = call.form.text("group_limit")
    first = call.form.text("group_next_token")
    hasBegun = first.isEmpty
    if text.isEmpty {
      guard first.isEmpty else {
        throw .invalid(
          "group_next_token",
          "group_limit needs to be present in order to paginate over the groups")
      }
      limit = nil
      return
    }
    guard let number = Int32(text) else {
      throw .invalid(
        "group_limit",
        "group_limit needs to be a valid number: cannot parse \(PrometheusCall.quoted(text))")
    }
    guard number > 0 else {
      throw .invalid("group_limit", "group_limit needs to be greater than 0")
    }
    limit = Int(number)
  }

  /// Whether the page has begun with this group or one before it.
  mutating func reaches(_ group: RuleGroupReport) -> Bool {
    if !hasBegun { hasBegun = Self.token(group) == first }
    return hasBegun
  }

  /// Whether the page takes another group; otherwise the next page begins with it.
  mutating func hasRoom(for group: RuleGroupReport, after count: Int) -> Bool {
    guard let limit, count == limit else { return true }
    next = Self.token(group)
    return false
  }

  /// - Throws: when there is no group of that token.
  func finish() throws(APIFailure) {
    guard hasBegun else {
      throw APIFailure(
        .badData,
        "invalid group_next_token \(PrometheusCall.quoted(first)). were rule groups changed?")
    }
  }

  private static func token(_ group: RuleGroupReport) -> String { "\(group.file);\(group.name)" }
}
