extension Duration {
  /// As an operator writes it: `500ms`, `42s`, `2m30s`, `1h`; at most two units.
  public var text: String {
    let total = milliseconds
    if total < 0 { return "-" + (.zero - self).text }
    if total < 1000 { return "\(total)ms" }
    if total < 10_000, total % 1000 != 0 {
      let tenths = (total + 50) / 100
      return tenths % 10 == 0 ? "\(tenths / 10)s" : "\(tenths / 10).\(tenths % 10)s"
    }
    let seconds = total / 1000
    let units: [(Int64, String)] = [(86_400, "d"), (3600, "h"), (60, "m"), (1, "s")]
    guard let first = units.firstIndex(where: { seconds >= $0.0 }) else { return "0s" }
    let whole = "\(seconds / units[first].0)\(units[first].1)"
    let rest = seconds % units[first].0
    guard first + 1 < units.count else { return whole }
    let next = rest / units[first + 1].0
    return next == 0 ? whole : whole + "\(next)\(units[first + 1].1)"
  }
}
