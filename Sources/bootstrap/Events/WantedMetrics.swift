/// The metrics that rules ask for, found by the bytes of a key without making a string of it.
///
/// A key counts as the metric's name when both are the same after every byte that cannot stand in
/// a metric's name has become `_`; the keys of nested objects are joined with `_`, so that
/// `{"cpu": {"usage": 3}}` and `{"cpu.usage": 3}` are both `cpu_usage`.
struct WantedMetrics: Sendable {
  /// In order; a metric is known by its place here.
  private(set) var names: [String]
  /// Whether a rule asks for series without naming a metric, so that every number is wanted.
  let takesAll: Bool
  private var places: [UInt64: Int] = [:]
  /// The same while they are few: a look at each is quicker than a dictionary, and every key of
  /// every line is looked up.
  private var hashes: [UInt64] = []
  /// The names once more, byte by byte.
  private var spellings: [[UInt8]]

  /// New names that one sandbox takes in when every number is wanted.
  static let namesMax = 500

  init(_ names: Set<String>, takesAll: Bool) {
    self.names = names.sorted()
    self.takesAll = takesAll
    spellings = self.names.map { Array($0.utf8) }
    for (place, name) in self.names.enumerated() { places[Self.hash(name)] = place }
    hashes = self.names.map(Self.hash)
  }

  /// FNV-1a, 64 bits; the empty name's.
  static let seed: UInt64 = 0xcbf2_9ce4_8422_2325

  static func hash(_ name: String) -> UInt64 {
    var name = name
    return name.withUTF8 { hash($0, after: seed) }
  }

  /// The hash of a longer name whose beginning has the hash `start`.
  @inline(__always)
  static func hash(_ key: UnsafeBufferPointer<UInt8>, after start: UInt64) -> UInt64 {
    var hash = start
    for byte in key { hash = (hash ^ UInt64(nameByte(byte))) &* 0x100_0000_01b3 }
    return hash
  }

  static func joined(_ hash: UInt64) -> UInt64 {
    (hash ^ UInt64(UInt8(ascii: "_"))) &* 0x100_0000_01b3
  }

  /// `[a-zA-Z0-9_:]` as it is, everything else as `_`.
  @inline(__always)
  static func nameByte(_ byte: UInt8) -> UInt8 {
    switch byte {
    case 0x30...0x3A, 0x41...0x5A, 0x61...0x7A: byte
    default: UInt8(ascii: "_")
    }
  }

  static func name(_ key: String) -> String {
    String(decoding: key.utf8.map(nameByte), as: UTF8.self)
  }

  /// The place of the metric with this hash; whoever asks compares the names themselves.
  func place(_ hash: UInt64) -> Int? {
    hashes.count <= Self.fewMax ? hashes.firstIndex(of: hash) : places[hash]
  }

  private static let fewMax = 16

  /// Whether a metric's name is this key, or ends with it as the last part of a path: two names may
  /// have one hash.
  func ends(_ place: Int, with key: UnsafeBufferPointer<UInt8>, isWhole: Bool) -> Bool {
    let start = spellings[place].count - key.count
    guard isWhole ? start == 0 : start > 0 else { return false }
    for index in key.indices where spellings[place][start + index] != Self.nameByte(key[index]) {
      return false
    }
    return true
  }

  /// The place of a name, which is new when every number is wanted.
  mutating func place(adding name: String) -> Int? {
    let hash = Self.hash(name)
    if let known = places[hash] { return names[known] == name ? known : nil }
    guard takesAll, names.count < Self.namesMax else { return nil }
    names.append(name)
    spellings.append(Array(name.utf8))
    hashes.append(hash)
    places[hash] = names.count - 1
    return names.count - 1
  }
}
