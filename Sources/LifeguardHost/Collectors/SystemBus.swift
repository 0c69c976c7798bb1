import CLinux
import Glibc

/// Speaks D-Bus with systemd, as far as asking it about units takes.
///
/// One connection, one question at a time, each with a timeout. Through the system bus; root falls
/// back to systemd's own socket. Source: D-Bus Specification 0.42, "Message Protocol".
final class SystemBus {
  /// How long to wait for a piece of an answer.
  private static let patienceSeconds = 2
  /// An answer larger than this is refused; a host with 10,000 units needs 4 MiB.
  private static let answerBytesMax = 16 * 1024 * 1024

  private let descriptor: Int32
  private let path: String
  private var serial: UInt32 = 0

  /// Connects and authenticates.
  ///
  /// - Throws: `absent` when systemd does not run here, `unavailable` when it does not answer.
  init(_ root: FileSystemRoot) throws(CollectorError) {
    guard access(root.path("run/systemd/system"), F_OK) == 0 else {
      throw .absent(what: "systemd")
    }
    let own = root.path("run/systemd/private")
    let shared = root.path("run/dbus/system_bus_socket")
    // The bus is open to every user; systemd's own socket, which is there before the bus is and
    // when it has crashed, to root alone.
    let isShared = access(shared, F_OK) == 0 || geteuid() != 0
    path = isShared ? shared : own
    descriptor = clinux_connect_local(path, Int32(Self.patienceSeconds))
    guard descriptor >= 0 else { throw .unavailable(path: path, errno: -descriptor) }
    try authenticate()
    if isShared {
      _ = try call(
        "/org/freedesktop/DBus", "org.freedesktop.DBus", "Hello",
        destination: "org.freedesktop.DBus")
    }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Calls a method of systemd with arguments that are strings, and gives the answer's body.
  func call(
    _ object: String, _ interface: String, _ method: String, _ arguments: [String] = [],
    destination: String = "org.freedesktop.systemd1"
  ) throws(CollectorError) -> BusReader {
    serial += 1
    var body = BusWriter()
    for argument in arguments { body.append(string: argument) }
    var message = BusWriter()
    message.append(bytes: [UInt8(ascii: "l"), 1, 0, 1])
    message.append(UInt32(body.bytes.count))
    message.append(serial)
    var fields = BusWriter()
    fields.append(field: 1, "o", object)
    fields.append(field: 2, "s", interface)
    fields.append(field: 3, "s", method)
    fields.append(field: 6, "s", destination)
    if !arguments.isEmpty {
      fields.append(signature: 8, String(repeating: "s", count: arguments.count))
    }
    message.append(UInt32(fields.bytes.count))
    message.append(bytes: fields.bytes)
    message.align(8)
    message.append(bytes: body.bytes)
    try send(message.bytes)
    return try answer(to: serial)
  }

  private func authenticate() throws(CollectorError) {
    let user = String(geteuid()).utf8.map { String($0, radix: 16) }.joined()
    try send([0] + Array("AUTH EXTERNAL \(user)\r\n".utf8))
    var line: [UInt8] = []
    while line.last != UInt8(ascii: "\n") {
      line += try receive(1)
      guard line.count < 512 else { throw malformed("no answer to AUTH") }
    }
    guard line.starts(with: "OK ".utf8) else {
      throw malformed("refused us: \(String(decoding: line, as: UTF8.self))")
    }
    try send(Array("BEGIN\r\n".utf8))
  }

  /// Reads messages until the answer comes; signals in between are skipped.
  private func answer(to serial: UInt32) throws(CollectorError) -> BusReader {
    for _ in 0..<1000 {
      let head = try receive(16)
      guard head[0] == UInt8(ascii: "l") else { throw malformed("a message in another byte order") }
      var reader = BusReader(head)
      reader.skip(4)
      guard let bodyBytes = reader.number(), reader.number() != nil,
        let fieldBytes = reader.number()
      else { throw malformed("a head cut off") }
      let rest = (Int(fieldBytes) + 7) / 8 * 8 + Int(bodyBytes)
      guard rest <= Self.answerBytesMax else {
        throw .tooLong(path: path, bytesMax: Self.answerBytesMax)
      }
      let content = try receive(rest)
      let fields = BusReader(Array(content[..<Int(fieldBytes)]))
      guard fields.replySerial() == serial else { continue }
      let body = Array(content[(rest - Int(bodyBytes))...])
      if head[1] == 3 {
        var reader = BusReader(body)
        throw malformed(reader.string() ?? "an error without a text")
      }
      return BusReader(body)
    }
    throw malformed("no answer among a thousand messages")
  }

  private func malformed(_ reason: String) -> CollectorError {
    .malformed(path: path, reason: reason)
  }

  private func send(_ bytes: [UInt8]) throws(CollectorError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes {
        Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw .unavailable(path: path, errno: errno) }
      rest = rest.dropFirst(count)
    }
  }

  private func receive(_ count: Int) throws(CollectorError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var filled = 0
    while filled < count {
      let received = bytes.withUnsafeMutableBytes {
        recv(descriptor, $0.baseAddress.map { $0 + filled }, count - filled, 0)
      }
      if received < 0 && errno == EINTR { continue }
      guard received > 0 else {
        throw .unavailable(path: path, errno: received == 0 ? EPIPE : errno)
      }
      filled += received
    }
    return bytes
  }
}
