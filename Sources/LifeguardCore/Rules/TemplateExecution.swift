/// One expansion of a template: walks its nodes, keeps variables, and counts what it uses up.
struct TemplateExecution {
  /// Nodes and operands evaluated in one expansion; far above any real template.
  static let stepsMax = 100_000
  /// Bytes of one text, the result included; longer texts help nobody and could fill memory.
  static let bytesMax = 65_536
  /// Blocks, calls and parentheses within each other.
  static let depthMax = 100

  let context: TemplateContext
  private let blocks: [String: [TemplateNode]]
  private var variables: [(name: String, value: TemplateValue)]
  private var output = ""
  private var steps = 0
  private var depth = 0

  init(context: TemplateContext, blocks: [String: [TemplateNode]]) {
    self.context = context
    self.blocks = blocks
    variables = context.variables.map { ("$" + $0.key, .string($0.value)) }
    variables += [
      ("$", .root), ("$labels", .labels(context.labels)), ("$value", .float(context.value)),
      ("$externalLabels", .labels(context.externalLabels)),
      ("$externalURL", .string(context.externalURL)),
    ]
  }

  mutating func run(_ nodes: [TemplateNode]) throws(TemplateError) -> String {
    _ = try walk(nodes, dot: .root)
    return output
  }

  /// How a list of nodes ended.
  private enum Flow {
    case onward
    case leave
    case next
  }

  private mutating func walk(
    _ nodes: [TemplateNode], dot: TemplateValue
  ) throws(TemplateError) -> Flow {
    let scope = variables.count
    defer { leave(scope) }
    for node in nodes {
      let flow = try walk(node, dot: dot)
      if flow != .onward { return flow }
    }
    return .onward
  }

  private mutating func walk(
    _ node: TemplateNode, dot: TemplateValue
  ) throws(TemplateError) -> Flow {
    switch node {
    case .text(let text): try emit(text, at: 0)
    case .action(let pipeline):
      let value = try evaluate(pipeline, dot: dot)
      if pipeline.variables.isEmpty { try emit(value.printed, at: pipeline.offset) }
    case .conditional(let condition, let then, let otherwise):
      return try scoped(condition.offset) { (self) throws(TemplateError) in
        let holds = try self.evaluate(condition, dot: dot).isTrue
        return try self.walk(holds ? then : otherwise, dot: dot)
      }
    case .with(let subject, let body, let otherwise):
      return try scoped(subject.offset) { (self) throws(TemplateError) in
        let value = try self.evaluate(subject, dot: dot)
        return try self.walk(value.isTrue ? body : otherwise, dot: value.isTrue ? value : dot)
      }
    case .range(let subject, let body, let otherwise):
      return try scoped(subject.offset) { (self) throws(TemplateError) in
        try self.loop(subject, body, otherwise, dot: dot)
      }
    case .call(let name, let argument, let offset):
      try call(name, argument, offset, dot: dot)
    case .leave: return .leave
    case .next: return .next
    }
    return .onward
  }

  private mutating func call(
    _ name: String, _ argument: TemplatePipeline?, _ offset: Int, dot: TemplateValue
  ) throws(TemplateError) {
    guard let body = blocks[name] else {
      throw TemplateError(message: "template \"\(name)\" not defined", offset: offset)
    }
    var value = TemplateValue.missing
    if let argument { value = try evaluate(argument, dot: dot) }
    let outer = variables
    variables = [("$", value)]
    _ = try scoped(offset) { (self) throws(TemplateError) in try self.walk(body, dot: value) }
    variables = outer
  }

  private mutating func loop(
    _ subject: TemplatePipeline, _ body: [TemplateNode], _ otherwise: [TemplateNode],
    dot: TemplateValue
  ) throws(TemplateError) -> Flow {
    var declared = subject
    declared.variables = []
    let elements = try self.elements(
      of: try evaluate(declared, dot: dot), offset: subject.offset)
    if elements.isEmpty { return try walk(otherwise, dot: dot) }
    for (key, value) in elements {
      try count(subject.offset)
      let scope = variables.count
      let values = subject.variables.count == 2 ? [key, value] : [value]
      for (name, value) in zip(subject.variables, values) {
        set(name, to: value, assigns: subject.assigns)
      }
      let flow = try walk(body, dot: value)
      leave(scope)
      if flow == .leave { break }
    }
    return .onward
  }

