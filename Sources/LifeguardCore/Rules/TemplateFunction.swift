/// A function of a template: Go's own and Prometheus' (`template/template.go`).
enum TemplateFunction: String, Sendable {
  case and, or, not, len, index, slice, print, printf, println, html, js, urlquery
  case eq, ne, lt, le, gt, ge
  case query, first, label, value, strvalue, args, reReplaceAll, safeHtml, match, title
  case toUpper, toLower, graphLink, tableLink, sortByLabel, stripPort, stripDomain
  case humanize, humanize1024, humanizeDuration, humanizePercentage, humanizeTimestamp
  case toTime, now, pathPrefix, externalURL, parseDuration

  /// How many arguments it takes.
  var arity: ClosedRange<Int> {
    switch self {
    case .now, .pathPrefix, .externalURL: 0...0
    case .args, .print, .println, .html, .js, .urlquery: 0...Int.max
    case .and, .or, .printf, .index: 1...Int.max
    case .eq: 2...Int.max
    case .slice: 1...4
    case .ne, .lt, .le, .gt, .ge, .label, .match, .sortByLabel: 2...2
    case .reReplaceAll: 3...3
    case .not, .len, .query, .first, .value, .strvalue, .safeHtml, .title, .toUpper, .toLower,
      .graphLink, .tableLink, .stripPort, .stripDomain, .humanize, .humanize1024,
      .humanizeDuration, .humanizePercentage, .humanizeTimestamp, .toTime, .parseDuration:
      1...1
    }
  }

  var arityText: String {
    arity.upperBound == Int.max ? "at least \(arity.lowerBound)" : "\(arity.lowerBound)"
  }

  /// - Parameter arguments: as many as `arity` says.
  func call(
    _ arguments: [TemplateValue], _ context: TemplateContext
  ) throws(TemplateFunctionError) -> TemplateValue {
    switch self {
    case .and, .or: return arguments[arguments.count - 1]
    case .not: return .boolean(!arguments[0].isTrue)
    case .len: return .integer(Int64(try length(arguments[0])))
    case .index: return try look(arguments)
    case .slice: return try cut(arguments)
    case .print: return .string(TemplateFormat.joined(arguments))
    case .println: return .string(arguments.map(\.text).joined(separator: " ") + "\n")
    case .printf:
      return .string(
        TemplateFormat.format(try string(arguments[0]), Array(arguments.dropFirst())))
    case .html: return .string(TextEscape.html(TemplateFormat.joined(arguments)))
    case .js: return .string(TextEscape.javaScript(TemplateFormat.joined(arguments)))
    case .urlquery: return .string(TextEscape.urlQuery(TemplateFormat.joined(arguments)))
    case .eq, .ne, .lt, .le, .gt, .ge: return .boolean(try compare(arguments))
    case .query, .first, .label, .value, .strvalue, .sortByLabel:
      return try sampled(arguments, context)
    case .args: return .arguments(arguments)
    case .match, .reReplaceAll: return try matched(arguments, context)
    case .safeHtml: return .string(try string(arguments[0]))
    case .title: return .string(TemplateText.title(try string(arguments[0])))
    case .toUpper: return .string(try string(arguments[0]).uppercased())
    case .toLower: return .string(try string(arguments[0]).lowercased())
    case .graphLink, .tableLink:
      let query = TextEscape.urlQuery(try string(arguments[0]))
      return .string("/graph?g0.expr=\(query)&g0.tab=\(self == .tableLink ? 1 : 0)")
    case .stripPort: return .string(TemplateText.withoutPort(try string(arguments[0])))
    case .stripDomain: return .string(TemplateText.withoutDomain(try string(arguments[0])))
    case .humanize: return .string(Humanized.decimal(try number(arguments[0])))
    case .humanize1024: return .string(Humanized.binary(try number(arguments[0])))
    case .humanizeDuration: return .string(Humanized.duration(try number(arguments[0])))
    case .humanizePercentage: return .string(Humanized.percentage(try number(arguments[0])))
    case .humanizeTimestamp:
      let value = try number(arguments[0])
      guard value.isFinite else { return .string(NumberText.general(value, precision: 4)) }
      return .string(UTCTime(try time(value)).goText)
    case .toTime: return .time(try time(try number(arguments[0])))
    case .now: return .float(context.time.seconds)
    case .pathPrefix: return .string(TemplateText.path(ofURL: context.externalURL))
    case .externalURL: return .string(context.externalURL)
    case .parseDuration: return .float(try TemplateText.seconds(try string(arguments[0])))
    }
  }

