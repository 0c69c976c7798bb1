import LifeguardAWS
import LifeguardConfiguration
import LifeguardCore

/// What the function is told by its environment, read once at its start.
struct FunctionSettings: Sendable {
  /// Events older than this never cause an action.
  var ageMax: Duration = .seconds(300)
  /// The state table's name; nil works without memory and does nothing remote.
  var table: String?
  /// Names the fleet within the table.
  var fleet = "lifeguard"
  /// `LIFEGUARD_CONFIG`; nil takes what the variables of the zero-file use say.
  var source: Source?
  var ownLogGroup: String?
  /// Prefixes of the names of alarms, and ARNs that they act on, that the sweep looks at as well.
  var alarms: [String] = []
  var region = ""

  /// Where a configuration comes from.
  enum Source: Hashable, Sendable {
    /// YAML in the variable itself.
    case inline(String)
    /// A parameter of Systems Manager.
    case parameter(String)
    /// A file, as a layer brings it.
    case file(String)
  }

  /// What is wrong with the environment, one sentence a variable.
  struct Problems: Error, CustomStringConvertible {
    var list: [String]
    var description: String { list.joined(separator: "; ") }
  }

  init(_ environment: [String: String]) throws(Problems) {
    var problems: [String] = []
    func value(_ name: String) -> String? {
      guard let text = environment[name], !text.isEmpty else { return nil }
      return text
    }
    region = value("AWS_REGION") ?? value("AWS_DEFAULT_REGION") ?? ""
    ownLogGroup = value("AWS_LAMBDA_LOG_GROUP_NAME")
    table = value("LIFEGUARD_STATE_TABLE")
    fleet = value("LIFEGUARD_FLEET") ?? value("AWS_LAMBDA_FUNCTION_NAME") ?? fleet
    alarms = (value("LIFEGUARD_ALARMS") ?? "").split(separator: ",")
      .map { String($0.filter { !$0.isWhitespace }) }.filter { !$0.isEmpty }
    for name in alarms where name.hasPrefix("arn:") && ARN(name) == nil {
      problems.append(
        "LIFEGUARD_ALARMS: \"\(TextEscape.line(name))\" is not an ARN; write"
          + " arn:aws:sns:REGION:ACCOUNT:NAME, or the beginning of alarms' names")
    }
    if let text = value("LIFEGUARD_EVENT_AGE_MAX") {
      if let age = DurationText.parse(text), age >= .seconds(10), age <= .seconds(21_600) {
        ageMax = age
      } else {
        problems.append(
          "LIFEGUARD_EVENT_AGE_MAX: \"\(TextEscape.line(text))\" is not a duration from 10s to 6h;"
            + " write 5m")
      }
    }
    if let text = value("LIFEGUARD_CONFIG") {
      if text.hasPrefix("ssm:") {
        source = .parameter(String(text.dropFirst(4)))
      } else if text.hasPrefix("/"), !text.contains("\n") {
        source = .file(text)
      } else if text.contains(":") {
        source = .inline(text)
      } else {
        problems.append(
          "LIFEGUARD_CONFIG is neither YAML, nor ssm:/name, nor the absolute path of a file")
      }
    }
    guard problems.isEmpty else { throw Problems(list: problems) }
  }
}

/// Durations such as `90s`, `5m`, `1h30m`, and bare seconds.
enum DurationText {
  static func parse(_ text: String) -> Duration? {
    if let seconds = Int64(text), seconds >= 0 { return .seconds(seconds) }
    var total: Int64 = 0
    var digits = ""
    for character in text {
      if character.isASCII, character.isNumber {
        digits.append(character)
        continue
      }
      guard let number = Int64(digits), number < 1_000_000 else { return nil }
      switch character {
      case "s": total += number
      case "m": total += number * 60
      case "h": total += number * 3600
      default: return nil
      }
      digits = ""
    }
    return digits.isEmpty && total > 0 ? .seconds(total) : nil
  }
}
