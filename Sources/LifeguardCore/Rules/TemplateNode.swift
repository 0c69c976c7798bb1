/// One piece of a parsed template.
indirect enum TemplateNode: Sendable {
  case text(String)
  /// Prints its value, unless it declares or assigns a variable.
  case action(TemplatePipeline)
  case conditional(TemplatePipeline, then: [TemplateNode], otherwise: [TemplateNode])
  case range(TemplatePipeline, body: [TemplateNode], otherwise: [TemplateNode])
  case with(TemplatePipeline, body: [TemplateNode], otherwise: [TemplateNode])
  /// `{{template "name" pipeline}}`.
  case call(name: String, argument: TemplatePipeline?, offset: Int)
  case leave
  case next
}

/// `$a, $b := command | command`.
struct TemplatePipeline: Sendable {
  /// With their `$`; the first takes the value, or of two the index.
  var variables: [String] = []
  /// `=` in place of `:=`.
  var assigns = false
  var commands: [TemplateCommand]
  var offset: Int
}

/// A function or an operand, and its arguments.
struct TemplateCommand: Sendable {
  var operands: [TemplateOperand]
  var offset: Int { operands.first?.offset ?? 0 }
}

/// One term of a command.
struct TemplateOperand: Sendable {
  indirect enum Kind: Sendable {
    case literal(TemplateValue)
    case null
    case dot
    /// `.a.b`, looked up from dot.
    case fields([String])
    /// `$x.a.b`, with its `$`.
    case variable(String, [String])
    case function(String)
    /// `(pipeline).a.b`.
    case nested(TemplatePipeline, [String])
  }

  var kind: Kind
  var offset: Int
}