  static func argument(named name: String, in values: [TemplateValue]) -> TemplateValue {
    guard name.hasPrefix("arg"), let index = Int(name.dropFirst(3)), values.indices.contains(index)
    else { return .missing }
    return values[index]
  }
}

/// Why a function failed; the caller adds the place.
struct TemplateFunctionError: Error {
  var message: String
  /// Whether the function itself failed, rather than an argument not fitting it.
  var isInCall = true
}

// MARK: arguments

extension TemplateFunction {
  private func string(_ value: TemplateValue) throws(TemplateFunctionError) -> String {
    guard case .string(let text) = value else {
      throw TemplateFunctionError(
        message: "wrong type for value; expected string; got \(value.typeName)", isInCall: false)
    }
    return text
  }

  private func number(_ value: TemplateValue) throws(TemplateFunctionError) -> Double {
    switch value {
    case .float(let number): return number
    case .integer(let number): return Double(number)
    case .string(let text):
      guard !text.isEmpty, let number = Double(text) else {
        throw TemplateFunctionError(
          message: "strconv.ParseFloat: parsing \(TextEscape.quoted(text)): invalid syntax")
      }
      return number
    case .missing, .boolean, .time, .labels, .sample, .samples, .arguments, .root:
      throw TemplateFunctionError(message: "can't convert \(value.typeName) to float")
    }
  }

  private func sample(_ value: TemplateValue) throws(TemplateFunctionError) -> TemplateSample {
    guard case .sample(let sample) = value else {
      throw TemplateFunctionError(
        message: "wrong type for value; expected *template.sample; got \(value.typeName)",
        isInCall: false)
    }
    return sample
  }

  private func samples(_ value: TemplateValue) throws(TemplateFunctionError) -> [TemplateSample] {
    guard case .samples(let samples) = value else {
      throw TemplateFunctionError(
        message: "wrong type for value; expected template.queryResult; got \(value.typeName)",
        isInCall: false)
    }
    return samples
  }

  /// Seconds since the epoch, within what nanoseconds in 64 bits can hold.
  private func time(_ seconds: Double) throws(TemplateFunctionError) -> Timestamp {
    let nanoseconds = seconds * 1e9
    guard nanoseconds > -0x1p63, nanoseconds < 0x1p63 else {
      throw TemplateFunctionError(
        message: "\(NumberText.general(seconds)) cannot be represented as a nanoseconds "
          + "timestamp since it overflows int64")
    }
    let whole = Int64(nanoseconds)
    return Timestamp(milliseconds: whole / 1_000_000)
  }
}

// MARK: collections and comparison

extension TemplateFunction {
  private func length(_ value: TemplateValue) throws(TemplateFunctionError) -> Int {
    switch value {
    case .string(let text): return text.utf8.count
    case .labels(let labels): return labels.count
    case .samples(let samples): return samples.count
    case .arguments(let values): return values.count
    case .missing: throw TemplateFunctionError(message: "len of nil pointer")
    case .float, .integer, .boolean, .time, .sample, .root:
      throw TemplateFunctionError(message: "len of type \(value.typeName)")
    }
  }

  private func look(_ arguments: [TemplateValue]) throws(TemplateFunctionError) -> TemplateValue {
    var value = arguments[0]
    for key in arguments.dropFirst() {
      switch (value, key) {
      case (.labels(let labels), .string(let name)): value = .string(labels[name] ?? "")
      case (.arguments(let values), .string(let name)):
        value = Self.argument(named: name, in: values)
      case (.samples(let samples), .integer(let index)):
        value = .sample(samples[try position(index, samples.count)])
      case (.string(let text), .integer(let index)):
        let bytes = Array(text.utf8)
        value = .integer(Int64(bytes[try position(index, bytes.count)]))
      default:
        throw TemplateFunctionError(message: "can't index item of type \(value.typeName)")
      }
    }
    return value
  }

  private func position(
    _ index: Int64, _ count: Int
  ) throws(TemplateFunctionError) -> Int {
    guard index >= 0, index < count else {
      throw TemplateFunctionError(message: "index out of range: \(index)")
    }
    return Int(index)
  }

  private func cut(_ arguments: [TemplateValue]) throws(TemplateFunctionError) -> TemplateValue {
    var bounds: [Int] = []
    let count = try length(arguments[0])
    for argument in arguments.dropFirst() {
      guard case .integer(let index) = argument else {
        throw TemplateFunctionError(message: "cannot index slice with type \(argument.typeName)")
      }
      bounds.append(try position(index, count + 1))
    }
    let low = bounds.first ?? 0
    let high = bounds.count > 1 ? bounds[1] : count
    guard low <= high, bounds.count < 3 else {
      throw TemplateFunctionError(message: "invalid slice index: \(low) > \(high)")
    }
    switch arguments[0] {
    case .string(let text):
      return .string(String(decoding: Array(text.utf8)[low..<high], as: UTF8.self))
    case .samples(let samples): return .samples(Array(samples[low..<high]))
    default:
      throw TemplateFunctionError(message: "can't slice item of type \(arguments[0].typeName)")
    }
  }

