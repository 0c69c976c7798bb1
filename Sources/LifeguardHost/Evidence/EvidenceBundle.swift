/// What was collected before an action, for the people who read the incident later (G22).
public struct EvidenceBundle: Hashable, Sendable {
  public struct Section: Hashable, Sendable {
    public var name: String
    public var text: String
    /// Why there is less than there could be: out of time, not allowed, cut.
    public var note: String?

    public init(name: String, text: String, note: String? = nil) {
      self.name = name
      self.text = text
      self.note = note
    }
  }

  public var sections: [Section]
  public var duration: Duration

  /// At most this many bytes of text in a bundle.
  public static let bytesMax = 1 << 20

  public init(sections: [Section], duration: Duration) {
    self.sections = sections
    self.duration = duration
  }

  public var byteCount: Int {
    sections.reduce(0) { $0 + $1.text.utf8.count + $1.name.utf8.count + ($1.note?.utf8.count ?? 0) }
  }

  public subscript(name: String) -> Section? { sections.first { $0.name == name } }
}
