/// Base64 (RFC 4648, 4) as CloudWatch Logs writes it: padded, without line breaks.
enum Base64 {
  private static let table: [UInt8] = {
    var table = [UInt8](repeating: 0xFF, count: 256)
    let alphabet = Array(
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    for (value, byte) in alphabet.enumerated() { table[Int(byte)] = UInt8(value) }
    return table
  }()

  /// nil when it is not base64.
  static func decode(_ text: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
    var length = text.count
    guard length % 4 == 0 else { return nil }
    while length > 0, text.count - length < 2, text[length - 1] == UInt8(ascii: "=") { length -= 1 }
    guard length % 4 != 1 else { return nil }
    let size = length / 4 * 3 + max(length % 4 - 1, 0)
    return table.withUnsafeBufferPointer { table in
      var bad: UInt8 = 0
      let result = [UInt8](unsafeUninitializedCapacity: size + 3) { output, count in
        var source = 0
        var target = 0
        while source < length {
          var quantum: UInt32 = 0
          for offset in 0..<4 {
            let index = source + offset
            let value = index < length ? table[Int(text[index])] : 0
            bad |= value & 0xC0
            quantum = quantum << 6 | UInt32(value & 0x3F)
          }
          output[target] = UInt8(quantum >> 16)
          output[target + 1] = UInt8(quantum >> 8 & 0xFF)
          output[target + 2] = UInt8(quantum & 0xFF)
          source += 4
          target += 3
        }
        count = size
      }
      return bad == 0 ? result : nil
    }
  }
}