  private func compare(_ arguments: [TemplateValue]) throws(TemplateFunctionError) -> Bool {
    switch self {
    case .ne: return !(try equal(arguments[0], arguments[1]))
    case .lt: return try less(arguments[0], arguments[1])
    case .gt: return try less(arguments[1], arguments[0])
    case .le:
      if try less(arguments[0], arguments[1]) { return true }
      return try equal(arguments[0], arguments[1])
    case .ge:
      if try less(arguments[1], arguments[0]) { return true }
      return try equal(arguments[0], arguments[1])
    default:
      for other in arguments.dropFirst() {
        if try equal(arguments[0], other) { return true }
      }
      return false
    }
  }

  private func equal(
    _ left: TemplateValue, _ right: TemplateValue
  ) throws(TemplateFunctionError) -> Bool {
    switch (left, right) {
    case (.string(let one), .string(let two)): return one == two
    case (.boolean(let one), .boolean(let two)): return one == two
    case (.integer(let one), .integer(let two)): return one == two
    case (.float(let one), .float(let two)): return one == two
    case (.integer(let one), .float(let two)): return Double(one) == two
    case (.float(let one), .integer(let two)): return one == Double(two)
    case (.time(let one), .time(let two)): return one == two
    case (.missing, .missing): return true
    case (.missing, _), (_, .missing): return false
    default: throw TemplateFunctionError(message: "incompatible types for comparison")
    }
  }

  private func less(
    _ left: TemplateValue, _ right: TemplateValue
  ) throws(TemplateFunctionError) -> Bool {
    switch (left, right) {
    case (.string(let one), .string(let two)):
      return one.utf8.lexicographicallyPrecedes(two.utf8)
    case (.integer(let one), .integer(let two)): return one < two
    case (.float(let one), .float(let two)): return one < two
    case (.integer(let one), .float(let two)): return Double(one) < two
    case (.float(let one), .integer(let two)): return one < Double(two)
    case (.boolean, .boolean), (.missing, _), (_, .missing), (.labels, _), (_, .labels):
      throw TemplateFunctionError(message: "invalid type for comparison")
    default: throw TemplateFunctionError(message: "incompatible types for comparison")
    }
  }
}

// MARK: queries and patterns

extension TemplateFunction {
  private func sampled(
    _ arguments: [TemplateValue], _ context: TemplateContext
  ) throws(TemplateFunctionError) -> TemplateValue {
    switch self {
    case .query:
      guard let run = context.query else {
        throw TemplateFunctionError(message: "queries are not available here")
      }
      let text = try string(arguments[0])
      do throws(TemplateError) { return .samples(try run(text)) } catch {
        throw TemplateFunctionError(message: error.message)
      }
    case .first:
      guard let first = try samples(arguments[0]).first else {
        throw TemplateFunctionError(message: "first() called on vector with no elements")
      }
      return .sample(first)
    case .label:
      return .string(try sample(arguments[1]).labels[try string(arguments[0])] ?? "")
    case .strvalue: return .string(try sample(arguments[0]).labels["__value__"] ?? "")
    case .value: return .float(try sample(arguments[0]).value)
    default:
      let name = try string(arguments[0])
      // Stable, as in Prometheus: elements that agree keep their order.
      let order = try samples(arguments[1]).enumerated().sorted { left, right in
        let (one, two) = (left.element.labels[name] ?? "", right.element.labels[name] ?? "")
        return one == two
          ? left.offset < right.offset : one.utf8.lexicographicallyPrecedes(two.utf8)
      }
      return .samples(order.map(\.element))
    }
  }

  private func matched(
    _ arguments: [TemplateValue], _ context: TemplateContext
  ) throws(TemplateFunctionError) -> TemplateValue {
    let written = try string(arguments[0])
    let texts = try arguments.dropFirst().map { (value) throws(TemplateFunctionError) in
      try string(value)
    }
    guard let compile = context.regularExpression else {
      throw TemplateFunctionError(message: "regular expressions are not available here")
    }
    let pattern: TemplatePattern
    do throws(TemplateError) { pattern = try compile(written) } catch {
      throw TemplateFunctionError(message: error.message)
    }
    if self == .match { return .boolean(pattern.firstMatch(Array(texts[0].utf8), 0) != nil) }
    return .string(try pattern.replaceAll(in: texts[1], with: texts[0]))
  }
}
