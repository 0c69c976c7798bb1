import ArgumentParser
import Glibc
import LifeguardHost

/// `lifeguard demo-service`: something to break, for the quick start.
///
/// A few sockets and nothing else, so that it answers a few milliseconds after its start.
struct DemoService: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo-service", abstract: "A tiny HTTP server that answers \"ok\".",
    discussion: """
      Asked for /overload it keeps every processor busy for a minute, or until it is restarted.

      Example: lifeguard demo-service --listen 127.0.0.1:9912
      """, shouldDisplay: false)

  @Option(help: ArgumentHelp("Where it listens.", valueName: "address:port"))
  var listen = ListenAddress(host: "127.0.0.1", port: 9912)

  func run() throws {
    signal(SIGPIPE, SIG_IGN)
    let listener = try listening()
    while true {
      let client = accept(listener, nil, nil)
      guard client >= 0 else {
        if errno == EMFILE || errno == ENFILE { usleep(10_000) }
        continue
      }
      // accept4(2) is not imported; this process starts no other.
      _ = fcntl(client, F_SETFD, FD_CLOEXEC)
      answer(client)
      close(client)
    }
  }

  private func listening() throws -> Int32 {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var yes: Int32 = 1
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(UInt16(listen.port).bigEndian)
    guard inet_pton(AF_INET, listen.host, &address.sin_addr) == 1 else {
      throw ValidationError("\(listen.host) is not an IPv4 address such as 127.0.0.1")
    }
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(listener, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard listener >= 0, result == 0, Glibc.listen(listener, 64) == 0 else {
      let reason = String(cString: strerror(errno)).lowercased()
      StandardError.write("lifeguard: cannot listen on \(listen.host):\(listen.port) (\(reason))\n")
      throw ExitCode.problem
    }
    return listener
  }

  /// One request a connection, whatever it asks; a client that sends nothing is given up.
  private func answer(_ client: Int32) {
    var limit = timeval(tv_sec: 1, tv_usec: 0)
    let size = socklen_t(MemoryLayout<timeval>.size)
    setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
    setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &limit, size)
    var buffer = [UInt8](repeating: 0, count: 8192)
    var used = 0
    let end = Array("\r\n\r\n".utf8)
    while used < buffer.count {
      let room = buffer.count - used
      let count = buffer.withUnsafeMutableBytes { bytes in
        recv(client, bytes.baseAddress.map { $0 + used }, room, 0)
      }
      guard count > 0 else { return }
      used += count
      if used >= 4, buffer[(used - 4)..<used].elementsEqual(end) { break }
    }
    if buffer[..<used].starts(with: Array("GET /overload".utf8)) { overload() }
    let text =
      "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n"
      + "Connection: close\r\n\r\nok\n"
    let bytes = Array(text.utf8)
    send(client, bytes, bytes.count, Int32(MSG_NOSIGNAL))
  }

  /// One busy thread a processor, for a minute: an overload that a restart ends.
  private func overload() {
    let end = BootClock.now() + .seconds(60)
    for _ in 0..<sysconf(Int32(_SC_NPROCESSORS_ONLN)) {
      do throws(SystemCallError) {
        try Thread.start(name: "overload") {
          var number: UInt64 = 1
          while BootClock.now() < end {
            for _ in 0..<100_000 { number = number &* 6_364_136_223_846_793_005 &+ 1 }
            // Read, so that the loop is not left out.
            if number == 0 { return }
          }
        }
      } catch {
        // A host without a thread to spare is overloaded already.
        return
      }
    }
  }
}
