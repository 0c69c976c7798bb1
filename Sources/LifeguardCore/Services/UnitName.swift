/// The name of one systemd unit, written in one way only (systemd.unit(5)).
///
/// systemctl completes `nginx` to `nginx.service`, and takes `*`, `?` and `[` for patterns that
/// stand for every unit that matches. So a name is completed before anything is counted, locked or
/// compared by it, and a pattern is no name (G14).
public enum UnitName {
  private static let kinds: Set<String> = [
    "service", "socket", "mount", "timer", "path", "scope", "slice", "target", "swap", "automount",
    "device",
  ]

  /// The whole name of the unit that `text` names; nil when it names none, or a pattern.
  public static func canonical(_ text: String) -> String? {
    let isPlain = text.allSatisfy {
      $0.isASCII && ($0.isLetter || $0.isNumber || ":-_.\\@".contains($0))
    }
    guard isPlain, !text.isEmpty, !text.hasPrefix("."), text.utf8.count <= 247 else { return nil }
    let suffix = text.lastIndex(of: ".").map { String(text[text.index(after: $0)...]) }
    if let suffix, kinds.contains(suffix) { return text }
    return text + ".service"
  }
}
