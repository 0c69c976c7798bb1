import LifeguardCore

extension JSON {
  /// An array of texts.
  init(strings: [String]) { self = .array(strings.map(JSON.string)) }

  /// The texts of an array; anything else in it is left out.
  var strings: [String] { array?.compactMap(\.string) ?? [] }

  /// A time in seconds since the epoch, as the JSON protocols write it; some write RFC 3339.
  var timestamp: Timestamp? {
    if let text = string { return Timestamp(text) }
    // Beyond the years 0 to 9999 it is no time at all.
    guard let seconds = double, (-62_167_219_200...253_402_300_799).contains(seconds) else {
      return nil
    }
    return Timestamp(seconds: seconds)
  }

  /// A time as the JSON protocols want it: whole seconds as they are, others with a fraction.
  init(_ time: Timestamp) {
    self =
      time.milliseconds % 1000 == 0
      ? .integer(time.milliseconds / 1000) : .number(Double(time.milliseconds) / 1000)
  }
}
