import Glibc

/// posix_spawn(3) with what every test program gets: a process group of its own, default signals,
/// the three standard descriptors and no others.
enum Spawn {
  static func start(
    _ argv: [String], environment: [String], workingDirectory: String?,
    input: String, output: String, error: String
  ) throws -> Int32 {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    let writing = O_WRONLY | O_CREAT | O_APPEND
    posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, output, writing, 0o600)
    posix_spawn_file_actions_addopen(&actions, 2, error, writing, 0o600)
    // GNU extensions (glibc 2.34 and 2.29) that Swift does not import, so looked up by name.
    typealias CloseFrom = @convention(c) (UnsafeMutableRawPointer, Int32) -> Int32
    typealias ChangeFolder =
      @convention(c) (UnsafeMutableRawPointer, UnsafePointer<CChar>) -> Int32
    if let symbol = dlsym(nil, "posix_spawn_file_actions_addclosefrom_np") {
      _ = unsafeBitCast(symbol, to: CloseFrom.self)(&actions, 3)
    }
    if let workingDirectory {
      guard let symbol = dlsym(nil, "posix_spawn_file_actions_addchdir_np") else {
        throw SystemCallError("posix_spawn_file_actions_addchdir_np", workingDirectory, ENOSYS)
      }
      _ = unsafeBitCast(symbol, to: ChangeFolder.self)(&actions, workingDirectory)
    }

    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    sigfillset(&signals)
    posix_spawnattr_setsigdefault(&attributes, &signals)
    posix_spawnattr_setpgroup(&attributes, 0)
    let flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
    posix_spawnattr_setflags(&attributes, Int16(flags))

    var pid: Int32 = 0
    let code = withCStrings(argv) { arguments in
      withCStrings(environment) { variables in
        posix_spawnp(&pid, argv[0], &actions, &attributes, arguments, variables)
      }
    }
    guard code == 0 else { throw SystemCallError("start", argv[0], code) }
    return pid
  }

  /// Lends a null-terminated array of C strings.
  private static func withCStrings<Result>(
    _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
  ) -> Result {
    var pointers = strings.map { strdup($0) }
    pointers.append(nil)
    defer { for pointer in pointers { free(pointer) } }
    return pointers.withUnsafeBufferPointer { body($0.baseAddress!) }
  }
}
