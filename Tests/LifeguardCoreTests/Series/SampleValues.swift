import LifeguardCore

/// A small random generator that gives the same numbers for the same seed on every machine.
struct SplitMix: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) {
    state = seed
  }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
    return value ^ (value >> 31)
  }
}

/// Values of the kinds that series hold, the awkward ones included.
enum SampleValues {
  static let special: [Double] = [
    .staleMarker, .infinity, -.infinity, .nan, -0.0, 0, .leastNonzeroMagnitude,
    .greatestFiniteMagnitude, Double(bitPattern: 0x7FF8_0000_0000_0001), 9_007_199_254_740_994,
  ]

  /// The seed decides the kind, so that every kind gets whole chunks to itself.
  static func value(_ random: inout SplitMix, seed: UInt64) -> Double {
    switch seed % 6 {
    case 0: return 42
    case 1: return Double(Int.random(in: 0...1_000_000, using: &random))
    case 2: return Double(Int.random(in: 0...10_000, using: &random)) / 100
    case 3: return Double.random(in: -1e9...1e9, using: &random)
    case 4: return special.randomElement(using: &random) ?? 0
    default:
      return Int.random(in: 0..<10, using: &random) == 0
        ? special.randomElement(using: &random) ?? 0
        : Double(Int.random(in: -50...50, using: &random)) * 4096
    }
  }

  /// Compares bits, so that NaN payloads and the sign of zero count.
  static func same(_ left: [Sample], _ right: [Sample]) -> Bool {
    left.count == right.count
      && zip(left, right).allSatisfy {
        $0.timestamp == $1.timestamp && $0.value.bitPattern == $1.value.bitPattern
      }
  }
}
