import LifeguardCore
import TestSupport

/// A Prometheus of its own on loopback that takes samples by remote write and scrapes nothing.
final class PrometheusServer: Sendable {
  struct Refused: Error, CustomStringConvertible {
    var description: String
  }

  private let child: ChildProgram
  private let folder: TemporaryFolder
  let port: Int

  static let requirement = Requirement.program("prometheus")

  init() async throws {
    folder = try TemporaryFolder()
    port = try FreePort.tcp()
    try TextFile.write("global: {scrape_interval: 1h}\n", to: folder / "prometheus.yml")
    child = try ChildProgram([
      Requirement.locate("prometheus") ?? "prometheus",
      "--config.file=\(folder / "prometheus.yml")", "--storage.tsdb.path=\(folder / "data")",
      "--web.listen-address=127.0.0.1:\(port)", "--web.enable-remote-write-receiver",
      "--log.level=error",
    ])
    let port = port
    let isReady = await eventually(within: .seconds(30)) {
      (try? HTTPExchange.send("GET", "/-/ready", port: port).status) == 200
    }
    guard isReady else { throw Refused(description: "no start: \(child.standardError)") }
  }

  func end() async {
    _ = await child.terminate()
    folder.remove()
  }

  /// Writes series slice by slice in order of time, since the head refuses what is much older than
  /// its newest sample.
  func write(_ data: RandomData) throws {
    let slice: Int64 = 600_000
    for begin in stride(
      from: RandomData.start, to: RandomData.start + Int64(RandomData.seconds) * 1000 + slice,
      by: Int64.Stride(slice))
    {
      let part = data.series.compactMap { one -> RandomData.Series? in
        let samples = one.samples.filter {
          (begin..<begin + slice).contains($0.timestamp.milliseconds)
        }
        return samples.isEmpty ? nil : RandomData.Series(labels: one.labels, samples: samples)
      }
      guard !part.isEmpty else { continue }
      let answer = try HTTPExchange.send(
        "POST", "/api/v1/write", port: port,
        headers: [
          "Content-Encoding": "snappy", "Content-Type": "application/x-protobuf",
          "X-Prometheus-Remote-Write-Version": "0.1.0",
        ], bytes: RemoteWriteBody.encode(part), timeout: .seconds(30))
      guard answer.status == 204 || answer.status == 200 else {
        throw Refused(description: "write: \(answer.status) \(answer.body)")
      }
    }
  }

  /// The answer of one of the query endpoints, whatever its status.
  func ask(_ path: String, _ parameters: [(String, String)]) throws -> JSON {
    let form = parameters.map { "\($0.0)=\(Self.encoded($0.1))" }.joined(separator: "&")
    let answer = try HTTPExchange.send(
      "POST", path, port: port,
      headers: ["Content-Type": "application/x-www-form-urlencoded"], body: form,
      timeout: .seconds(60))
    return try JSON.parse(answer.body)
  }

  private static func encoded(_ text: String) -> String {
    text.utf8.map { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        return String(UnicodeScalar(byte))
      default:
        let digits = String(byte, radix: 16, uppercase: true)
        return "%" + (digits.utf8.count < 2 ? "0" : "") + digits
      }
    }.joined()
  }
}
