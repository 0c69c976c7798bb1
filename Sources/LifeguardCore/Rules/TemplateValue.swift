/// A value while a template is expanded.
indirect enum TemplateValue: Sendable {
  /// `nil`, and what a lookup found nothing for.
  case missing
  case string(String)
  case float(Double)
  case integer(Int64)
  case boolean(Bool)
  case time(Timestamp)
  case labels(Labels)
  case sample(TemplateSample)
  case samples([TemplateSample])
  /// What `args` returns.
  case arguments([TemplateValue])
  /// Dot at the top: `.Labels`, `.ExternalLabels`, `.ExternalURL`, `.Value`.
  case root

  /// A Go number: an integer, unless a point or an exponent makes it a float.
  init?(numeral text: String) {
    var body = Substring(text.filter { $0 != "_" })
    let isNegative = body.hasPrefix("-")
    if isNegative || body.hasPrefix("+") { body = body.dropFirst() }
    guard let first = body.utf8.first, first != UInt8(ascii: "+"), first != UInt8(ascii: "-")
    else { return nil }
    for (prefix, radix) in [("0x", 16), ("0X", 16), ("0b", 2), ("0B", 2), ("0o", 8), ("0O", 8)] {
      guard body.hasPrefix(prefix) else { continue }
      let digits = body.dropFirst(2)
      if let value = Int64(digits, radix: radix) {
        self = .integer(isNegative ? -value : value)
        return
      }
      guard radix == 16, let value = Double(body) else { return nil }
      self = .float(isNegative ? -value : value)
      return
    }
    if body.hasPrefix("0"), body.count > 1, let value = Int64(body, radix: 8) {
      self = .integer(isNegative ? -value : value)
    } else if let value = Int64((isNegative ? "-" : "") + body) {
      self = .integer(value)
    } else if body.utf8.contains(where: { ".eE".utf8.contains($0) }), let value = Double(body) {
      self = .float(isNegative ? -value : value)
    } else {
      return nil
    }
  }

  /// What `if` makes of it: false, 0, nil and whatever is empty count as false.
  var isTrue: Bool {
    switch self {
    case .missing: false
    case .string(let text): !text.isEmpty
    case .float(let value): value != 0
    case .integer(let value): value != 0
    case .boolean(let value): value
    case .time, .sample, .root: true
    case .labels(let labels): !labels.isEmpty
    case .samples(let samples): !samples.isEmpty
    case .arguments(let values): !values.isEmpty
    }
  }

  /// Go's name of the type, for messages and `%T`.
  var typeName: String {
    switch self {
    case .missing: "<nil>"
    case .string: "string"
    case .float: "float64"
    case .integer: "int"
    case .boolean: "bool"
    case .time: "*time.Time"
    case .labels: "map[string]string"
    case .sample: "*template.sample"
    case .samples: "template.queryResult"
    case .arguments: "map[string]interface {}"
    case .root: "template.AlertTemplateData"
    }
  }

  /// `%v`.
  var text: String {
    switch self {
    case .missing: "<nil>"
    case .string(let text): text
    case .float(let value): NumberText.general(value)
    case .integer(let value): "\(value)"
    case .boolean(let value): value ? "true" : "false"
    case .time(let time): UTCTime(time).goText
    case .labels(let labels):
      "map[" + labels.map { "\($0.name):\($0.value)" }.joined(separator: " ") + "]"
    case .sample(let sample):
      "{\(TemplateValue.labels(sample.labels).text) \(NumberText.general(sample.value))}"
    case .samples(let samples):
      "[" + samples.map { TemplateValue.sample($0).text }.joined(separator: " ") + "]"
    case .arguments(let values):
      "map["
        + values.enumerated().map { "arg\($0.offset):\($0.element.text)" }.joined(separator: " ")
        + "]"
    case .root: "{}"
    }
  }

  /// As an action prints it.
  var printed: String {
    if case .missing = self { return "<no value>" }
    return text
  }
}
