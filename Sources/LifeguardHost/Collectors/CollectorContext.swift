/// What a collector is made with, on the thread on which it will run.
public struct CollectorContext {
  /// Where `/proc` and `/sys` are.
  public let root: FileSystemRoot
  public let host: HostInfo
  /// Process lists and watched groups, shared with those who ask for them.
  public let processes: ProcessWatch
  /// The directory of the textfile collector.
  public let textfileDirectory: String
  let buffer: ReadBuffer

  /// A context for collectors of the calling thread; the buffer is its own.
  public init(
    root: FileSystemRoot = FileSystemRoot(), host: HostInfo,
    processes: ProcessWatch = ProcessWatch(),
    textfileDirectory: String = CollectorContext.textfileDirectoryDefault
  ) {
    self.root = root
    self.host = host
    self.processes = processes
    self.textfileDirectory = textfileDirectory
    buffer = ReadBuffer()
  }

  /// Where Debian's package has node_exporter look for text files.
  public static let textfileDirectoryDefault = "/var/lib/prometheus/node-exporter"

  /// A file of `/proc`, `/sys` or `/etc`, named relative to the root.
  func file(_ relative: String) -> ProcFile {
    // A file of /proc/sys holds one value, and the kernel allocates as much as it is asked for.
    let isSingleValue = relative.hasPrefix("proc/sys/") || relative.hasPrefix("sys/")
    return ProcFile(
      root.path(relative), buffer: buffer, chunk: isSingleValue ? 4095 : .max)
  }
}
