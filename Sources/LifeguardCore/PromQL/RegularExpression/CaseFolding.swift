/// Which characters are the same but for their case, as Unicode's simple folding has it.
enum CaseFolding {
  /// Pairs that fold to the same although neither's mapping is the other (Unicode,
  /// `CaseFolding.txt`): what is more than one character in full is left out of the mappings.
  private static let pairs: [(UInt32, UInt32)] = [
    (0xDF, 0x1E9E), (0x390, 0x1FD3), (0x3B0, 0x1FE3), (0xFB05, 0xFB06),
  ]
  /// The Turkish letters have mappings and yet fold to themselves alone.
  private static let turkish: Set<UInt32> = [0x130, 0x131]
  /// No character from here on has a case.
  private static let end: UInt32 = 0x1F000

  /// The other characters that are the same but for their case.
  static func variants(of scalar: UInt32) -> [UInt32] {
    if scalar < 0x80 {
      switch scalar {
      case 0x6B, 0x4B: return [scalar ^ 0x20, 0x212A]
      case 0x73, 0x53: return [scalar ^ 0x20, 0x17F]
      case 0x41...0x5A, 0x61...0x7A: return [scalar ^ 0x20]
      default: return []
      }
    }
    return scalar < end ? others[scalar] ?? [] : []
  }

  /// Every character is asked once: from `å` alone nothing leads to the sign for Ångström.
  private static let others: [UInt32: [UInt32]] = {
    var groups: [UInt32: Set<UInt32>] = [:]
    func join(_ left: UInt32, _ right: UInt32) {
      let group = (groups[left] ?? [left]).union(groups[right] ?? [right])
      for member in group { groups[member] = group }
    }
    for value in 0..<end where !turkish.contains(value) {
      guard let properties = Unicode.Scalar(value)?.properties, properties.changesWhenCaseMapped
      else { continue }
      for mapping in [
        properties.lowercaseMapping, properties.uppercaseMapping, properties.titlecaseMapping,
      ] {
        let scalars = mapping.unicodeScalars
        guard let only = scalars.first, scalars.count == 1, only.value != value else { continue }
        join(value, only.value)
      }
    }
    for (left, right) in pairs { join(left, right) }
    var others: [UInt32: [UInt32]] = [:]
    for (member, group) in groups { others[member] = group.filter { $0 != member }.sorted() }
    return others
  }()
}