  private func elements(
    of value: TemplateValue, offset: Int
  ) throws(TemplateError) -> [(TemplateValue, TemplateValue)] {
    switch value {
    case .missing: return []
    case .samples(let samples):
      return samples.enumerated().map { (.integer(Int64($0.offset)), .sample($0.element)) }
    case .labels(let labels):
      return labels.map { (.string($0.name), .string($0.value)) }
    case .arguments(let values):
      return values.enumerated().map { (.string("arg\($0.offset)"), $0.element) }
    case .integer(let count):
      guard count <= Self.stepsMax else {
        throw TemplateError(
          message: "range over \(count) is beyond \(Self.stepsMax)", offset: offset)
      }
      return (0..<max(count, 0)).map { (.integer($0), .integer($0)) }
    case .string, .float, .boolean, .time, .sample, .root:
      throw TemplateError(message: "range can't iterate over \(value.text)", offset: offset)
    }
  }

  private mutating func set(_ name: String, to value: TemplateValue, assigns: Bool) {
    if assigns, let index = variables.lastIndex(where: { $0.name == name }) {
      variables[index].value = value
    } else {
      variables.append((name, value))
    }
  }

  /// Variables declared inside end with it; the depth is counted.
  private mutating func scoped<Result>(
    _ offset: Int, _ body: (inout TemplateExecution) throws(TemplateError) -> Result
  ) throws(TemplateError) -> Result {
    depth += 1
    guard depth <= Self.depthMax else {
      throw TemplateError(message: "exceeded maximum template depth", offset: offset)
    }
    let scope = variables.count
    let result = try body(&self)
    leave(scope)
    depth -= 1
    return result
  }

  /// Ends the variables declared since; a failure inside a call may have left fewer.
  private mutating func leave(_ scope: Int) {
    variables.removeSubrange(min(scope, variables.count)...)
  }

  private mutating func count(_ offset: Int) throws(TemplateError) {
    steps += 1
    guard steps <= Self.stepsMax else {
      throw TemplateError(message: "more than \(Self.stepsMax) steps", offset: offset)
    }
  }

  private mutating func emit(_ text: String, at offset: Int) throws(TemplateError) {
    try count(offset)
    output += text
    guard output.utf8.count <= Self.bytesMax else {
      throw TemplateError(message: "result is longer than \(Self.bytesMax) bytes", offset: offset)
    }
  }
}

// MARK: values

extension TemplateExecution {
  private mutating func evaluate(
    _ pipeline: TemplatePipeline, dot: TemplateValue
  ) throws(TemplateError) -> TemplateValue {
    var value: TemplateValue?
    for command in pipeline.commands { value = try evaluate(command, last: value, dot: dot) }
    let result = value ?? .missing
    if let name = pipeline.variables.first { set(name, to: result, assigns: pipeline.assigns) }
    return result
  }

  /// - Parameter last: the value of the command before; becomes the last argument.
  private mutating func evaluate(
    _ command: TemplateCommand, last: TemplateValue?, dot: TemplateValue
  ) throws(TemplateError) -> TemplateValue {
    try count(command.offset)
    guard let head = command.operands.first else { return .missing }
    if case .null = head.kind {
      throw TemplateError(message: "nil is not a command", offset: head.offset)
    }
    let operands = Array(command.operands.dropFirst())
    if case .function(let name) = head.kind, let function = TemplateFunction(rawValue: name) {
      return try call(function, operands, last: last, dot: dot, at: command.offset)
    }
    if operands.isEmpty, last == nil { return try evaluate(head, dot: dot) }
    // Only a method takes arguments beside functions, and only times have methods.
    var arguments: [TemplateValue] = []
    for operand in operands { arguments.append(try evaluate(operand, dot: dot)) }
    if let last { arguments.append(last) }
    return try method(head, arguments, dot: dot)
  }

  private mutating func call(
    _ function: TemplateFunction, _ operands: [TemplateOperand], last: TemplateValue?,
    dot: TemplateValue, at offset: Int
  ) throws(TemplateError) -> TemplateValue {
    var arguments: [TemplateValue] = []
    for operand in operands {
      let value = try evaluate(operand, dot: dot)
      // `and` and `or` stop at the argument that decides.
      if function == .and, !value.isTrue { return value }
      if function == .or, value.isTrue { return value }
      arguments.append(value)
    }
    if let last { arguments.append(last) }
    let count = arguments.count
    guard function.arity.contains(count) else {
      throw TemplateError(
        message: "wrong number of args for \(function.rawValue): "
          + "want \(function.arityText) got \(count)", offset: offset)
    }
    let result: TemplateValue
    do throws(TemplateFunctionError) {
      result = try function.call(arguments, context)
    } catch {
      throw TemplateError(
        message: error.isInCall
          ? "error calling \(function.rawValue): \(error.message)"
          : error.message, offset: offset)
    }
    if case .string(let text) = result, text.utf8.count > Self.bytesMax {
      throw TemplateError(message: "text is longer than \(Self.bytesMax) bytes", offset: offset)
    }
    return result
  }

