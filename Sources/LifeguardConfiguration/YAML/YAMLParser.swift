import CYAML
import LifeguardCore

/// Reads YAML 1.1 with libyaml into a tree of nodes with positions.
///
/// Everything has a limit, so that no file can make it use much time or memory: size, depth, and
/// the number of nodes after aliases are expanded.
struct YAMLParser {
  /// 4 MiB: hundreds of times what a large set of rules needs.
  static let bytesMax = 4 << 20
  static let depthMax = 64
  /// Each alias counts as many nodes as it stands for.
  static let nodesMax = 200_000

  private let file: String
  private let source: SourceText
  private let log: ProblemLog
  private var frames: [Frame] = []
  private var anchors: [String: (node: Node, size: Int)] = [:]
  private var nodeCount = 0
  private var documents: [Node] = []

  /// A list or a mapping that is not yet complete.
  private struct Frame {
    var location: SourceLocation
    var anchor: String?
    var firstNode: Int
    var isMapping: Bool
    var items: [Node] = []
    var entries: [Node.Entry] = []
    var merged: [Node.Entry] = []
    var positions: [String: Int] = [:]
    var key: (text: String, isPlain: Bool, location: SourceLocation)?
  }

  private enum Step {
    case more
    case end
    case failed
  }

  private init(file: String, source: [UInt8], log: ProblemLog) {
    self.file = file
    self.source = SourceText(source)
    self.log = log
  }

  /// The file's first document; nil when it is empty or cannot be read, which is then reported.
  static func parse(_ source: [UInt8], file: String, log: ProblemLog) -> Node? {
    guard source.count <= bytesMax else {
      log.error(
        SourceLocation(file: file, line: 1, column: 1),
        "the file has \(source.count) bytes; at most \(bytesMax) are read, split it")
      return nil
    }
    var parser = YAMLParser(file: file, source: source, log: log)
    return parser.run()
  }

  private mutating func run() -> Node? {
    let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
    defer { parser.deallocate() }
    guard yaml_parser_initialize(parser) == 1 else {
      log.error(SourceLocation(file: file, line: 1, column: 1), "not enough memory to read it")
      return nil
    }
    defer { yaml_parser_delete(parser) }
    yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
    var finished = false
    // libyaml reads from this buffer until it is deleted.
    source.bytes.withUnsafeBufferPointer { bytes in
      yaml_parser_set_input_string(parser, bytes.baseAddress, bytes.count)
      var step = Step.more
      while step == .more { step = next(parser) }
      finished = step == .end
    }
    guard finished else { return nil }
    if documents.count > 1 {
      log.warning(
        documents[1].location,
        "a second document is not read; remove it, or write it to a file of its own")
    }
    return documents.first
  }

  private mutating func next(_ parser: UnsafeMutablePointer<yaml_parser_t>) -> Step {
    var event = yaml_event_t()
    guard yaml_parser_parse(parser, &event) == 1 else {
      reportSyntax(parser.pointee)
      return .failed
    }
    defer { yaml_event_delete(&event) }
    let location = location(event.start_mark)
    switch event.type {
    case YAML_STREAM_END_EVENT:
      return .end
    case YAML_SCALAR_EVENT:
      return append(scalar: event, at: location)
    case YAML_SEQUENCE_START_EVENT:
      return begin(anchor: text(event.data.sequence_start.anchor), isMapping: false, at: location)
    case YAML_MAPPING_START_EVENT:
      return begin(anchor: text(event.data.mapping_start.anchor), isMapping: true, at: location)
    case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT:
      return complete()
    case YAML_ALIAS_EVENT:
      return append(alias: text(event.data.alias.anchor) ?? "", at: location)
    default:
      return .more
    }
  }

  private mutating func append(scalar event: yaml_event_t, at location: SourceLocation) -> Step {
    let data = event.data.scalar
    let text = String(
      decoding: UnsafeBufferPointer(start: data.value, count: data.length), as: UTF8.self)
    let style: Scalar.Style =
      switch data.style {
      case YAML_SINGLE_QUOTED_SCALAR_STYLE: .singleQuoted
      case YAML_DOUBLE_QUOTED_SCALAR_STYLE: .doubleQuoted
      case YAML_LITERAL_SCALAR_STYLE: .literal
      case YAML_FOLDED_SCALAR_STYLE: .folded
      default: .plain
      }
    let scalar = Scalar(
      text: text, style: style, start: mark(event.start_mark), end: mark(event.end_mark),
      file: file, source: source)
    let node = Node(value: .scalar(scalar), location: location)
    nodeCount += 1
    if let anchor = self.text(data.anchor) { anchors[anchor] = (node, 1) }
    return append(node)
  }

