/// A text with `{{ … }}` in the form of Prometheus' templates: the grammar of Go's `text/template`
/// with Prometheus' functions.
///
/// ```
/// text ──TemplateParser──▶ nodes ──TemplateExecution(context)──▶ text
/// ```
///
/// Parsing refuses what Prometheus refuses when it loads a rule file. Expanding is pure, and
/// bounded in steps, depth and output. It differs from Go in one place: `eq`, `lt` and the other
/// comparisons take an integer and a float together (`gt $value 80`), where Go gives an error.
public struct Template: Sendable {
  public let text: String
  private let nodes: [TemplateNode]
  private let blocks: [String: [TemplateNode]]

  /// - Parameter variables: names that may be used as `$name` beside `$labels`, `$value`,
  ///   `$externalLabels` and `$externalURL`; they are looked up in `TemplateContext.variables`.
  /// - Throws: `TemplateError` with the place of the first problem.
  public init(parsing text: String, variables: [String] = []) throws(TemplateError) {
    self.text = text
    var parser = TemplateParser(text, variables: variables)
    nodes = try parser.parse()
    blocks = parser.blocks
  }

  /// A text that is shown as it is.
  public init(verbatim text: String) {
    self.text = text
    nodes = [.text(text)]
    blocks = [:]
  }

  /// The expanded text; a failure is shown in it as Prometheus shows it,
  /// `<error expanding template: …>`, because a message with a flaw is better than none.
  public func render(_ context: TemplateContext) -> String {
    do throws(TemplateError) {
      return try expand(context)
    } catch {
      return "<error expanding template: error executing template: "
        + "\(position(of: error.offset)): \(error.message)>"
    }
  }

  /// The expanded text, for places where half a text would do harm, such as a target's name.
  public func expand(_ context: TemplateContext) throws(TemplateError) -> String {
    if case .text(let text)? = nodes.first, nodes.count == 1 { return text }
    var execution = TemplateExecution(context: context, blocks: blocks)
    return try execution.run(nodes)
  }

  /// `line:column` as Go counts them: lines from 1, bytes within a line from 0.
  private func position(of offset: Int) -> String {
    let before = text.utf8.prefix(offset)
    let line = before.reduce(1) { $1 == UInt8(ascii: "\n") ? $0 + 1 : $0 }
    let start = before.lastIndex(of: UInt8(ascii: "\n")).map { before.index(after: $0) }
    let column = before.distance(from: start ?? before.startIndex, to: before.endIndex)
    return "\(line):\(column)"
  }
}

extension Template: Hashable {
  public static func == (left: Template, right: Template) -> Bool { left.text == right.text }

  public func hash(into hasher: inout Hasher) { hasher.combine(text) }
}
