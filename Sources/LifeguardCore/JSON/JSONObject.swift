/// The members of a JSON object, in the order in which they were written.
///
/// Setting a name that is there replaces its value and keeps its place, so of duplicate names in
/// a text the last one counts. Names are compared byte by byte, as other JSON readers do, not by
/// Unicode equivalence. Equality ignores the order.
public struct JSONObject: Sendable {
  /// A name and its value.
  public typealias Member = (key: String, value: JSON)

  public private(set) var members: [Member] = []
  // Below `indexedCount` members a scan is faster than hashing, and most objects are small.
  private var index: [Key: Int] = [:]

  private static let indexedCount = 12

  public init() {}

  /// Of several members with one name, the last one counts.
  public init(_ members: some Sequence<(String, JSON)>) {
    for (key, value) in members { self[key] = value }
  }

  public var count: Int { members.count }
  public var isEmpty: Bool { members.isEmpty }
  public var keys: [String] { members.map(\.key) }

  /// The value of a member; setting nil removes it.
  public subscript(key: String) -> JSON? {
    get { position(of: key).map { members[$0].value } }
    set {
      switch (position(of: key), newValue) {
      case (let position?, let value?): members[position].value = value
      case (nil, let value?): append(key, value)
      case (let position?, nil):
        members.remove(at: position)
        rebuildIndex()
      case (nil, nil): break
      }
    }
  }

  mutating func reserveCapacity(_ count: Int) { members.reserveCapacity(count) }

  private mutating func append(_ key: String, _ value: JSON) {
    members.append((key, value))
    if members.count == JSONObject.indexedCount {
      rebuildIndex()
    } else if members.count > JSONObject.indexedCount {
      index[Key(text: key)] = members.count - 1
    }
  }

  private mutating func rebuildIndex() {
    index = [:]
    guard members.count >= JSONObject.indexedCount else { return }
    for (position, member) in members.enumerated() { index[Key(text: member.key)] = position }
  }

  private func position(of key: String) -> Int? {
    if members.count >= JSONObject.indexedCount { return index[Key(text: key)] }
    for position in members.indices where sameBytes(members[position].key, key) {
      return position
    }
    return nil
  }

  private struct Key: Hashable {
    let text: String

    static func == (left: Key, right: Key) -> Bool { sameBytes(left.text, right.text) }

    func hash(into hasher: inout Hasher) {
      var text = text
      text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
  }
}

/// Whether two texts are the same UTF-8; Swift's own `==` also equates composed characters.
private func sameBytes(_ left: String, _ right: String) -> Bool {
  left.utf8.count == right.utf8.count && left.utf8.elementsEqual(right.utf8)
}

extension JSONObject: Hashable {
  public static func == (left: JSONObject, right: JSONObject) -> Bool {
    left.count == right.count && left.members.allSatisfy { right[$0.key] == $0.value }
  }

  public func hash(into hasher: inout Hasher) {
    // Equality ignores the order, so the hash may depend only on what does not have one.
    hasher.combine(count)
  }
}
