/// Parses the grammar of Go's `text/template` as far as it means something here.
///
/// Everything that Prometheus would refuse when it loads a rule file is refused: unknown functions
/// and variables, unclosed actions, misplaced `end`. Nesting is limited, so that no text can
/// exhaust the stack.
struct TemplateParser {
  /// Deepest nesting of blocks and parentheses together.
  static let depthMax = 64

  var scanner: TemplateScanner
  /// Names in scope, innermost last, with their `$`.
  var variables: [String]
  var blocks: [String: [TemplateNode]] = [:]
  var depth = 0
  var loops = 0

  init(_ text: String, variables: [String]) {
    scanner = TemplateScanner(text)
    self.variables =
      ["$", "$labels", "$externalLabels", "$externalURL", "$value"] + variables.map { "$" + $0 }
  }

  /// What ended a list of nodes.
  enum Terminator: Equatable {
    case endOfText
    case end
    case otherwise
  }

  mutating func parse() throws(TemplateError) -> [TemplateNode] {
    let (nodes, terminator, offset) = try list()
    switch terminator {
    case .endOfText: return nodes
    case .end: throw TemplateError(message: "unexpected {{end}}", offset: offset)
    case .otherwise: throw TemplateError(message: "unexpected {{else}}", offset: offset)
    }
  }

  /// Nodes up to the end of the text, or an `end` or `else` that is consumed up to its keyword.
  private mutating func list() throws(TemplateError) -> ([TemplateNode], Terminator, Int) {
    var nodes: [TemplateNode] = []
    while true {
      if let text = scanner.text(), !text.isEmpty { nodes.append(.text(text)) }
      switch try scanner.open() {
      case .endOfText: return (nodes, .endOfText, scanner.offset)
      case .comment: continue
      case .action: break
      }
      scanner.skipSpaces()
      let offset = scanner.offset
      switch scanner.keyword() {
      case "end":
        try scanner.close()
        return (nodes, .end, offset)
      case "else":
        return (nodes, .otherwise, offset)
      case "define":
        try define(offset)
      case let keyword:
        if let node = try statement(keyword, offset) { nodes.append(node) }
      }
    }
  }

  private mutating func statement(
    _ keyword: String?, _ offset: Int
  ) throws(TemplateError) -> TemplateNode? {
    switch keyword {
    case "if", "with", "range":
      return try control(keyword ?? "", offset)
    case "template":
      let name = try scanner.string()
      var argument: TemplatePipeline?
      if !scanner.isAtClose { argument = try pipeline(in: "template") }
      try scanner.close()
      return .call(name: name, argument: argument, offset: offset)
    case "block":
      let name = try scanner.string()
      let argument = try pipeline(in: "block")
      try scanner.close()
      try body(named: name, offset)
      return .call(name: name, argument: argument, offset: offset)
    case "break", "continue":
      guard loops > 0 else {
        throw TemplateError(message: "{{\(keyword ?? "")}} outside {{range}}", offset: offset)
      }
      try scanner.close()
      return keyword == "break" ? .leave : .next
    default:
      let value = try pipeline(in: "command", declares: true)
      try scanner.close()
      return .action(value)
    }
  }

  /// `if`, `with`, `range`, with `else if` and `else with` as nested ones.
  private mutating func control(
    _ keyword: String, _ offset: Int
  ) throws(TemplateError) -> TemplateNode {
    try enter(offset)
    defer { depth -= 1 }
    let scope = variables.count
    let condition = try pipeline(in: keyword, declares: true)
    try scanner.close()
    if keyword == "range" { loops += 1 }
    let (body, terminator, _) = try list()
    if keyword == "range" { loops -= 1 }
    var otherwise: [TemplateNode] = []
    switch terminator {
    case .endOfText: throw TemplateError(message: "unexpected EOF", offset: scanner.offset)
    case .end: break
    case .otherwise:
      let chained = scanner.keyword()
      if let chained, chained == keyword, keyword != "range" {
        otherwise = [try control(chained, scanner.offset)]
      } else if chained != nil {
        throw TemplateError(message: "unexpected word in {{else}}", offset: scanner.offset)
      } else {
        try scanner.close()
        otherwise = try remainder()
      }
    }
    variables.removeSubrange(scope...)
    switch keyword {
    case "if": return .conditional(condition, then: body, otherwise: otherwise)
    case "with": return .with(condition, body: body, otherwise: otherwise)
    default: return .range(condition, body: body, otherwise: otherwise)
    }
  }

  /// What follows `{{else}}`, up to its `{{end}}`.
  private mutating func remainder() throws(TemplateError) -> [TemplateNode] {
    let (nodes, terminator, offset) = try list()
    guard terminator == .end else {
      let message = terminator == .otherwise ? "expected end; found {{else}}" : "unexpected EOF"
      throw TemplateError(message: message, offset: offset)
    }
    return nodes
  }

