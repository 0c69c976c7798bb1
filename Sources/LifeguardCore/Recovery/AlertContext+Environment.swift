extension AlertContext {
  /// What a recovery script is told, as environment variables; the same in every place where
  /// scripts run.
  ///
  /// - Parameters:
  ///   - rung: its index in the plan's ladder.
  public func environment(
    target: Target, plan: String, rung: Int, attempt: String
  ) -> [String: String] {
    var variables = [
      "LIFEGUARD_ALERT": name, "LIFEGUARD_VALUE": "\(value)",
      "LIFEGUARD_SINCE": "\(since.seconds)", "LIFEGUARD_INCIDENT": "\(incident)",
      "LIFEGUARD_TARGET": target.description, "LIFEGUARD_PLAN": plan,
      "LIFEGUARD_RUNG": "\(rung + 1)", "LIFEGUARD_ATTEMPT": attempt,
    ]
    for label in labels { variables["LIFEGUARD_LABEL_\(Self.variable(label.name))"] = label.value }
    for (key, value) in annotations {
      variables["LIFEGUARD_ANNOTATION_\(Self.variable(key))"] = value
    }
    if let service = labels["service"] { variables["LIFEGUARD_SERVICE"] = service }
    // A NUL would end the value early.
    return variables.mapValues { $0.utf8.contains(0) ? String($0.filter { $0 != "\0" }) : $0 }
  }

  private static func variable(_ text: String) -> String {
    String(text.uppercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
  }
}
