/// A place in the tree that an encoder fills; a class, because `Codable` lets several containers
/// be open at once.
final class JSONNode {
  private enum Content {
    case empty
    case value(JSON)
    case array([JSONNode])
    case object([(key: String, node: JSONNode)])
  }

  private var content: Content

  init() { content = .empty }
  init(_ value: JSON) { content = .value(value) }

  var json: JSON {
    switch content {
    // A type that encodes nothing at all still is something: an empty object.
    case .empty: return .object(JSONObject())
    case .value(let value): return value
    case .array(let nodes): return .array(nodes.map(\.json))
    case .object(let members):
      var object = JSONObject()
      object.reserveCapacity(members.count)
      for member in members { object[member.key] = member.node.json }
      return .object(object)
    }
  }

  func set(_ value: JSON) { content = .value(value) }

  func becomeObject() {
    if case .object = content { return }
    content = .object([])
  }

  func becomeArray() {
    if case .array = content { return }
    content = .array([])
  }

  var count: Int {
    if case .array(let nodes) = content { nodes.count } else { 0 }
  }

  func append(_ node: JSONNode) {
    guard case .array(var nodes) = content else { return }
    // Emptied first, so that appending does not copy the array.
    content = .empty
    nodes.append(node)
    content = .array(nodes)
  }

  func set(_ node: JSONNode, for key: String) {
    guard case .object(var members) = content else { return }
    content = .empty
    members.append((key, node))
    content = .object(members)
  }

  /// The node of a member that is there already, for types that open one container twice.
  func member(_ key: String) -> JSONNode? {
    guard case .object(let members) = content else { return nil }
    return members.last { $0.key == key }?.node
  }
}

/// Fills one node.
struct JSONValueEncoder: Encoder {
  let node: JSONNode
  let codingPath: [any CodingKey]
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  init(node: JSONNode = JSONNode(), codingPath: [any CodingKey]) {
    self.node = node
    self.codingPath = codingPath
  }

  func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
    node.becomeObject()
    return KeyedEncodingContainer(JSONKeyedEncoding<Key>(node: node, codingPath: codingPath))
  }

  func unkeyedContainer() -> any UnkeyedEncodingContainer {
    node.becomeArray()
    return JSONUnkeyedEncoding(node: node, codingPath: codingPath)
  }

  func singleValueContainer() -> any SingleValueEncodingContainer { self }

  func encode<T: Encodable>(any value: T) throws {
    if let json = jsonScalar(value) { return node.set(json) }
    try value.encode(to: self)
  }
}

extension JSONValueEncoder: SingleValueEncodingContainer {
  func encodeNil() { node.set(.null) }
  func encode<T: Encodable>(_ value: T) throws { try encode(any: value) }
}

private struct JSONKeyedEncoding<Key: CodingKey>: KeyedEncodingContainerProtocol {
  let node: JSONNode
  let codingPath: [any CodingKey]

  func encodeNil(forKey key: Key) { node.set(JSONNode(.null), for: key.stringValue) }

  func encode<T: Encodable>(_ value: T, forKey key: Key) throws {
    if let json = jsonScalar(value) {
      return node.set(JSONNode(json), for: key.stringValue)
    }
    let child = JSONValueEncoder(codingPath: codingPath + [key])
    try value.encode(to: child)
    node.set(child.node, for: key.stringValue)
  }

  func nestedContainer<NestedKey: CodingKey>(
    keyedBy type: NestedKey.Type, forKey key: Key
  ) -> KeyedEncodingContainer<NestedKey> {
    child(key).container(keyedBy: type)
  }

  func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
    child(key).unkeyedContainer()
  }

  func superEncoder() -> any Encoder { child(JSONKey.superclass) }
  func superEncoder(forKey key: Key) -> any Encoder { child(key) }

  private func child(_ key: any CodingKey) -> JSONValueEncoder {
    let path = codingPath + [key]
    if let node = node.member(key.stringValue) {
      return JSONValueEncoder(node: node, codingPath: path)
    }
    let child = JSONValueEncoder(codingPath: path)
    node.set(child.node, for: key.stringValue)
    return child
  }
}

private struct JSONUnkeyedEncoding: UnkeyedEncodingContainer {
  let node: JSONNode
  let codingPath: [any CodingKey]
  var count: Int { node.count }

  func encodeNil() { node.append(JSONNode(.null)) }

  func encode<T: Encodable>(_ value: T) throws {
    if let json = jsonScalar(value) { return node.append(JSONNode(json)) }
    let child = JSONValueEncoder(codingPath: codingPath + [JSONKey(index: count)])
    try value.encode(to: child)
    node.append(child.node)
  }

  func nestedContainer<NestedKey: CodingKey>(
    keyedBy type: NestedKey.Type
  ) -> KeyedEncodingContainer<NestedKey> {
    child().container(keyedBy: type)
  }

  func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { child().unkeyedContainer() }
  func superEncoder() -> any Encoder { child() }

  private func child() -> JSONValueEncoder {
    let child = JSONValueEncoder(codingPath: codingPath + [JSONKey(index: count)])
    node.append(child.node)
    return child
  }
}

/// The JSON of a value that needs no container, nil for every other type.
///
/// Types are compared before anything is cast: a failed cast costs as much as encoding a number.
private func jsonScalar<T>(_ value: T) -> JSON? {
  let type = T.self
  if type == String.self { return (value as? String).map(JSON.string) }
  if type == Int.self { return (value as? Int).map { .integer(Int64($0)) } }
  if type == Double.self { return (value as? Double).map(JSON.number) }
  if type == Bool.self { return (value as? Bool).map(JSON.bool) }
  if type == Int64.self { return (value as? Int64).map(JSON.integer) }
  if type == UInt64.self { return (value as? UInt64).map(whole) }
  if type == UInt.self { return (value as? UInt).map { whole(UInt64($0)) } }
  if type == Int32.self { return (value as? Int32).map { .integer(Int64($0)) } }
  if type == UInt32.self { return (value as? UInt32).map { .integer(Int64($0)) } }
  if type == Int16.self { return (value as? Int16).map { .integer(Int64($0)) } }
  if type == UInt16.self { return (value as? UInt16).map { .integer(Int64($0)) } }
  if type == Int8.self { return (value as? Int8).map { .integer(Int64($0)) } }
  if type == UInt8.self { return (value as? UInt8).map { .integer(Int64($0)) } }
  if type == Float.self { return (value as? Float).map(number) }
  return type == JSON.self ? value as? JSON : nil
}

/// By the number's own shortest text: 0.1 of a `Float` stays 0.1.
private func number(_ value: Float) -> JSON {
  .number(value.isFinite ? Double("\(value)") ?? .nan : Double(value))
}

private func whole(_ value: UInt64) -> JSON {
  Int64(exactly: value).map(JSON.integer) ?? .unsigned(value)
}
