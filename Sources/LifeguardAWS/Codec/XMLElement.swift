/// An element of an answer in XML: its name, its text and the elements inside.
public struct XMLElement: Hashable, Sendable {
  /// Without a namespace prefix.
  public var name: String
  /// The text directly inside, entities resolved; white space at the ends is left out where the
  /// element has others inside.
  public var text: String
  public var children: [XMLElement]

  /// An element from its parts.
  public init(_ name: String, text: String = "", children: [XMLElement] = []) {
    self.name = name
    self.text = text
    self.children = children
  }

  /// The first element of a name directly inside.
  public subscript(name: String) -> XMLElement? { children.first { $0.name == name } }

  /// All elements of a name directly inside.
  public func children(named name: String) -> [XMLElement] {
    children.filter { $0.name == name }
  }

  /// The elements of a list: `<Instances><member>…` or, of EC2, `<instancesSet><item>…`.
  public func list(_ name: String) -> [XMLElement] {
    self[name]?.children.filter { $0.name == "member" || $0.name == "item" } ?? []
  }

  /// The text of an element inside; nil when it is missing or empty.
  func value(_ name: String) -> String? {
    guard let text = self[name]?.text, !text.isEmpty else { return nil }
    return text
  }
}