  private mutating func evaluate(
    _ operand: TemplateOperand, dot: TemplateValue
  ) throws(TemplateError) -> TemplateValue {
    try count(operand.offset)
    switch operand.kind {
    case .literal(let value): return value
    case .null: return .missing
    case .dot: return dot
    case .fields(let names): return try lookUp(names[...], in: dot, operand.offset)
    case .variable(let name, let names):
      guard let found = variables.last(where: { $0.name == name }) else {
        // Declared when parsed, but the context does not supply it.
        return .string("")
      }
      return try lookUp(names[...], in: found.value, operand.offset)
    case .function(let name):
      guard let function = TemplateFunction(rawValue: name) else { return .missing }
      return try call(function, [], last: nil, dot: dot, at: operand.offset)
    case .nested(let pipeline, let names):
      let value = try scoped(operand.offset) { (self) throws(TemplateError) in
        try self.evaluate(pipeline, dot: dot)
      }
      return try lookUp(names[...], in: value, operand.offset)
    }
  }

  private func lookUp(
    _ names: ArraySlice<String>, in value: TemplateValue, _ offset: Int
  ) throws(TemplateError) -> TemplateValue {
    var value = value
    for name in names {
      switch (value, name) {
      case (.root, "Labels"): value = .labels(context.labels)
      case (.root, "ExternalLabels"): value = .labels(context.externalLabels)
      case (.root, "ExternalURL"): value = .string(context.externalURL)
      case (.root, "Value"): value = .float(context.value)
      case (.sample(let sample), "Labels"): value = .labels(sample.labels)
      case (.sample(let sample), "Value"): value = .float(sample.value)
      // A label that is absent is empty (Prometheus expands with missingkey=zero).
      case (.labels(let labels), _): value = .string(labels[name] ?? "")
      case (.arguments(let values), _):
        value = TemplateFunction.argument(named: name, in: values)
      case (.time(let time), _): value = try field(name, of: time, [], offset)
      case (.missing, _):
        throw TemplateError(
          message: "nil data; no entry for key \"\(name)\"", offset: offset)
      case (.root, _), (.sample, _), (.samples, _), (.string, _), (.float, _), (.integer, _),
        (.boolean, _):
        throw TemplateError(
          message: "can't evaluate field \(name) in type \(value.typeName)", offset: offset)
      }
    }
    return value
  }

  private mutating func method(
    _ head: TemplateOperand, _ arguments: [TemplateValue], dot: TemplateValue
  ) throws(TemplateError) -> TemplateValue {
    var names: [String]
    var receiver = head
    switch head.kind {
    case .fields(let all):
      names = all
      receiver.kind = all.count > 1 ? .fields(Array(all.dropLast())) : .dot
    case .variable(let name, let all):
      names = all
      receiver.kind = .variable(name, Array(all.dropLast()))
    case .nested(let pipeline, let all):
      names = all
      receiver.kind = .nested(pipeline, Array(all.dropLast()))
    case .literal, .null, .dot, .function: names = []
    }
    guard let name = names.last,
      case .time(let time) = try evaluate(receiver, dot: dot)
    else {
      throw TemplateError(
        message: "can't give argument to non-function \(names.last ?? "operand")",
        offset: head.offset)
    }
    return try field(name, of: time, arguments, head.offset)
  }

  /// The methods of Go's `time.Time` that make sense in a message.
  private func field(
    _ name: String, of time: Timestamp, _ arguments: [TemplateValue], _ offset: Int
  ) throws(TemplateError) -> TemplateValue {
    let calendar = UTCTime(time)
    switch (name, arguments.first) {
    case ("Format", .string(let layout)?): return .string(calendar.formatted(layout: layout))
    case ("String", nil): return .string(calendar.goText)
    case ("Unix", nil): return .integer(Int64((time.seconds).rounded(.down)))
    case ("UnixMilli", nil): return .integer(time.milliseconds)
    case ("Year", nil): return .integer(calendar.year)
    case ("Day", nil): return .integer(Int64(calendar.day))
    case ("Hour", nil): return .integer(Int64(calendar.hour))
    case ("Minute", nil): return .integer(Int64(calendar.minute))
    case ("Second", nil): return .integer(Int64(calendar.second))
    case ("UTC", nil), ("Local", nil): return .time(time)
    default:
      throw TemplateError(
        message: "can't evaluate field \(name) in type *time.Time", offset: offset)
    }
  }
}
