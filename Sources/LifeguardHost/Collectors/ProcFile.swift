import CLinux
import Glibc

/// Memory that the files of one thread are read into, one after the other.
///
/// Shared because a collector parses at once what it has read: the bytes stay in the cache, and
/// thirty files cost one buffer.
final class ReadBuffer {
  private(set) var memory: UnsafeMutableRawBufferPointer
  private let limit: Int

  /// - Parameter limit: The largest file in bytes that is read; a longer one is an error.
  init(initialCapacity: Int = 16 * 1024, limit: Int = 4 * 1024 * 1024) {
    memory = .allocate(byteCount: initialCapacity, alignment: 16)
    self.limit = limit
  }

  deinit { memory.deallocate() }

  /// Doubles the memory and keeps its first `used` bytes; false when the limit is reached.
  func grow(keeping used: Int) -> Bool {
    guard memory.count < limit else { return false }
    let larger = UnsafeMutableRawBufferPointer.allocate(
      byteCount: min(memory.count * 2, limit), alignment: 16)
    larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: memory[..<used]))
    memory.deallocate()
    memory = larger
    return true
  }
}

/// A file of `/proc` or `/sys` that is read again and again through one open descriptor.
///
/// `pread` from the start makes the kernel write the content anew; opening each time costs three to
/// ten times as much (measured: `/proc/net/sockstat` 3.6 µs against 20.7 µs).
final class ProcFile {
  let path: String
  private let buffer: ReadBuffer
  private var descriptor: Int32 = -1
  private let chunk: Int

  /// - Parameter chunk: How many bytes to ask for at a time. Small for files of `/proc/sys`, where
  ///   the kernel allocates and clears as much as it is asked for.
  init(_ path: String, buffer: ReadBuffer, chunk: Int = .max) {
    self.path = path
    self.buffer = buffer
    self.chunk = chunk
  }

  deinit { closeDescriptor() }

  private func closeDescriptor() {
    if descriptor >= 0 { close(descriptor) }
    descriptor = -1
  }

  /// The whole content now; valid until the next file of the same buffer is read.
  ///
  /// - Throws: `unavailable` when the file cannot be opened or read (it is opened anew next time),
  ///   `tooLong` when it exceeds the limit of the buffer.
  func read() throws(CollectorError) -> ByteCursor {
    if descriptor < 0 {
      descriptor = clinux_open_read(-1, path)
      guard descriptor >= 0 else {
        let code = -descriptor
        descriptor = -1
        throw .unavailable(path: path, errno: code)
      }
    }
    var used = 0
    while true {
      if used == buffer.memory.count, !buffer.grow(keeping: used) {
        throw .tooLong(path: path, bytesMax: buffer.memory.count)
      }
      let room = min(buffer.memory.count - used, chunk)
      let count = clinux_pread(
        descriptor, buffer.memory.baseAddress.map { $0 + used }, room, Int64(used))
      if count < 0 {
        closeDescriptor()
        throw .unavailable(path: path, errno: Int32(-count))
      }
      used += count
      // A file of one value ends with its first piece; asking on would make the kernel format
      // again.
      if count == 0 || (chunk != .max && count < chunk) { break }
    }
    return ByteCursor(Bytes(rebasing: buffer.memory.bindMemory(to: UInt8.self)[..<used]))
  }
}
