/// What is mounted now.
public enum MountPoints {
  /// Whether `path` is a mount point, from `/proc/self/mounts` (proc_pid_mounts(5)); asking the
  /// kernel's table never touches the file system itself, which may hang.
  public static func contains(_ path: String) -> Bool {
    guard let text = SmallFile.textIfReadable("/proc/self/mounts", limit: 1 << 20) else {
      return false
    }
    return Array(text.utf8).withUnsafeBufferPointer { bytes in
      Mount.parse(ByteCursor(bytes)).contains { $0.mountPoint == path }
    }
  }
}
