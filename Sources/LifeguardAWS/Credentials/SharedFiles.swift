import Glibc
import LifeguardCore

/// The two files that the AWS tools share, `~/.aws/config` and `~/.aws/credentials`
/// (docs.aws.amazon.com/sdkref/latest/guide/file-format.html).
struct SharedFiles: Sendable {
  typealias Section = [String: String]

  /// Files above this size are not read.
  static let sizeMax = 1 << 20

  private(set) var profiles: [String: Section] = [:]
  private var serviceSections: [String: Section] = [:]
  /// The paths that were looked at, and what was wrong with them, for messages.
  private(set) var notes: [String] = []

  init() {}

  /// The settings of a profile; those of the credentials file win.
  func profile(_ name: String) -> Section { profiles[name] ?? [:] }

  /// A `[services NAME]` section; names inside are `cloudwatch.endpoint_url`.
  func services(_ name: String) -> Section { serviceSections[name] ?? [:] }

  /// Reads both files; one that is missing is empty.
  static func load(_ settings: AWSSettings) -> SharedFiles {
    var files = SharedFiles()
    let home = settings.variable("HOME")
    let config =
      settings.variable("AWS_CONFIG_FILE") ?? home.map { "\($0)/.aws/config" }
    let credentials =
      settings.variable("AWS_SHARED_CREDENTIALS_FILE") ?? home.map { "\($0)/.aws/credentials" }
    files.add(config, home, isCredentials: false)
    files.add(credentials, home, isCredentials: true)
    return files
  }

  private mutating func add(_ path: String?, _ home: String?, isCredentials: Bool) {
    guard var path else { return }
    if path.hasPrefix("~/"), let home { path = home + path.dropFirst() }
    switch Self.read(path) {
    case .success(let bytes): add(SharedFileReader.sections(bytes), isCredentials: isCredentials)
    case .failure(let problem): notes.append("\(path) \(problem.reason)")
    }
  }

  mutating func add(
    _ sections: [(name: String, values: Section)], isCredentials: Bool
  ) {
    for (name, values) in sections {
      let words = name.split(separator: " ", maxSplits: 1).map(String.init)
      if isCredentials || name == "default" {
        profiles[name, default: [:]].merge(values) { $1 }
      } else if words.count == 2, words[0] == "profile" {
        profiles[Self.unquoted(words[1]), default: [:]].merge(values) { $1 }
      } else if words.count == 2, words[0] == "services" {
        serviceSections[Self.unquoted(words[1]), default: [:]].merge(values) { $1 }
      }
    }
  }

  private static func unquoted(_ text: String) -> String {
    let text = text.drop { $0 == " " }
    for quote in ["\"", "'"] where text.count >= 2 && text.hasPrefix(quote) && text.hasSuffix(quote)
    {
      return String(text.dropFirst().dropLast())
    }
    return String(text)
  }

  struct Problem: Error { let reason: String }

  /// A whole small file. Only regular ones: opening a FIFO would wait for its other end.
  static func read(_ path: String) -> Result<[UInt8], Problem> {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      return .failure(Problem(reason: String(cString: strerror(errno)).lowercased()))
    }
    defer { close(descriptor) }
    var information = stat()
    guard fstat(descriptor, &information) == 0, information.st_mode & S_IFMT == S_IFREG else {
      return .failure(Problem(reason: "is no regular file"))
    }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 16_384)
    while bytes.count <= sizeMax {
      let count = Glibc.read(descriptor, &buffer, buffer.count)
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else {
        return .failure(Problem(reason: String(cString: strerror(errno)).lowercased()))
      }
      if count == 0 { return .success(bytes) }
      bytes.append(contentsOf: buffer[..<count])
    }
    return .failure(Problem(reason: "is larger than \(sizeMax) bytes"))
  }
}