  private mutating func define(_ offset: Int) throws(TemplateError) {
    guard depth == 0 else {
      throw TemplateError(message: "unexpected {{define}}", offset: offset)
    }
    let name = try scanner.string()
    try scanner.close()
    try body(named: name, offset)
  }

  /// The body of `define` and `block`: only `$` is in scope there.
  private mutating func body(named name: String, _ offset: Int) throws(TemplateError) {
    try enter(offset)
    defer { depth -= 1 }
    let outer = (variables, loops)
    variables = ["$"]
    loops = 0
    blocks[name] = try remainder()
    (variables, loops) = outer
  }

  private mutating func enter(_ offset: Int) throws(TemplateError) {
    depth += 1
    guard depth <= Self.depthMax else {
      throw TemplateError(
        message: "nested more than \(Self.depthMax) deep; simplify the template", offset: offset)
    }
  }
}

extension TemplateParser {
  mutating func pipeline(
    in context: String, declares: Bool = false
  ) throws(TemplateError) -> TemplatePipeline {
    scanner.skipSpaces()
    var result = TemplatePipeline(commands: [], offset: scanner.offset)
    if declares, let (names, assigns) = try scanner.declaration(pair: context == "range") {
      result.variables = names
      result.assigns = assigns
      if assigns {
        for name in names where !variables.contains(name) {
          throw TemplateError(message: "undefined variable \"\(name)\"", offset: result.offset)
        }
      }
    }
    repeat {
      let command = try self.command()
      guard !command.operands.isEmpty else {
        throw TemplateError(message: "missing value for \(context)", offset: scanner.offset)
      }
      if !result.commands.isEmpty, !command.operands[0].isExecutable {
        throw TemplateError(
          message: "non executable command in pipeline stage \(result.commands.count + 1)",
          offset: command.offset)
      }
      result.commands.append(command)
    } while scanner.take("|")
    // In scope only after its own pipeline, as in Go.
    if !result.assigns { variables += result.variables }
    return result
  }

  private mutating func command() throws(TemplateError) -> TemplateCommand {
    var operands: [TemplateOperand] = []
    while true {
      let spaced = scanner.skipSpaces()
      if scanner.isAtClose || scanner.isAt("|") || scanner.isAt(")") { break }
      guard operands.isEmpty || spaced || scanner.isAtEnd else {
        throw TemplateError(
          message: "unexpected \(scanner.shown) in operand", offset: scanner.offset)
      }
      operands.append(try operand())
    }
    return TemplateCommand(operands: operands)
  }

  private mutating func operand() throws(TemplateError) -> TemplateOperand {
    let offset = scanner.offset
    guard !scanner.isAtEnd else { throw TemplateError(message: "unclosed action", offset: offset) }
    if scanner.take("(") {
      try enter(offset)
      let inner = try pipeline(in: "parenthesized pipeline")
      depth -= 1
      guard scanner.take(")") else {
        throw TemplateError(message: "unclosed left paren", offset: offset)
      }
      return TemplateOperand(kind: .nested(inner, try scanner.fields()), offset: offset)
    }
    if scanner.isAt("$") {
      let name = scanner.variable()
      guard variables.contains(name) else {
        throw TemplateError(message: "undefined variable \"\(name)\"", offset: offset)
      }
      return TemplateOperand(kind: .variable(name, try scanner.fields()), offset: offset)
    }
    if let value = try scanner.literal() {
      return TemplateOperand(kind: .literal(value), offset: offset)
    }
    if scanner.isAt(".") {
      let fields = try scanner.fields()
      if fields.isEmpty {
        _ = scanner.take(".")
        return TemplateOperand(kind: .dot, offset: offset)
      }
      return TemplateOperand(kind: .fields(fields), offset: offset)
    }
    guard let word = scanner.word() else {
      throw TemplateError(message: "unexpected \(scanner.shown) in command", offset: offset)
    }
    switch word {
    case "true": return TemplateOperand(kind: .literal(.boolean(true)), offset: offset)
    case "false": return TemplateOperand(kind: .literal(.boolean(false)), offset: offset)
    case "nil": return TemplateOperand(kind: .null, offset: offset)
    default:
      guard TemplateFunction(rawValue: word) != nil else {
        throw TemplateError(message: "function \"\(word)\" not defined", offset: offset)
      }
      return TemplateOperand(kind: .function(word), offset: offset)
    }
  }
}

extension TemplateOperand {
  /// Whether it can take the value of the command before it.
  fileprivate var isExecutable: Bool {
    switch kind {
    case .literal, .null, .dot: false
    case .fields, .variable, .function, .nested: true
    }
  }
}