  private mutating func append(alias name: String, at location: SourceLocation) -> Step {
    guard let (node, size) = anchors[name] else {
      log.error(location, "no anchor &\(printable(name)) before the alias *\(printable(name))")
      return .failed
    }
    nodeCount += size
    return append(node)
  }

  private mutating func begin(
    anchor: String?, isMapping: Bool, at location: SourceLocation
  ) -> Step {
    guard frames.count < YAMLParser.depthMax else {
      log.error(location, "nested deeper than \(YAMLParser.depthMax) levels")
      return .failed
    }
    if let frame = frames.last, frame.isMapping, frame.key == nil {
      log.error(location, "a key must be a text, not a \(isMapping ? "mapping" : "list")")
      return .failed
    }
    frames.append(
      Frame(location: location, anchor: anchor, firstNode: nodeCount, isMapping: isMapping))
    nodeCount += 1
    return .more
  }

  private mutating func complete() -> Step {
    guard var frame = frames.popLast() else { return .failed }
    for entry in frame.merged where frame.positions[entry.key] == nil {
      frame.positions[entry.key] = frame.entries.count
      frame.entries.append(entry)
    }
    let node = Node(
      value: frame.isMapping ? .mapping(frame.entries) : .sequence(frame.items),
      location: frame.location)
    if let anchor = frame.anchor { anchors[anchor] = (node, nodeCount - frame.firstNode) }
    return append(node)
  }

  /// Adds a complete node to the list or mapping it stands in.
  private mutating func append(_ node: Node) -> Step {
    guard nodeCount <= YAMLParser.nodesMax else {
      log.error(node.location, "more than \(YAMLParser.nodesMax) values, aliases expanded")
      return .failed
    }
    guard !frames.isEmpty else {
      documents.append(node)
      return .more
    }
    let last = frames.count - 1
    guard frames[last].isMapping else {
      frames[last].items.append(node)
      return .more
    }
    guard let key = frames[last].key else {
      guard let scalar = node.scalar else {
        log.error(node.location, "a key must be a text")
        return .failed
      }
      frames[last].key = (scalar.text, scalar.style == .plain, node.location)
      return .more
    }
    frames[last].key = nil
    if key.text == "<<", key.isPlain { return merge(node, into: last) }
    if let first = frames[last].positions[key.text] {
      let line = frames[last].entries[first].keyLocation.line
      log.error(
        key.location, "key \(quoted(key.text)) is written twice; the first is on line \(line)")
      return .more
    }
    frames[last].positions[key.text] = frames[last].entries.count
    frames[last].entries.append(
      Node.Entry(key: key.text, keyLocation: key.location, value: node))
    return .more
  }

  /// `<<: *anchor`: keys that the mapping does not write itself (yaml.org/type/merge.html).
  private mutating func merge(_ node: Node, into index: Int) -> Step {
    for source in node.items ?? [node] {
      guard let entries = source.entries else {
        log.error(node.location, "\"<<\" merges a mapping or a list of mappings, not a text")
        return .more
      }
      frames[index].merged += entries
    }
    return .more
  }

  private func reportSyntax(_ parser: yaml_parser_t) {
    let problem = parser.problem.map { String(cString: $0) } ?? "cannot be read"
    if parser.error == YAML_READER_ERROR {
      let before = source.bytes.prefix(Int(clamping: parser.problem_offset))
      let line = before.reduce(1) { $0 + ($1 == 0x0A ? 1 : 0) }
      let column = before.count - (before.lastIndex(of: 0x0A) ?? -1)
      log.error(
        SourceLocation(file: file, line: line, column: column),
        "not UTF-8 text (\(problem)); save the file as UTF-8")
      return
    }
    var message = "not valid YAML: \(problem)"
    if let context = parser.context {
      message += " \(String(cString: context))"
      if parser.context_mark.line != parser.problem_mark.line {
        message += " that began on line \(parser.context_mark.line + 1)"
      }
    }
    if problem.contains("tab character") {
      message += "; indent with spaces"
    } else if problem.contains("block") || problem.contains("expected '-'")
      || problem.contains("mapping values")
    {
      message += "; check the indentation"
    } else if problem.contains("cannot start any token") {
      message += "; indent with spaces and quote texts that begin with a special character"
    }
    log.error(location(parser.problem_mark), message)
  }

  private func location(_ mark: yaml_mark_t) -> SourceLocation {
    SourceLocation(file: file, line: Int(mark.line) + 1, column: Int(mark.column) + 1)
  }

  private func mark(_ mark: yaml_mark_t) -> Scalar.Mark {
    Scalar.Mark(line: Int(mark.line), column: Int(mark.column))
  }

  private func text(_ pointer: UnsafeMutablePointer<yaml_char_t>?) -> String? {
    pointer.map { String(cString: $0) }
  }
}
