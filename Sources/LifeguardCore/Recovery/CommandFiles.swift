/// The files beside its program that decide what an argument vector does: the script of an
/// interpreter, and the program behind `env`, `timeout`, `sudo` and their like.
///
/// What may change such a file decides what runs, so each is checked as the program itself is.
/// Options are read as far as needed to find the first word that is none; what is written on the
/// command line (`bash -c`), read from standard input, or named as a module is no file.
public struct CommandFiles {
  /// One such file, as it is written.
  public struct File: Hashable, Sendable {
    public enum Role: Hashable, Sendable {
      /// Executed: a name without a slash is looked up.
      case program
      /// Read by a program of the kind whose names without a slash are looked up as well (sh(1)).
      case shellScript
      /// Read by an interpreter; relative to the working directory.
      case script
    }

    public var text: String
    public var role: Role
    /// The argument that names it.
    public var argument: Int
  }

  private let arguments: [String]
  private var files: [File] = []
  private var next = 1

  /// The files that `arguments` name; its first word, the program itself, is not among them.
  public static func of(_ arguments: [String]) -> [File] {
    guard let program = arguments.first else { return [] }
    var reading = CommandFiles(arguments)
    reading.read(name(of: program))
    return reading.files
  }

  private init(_ arguments: [String]) { self.arguments = arguments }

  private static func name(of path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? ""
  }

  /// Prefixes may be before prefixes; each turn takes at least one word.
  private mutating func read(_ program: String) {
    var program = program
    while let prefix = Prefix.named(program) {
      guard let word = skip(prefix) else { return }
      files.append(File(text: word, role: .program, argument: next))
      program = Self.name(of: word)
      next += 1
    }
    guard let interpreter = Interpreter.named(program) else { return }
    readScript(interpreter)
  }

  /// Skips the options and words of a prefix; the word behind them is the program.
  private mutating func skip(_ prefix: Prefix) -> String? {
    var words = prefix.words
    while next < arguments.count {
      let word = arguments[next]
      if prefix.inline.contains(word) { return nil }
      // `env -S 'bash file'` holds a command line in one word: no program is called like that.
      if prefix.splits, word.hasPrefix("-S") || word.hasPrefix("--split") { return word }
      if word.hasPrefix("-"), word.count > 1 {
        next += prefix.values.contains(word) ? 2 : 1
        continue
      }
      if prefix.takesAssignments, word.contains("="), !word.hasPrefix("/") {
        next += 1
        continue
      }
      guard words > 0 else { return word }
      words -= 1
      next += 1
    }
    return nil
  }

  /// Looks through the options of an interpreter for what it reads.
  private mutating func readScript(_ interpreter: Interpreter) {
    while next < arguments.count {
      let word = arguments[next]
      // For a shell `-` ends the options as `--` does; for others it is the standard input.
      if word == "--" || word == "-" {
        next += 1
        guard word == "--" || interpreter.isShell, next < arguments.count else { return }
        return add(arguments[next], interpreter)
      }
      guard word.hasPrefix("-") || (interpreter.isShell && word.hasPrefix("+")) else {
        return add(word, interpreter)
      }
      next += 1
      if word.hasPrefix("--") {
        guard readLong(word, interpreter) else { return }
        continue
      }
      guard readShort(word, interpreter) else { return }
    }
  }

  private mutating func add(_ word: String, _ interpreter: Interpreter) {
    files.append(
      File(text: word, role: interpreter.isShell ? .shellScript : .script, argument: next))
  }

  /// The value of an option; where it may name a module, only a path is a file.
  private mutating func addValue(_ word: String, at argument: Int, _ interpreter: Interpreter) {
    if word.isEmpty || interpreter.takesModules && !word.hasPrefix("/") && !word.hasPrefix(".") {
      return
    }
    files.append(File(text: word, role: .script, argument: argument))
  }

  /// False when no script can follow.
  private mutating func readLong(_ word: String, _ interpreter: Interpreter) -> Bool {
    let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
    if interpreter.inlineLong.contains(parts[0]) { return false }
    let isFile = interpreter.fileLong.contains(parts[0])
    guard isFile || interpreter.valueLong.contains(parts[0]) else { return true }
    let value = parts.count == 2 ? parts[1] : next < arguments.count ? arguments[next] : ""
    let place = parts.count == 2 ? next - 1 : next
    if isFile { addValue(value, at: place, interpreter) }
    if parts.count == 1 { next += 1 }
    return !isFile || interpreter.goesOnAfterFile
  }

  /// Letters in one word, such as `-euo`; false when no script can follow.
  private mutating func readShort(_ word: String, _ interpreter: Interpreter) -> Bool {
    var letters = word.dropFirst()
    while let letter = letters.popFirst() {
      // `+c` is no option of a shell.
      if interpreter.inlineShort.contains(letter), word.hasPrefix("-") { return false }
      let isFile = interpreter.fileShort.contains(letter)
      guard isFile || interpreter.valueShort.contains(letter) else {
        // What is attached to such a letter belongs to it.
        if interpreter.attachedShort.contains(letter) { return true }
        continue
      }
      // A shell takes the value from the next word, others also from the rest of this one.
      if !letters.isEmpty, !interpreter.isShell {
        if isFile { addValue(String(letters), at: next - 1, interpreter) }
        return !isFile || interpreter.goesOnAfterFile
      }
      if isFile, next < arguments.count { addValue(arguments[next], at: next, interpreter) }
      if isFile, !interpreter.goesOnAfterFile { return false }
      next += 1
    }
    return true
  }
}

extension CommandFiles {
  /// A program that runs the rest of its arguments.
  struct Prefix {
    /// Words of its own before the program.
    var words = 0
    /// Options that take the next word.
    var values: Set<String> = []
    /// Options behind which a shell line stands instead of a program.
    var inline: Set<String> = []
    var takesAssignments = false
    /// Whether an option can hold a whole command line.
    var splits = false

    static func named(_ name: String) -> Prefix? { all[name] }

    private static let all: [String: Prefix] = [
      "env": Prefix(
        values: ["-u", "--unset", "-C", "--chdir", "-a", "--argv0"], takesAssignments: true,
        splits: true),
      "timeout": Prefix(words: 1, values: ["-k", "--kill-after", "-s", "--signal"]),
      "nice": Prefix(values: ["-n", "--adjustment"]),
      "ionice": Prefix(values: ["-c", "--class", "-n", "--classdata"]),
      "chrt": Prefix(words: 1, values: ["-T", "-P", "-D"]),
      "taskset": Prefix(words: 1),
      "setsid": Prefix(), "nohup": Prefix(), "busybox": Prefix(),
      "stdbuf": Prefix(values: ["-i", "-o", "-e", "--input", "--output", "--error"]),
      "flock": Prefix(
        words: 1, values: ["-w", "--timeout", "--wait", "-E"], inline: ["-c", "--command"]),
      "sudo": Prefix(
        values: [
          "-u", "--user", "-g", "--group", "-C", "-D", "--chdir", "-h", "-p", "-r", "-t", "-T",
          "-U",
        ], takesAssignments: true),
      "runuser": Prefix(
        values: ["-u", "--user", "-g", "--group", "-G", "--supp-group"],
        inline: ["-c", "--command"]),
      "setpriv": Prefix(
        values: [
          "--reuid", "--regid", "--ruid", "--euid", "--rgid", "--egid", "--groups", "--pdeathsig",
          "--inh-caps", "--ambient-caps", "--bounding-set", "--securebits",
        ]),
      "time": Prefix(values: ["-f", "--format", "-o", "--output"]),
    ]
  }

  /// A program that reads what it does from a file.
  struct Interpreter {
    var isShell = false
    /// Options whose program stands on the command line or comes from elsewhere: no script follows.
    var inlineShort: Set<Character> = []
    var inlineLong: Set<String> = []
    /// Options that take the next word, or what is attached to them.
    var valueShort: Set<Character> = []
    var valueLong: Set<String> = []
    /// Options that take what is attached to them only.
    var attachedShort: Set<Character> = []
    /// Options whose value is a file that is run.
    var fileShort: Set<Character> = []
    var fileLong: Set<String> = []
    /// Whether such a file comes before the script, rather than in its place.
    var goesOnAfterFile = true
    /// Whether such a value may also be the name of a module.
    var takesModules = false

    static func named(_ name: String) -> Interpreter? {
      if shells.contains(name) { return shell }
      // `python3.12` and `php8.2` are python and php.
      let plain = String(name.prefix { !$0.isNumber && $0 != "." && $0 != "-" })
      return all[plain]
    }

    private static let shells: Set<String> = [
      "sh", "bash", "dash", "ash", "ksh", "mksh", "zsh", "rbash",
    ]

    private static let shell = Interpreter(
      isShell: true, inlineShort: ["c", "s"], valueShort: ["o", "O"],
      fileLong: ["--rcfile", "--init-file"])

    private static let all: [String: Interpreter] = [
      "python": Interpreter(
        inlineShort: ["c", "m"], valueShort: ["W", "X", "Q"],
        valueLong: ["--check-hash-based-pycs"]),
      "perl": Interpreter(
        inlineShort: ["e", "E"], valueShort: ["I"],
        attachedShort: ["M", "m", "i", "x", "C", "D", "F", "V", "0", "l", "d"]),
      "ruby": Interpreter(
        inlineShort: ["e"], valueShort: ["I", "C", "E"],
        valueLong: ["--encoding", "--external-encoding", "--internal-encoding"],
        attachedShort: ["K", "F", "i", "x", "T", "W", "0"], fileShort: ["r"],
        takesModules: true),
      "node": nodeLike, "nodejs": nodeLike,
      "php": Interpreter(
        inlineShort: ["r"], inlineLong: ["--run"], valueShort: ["d", "c", "z", "t", "S"],
        valueLong: ["--define", "--php-ini"], fileShort: ["f"], fileLong: ["--file"],
        goesOnAfterFile: false),
      "lua": Interpreter(inlineShort: ["e"], valueShort: ["l"]),
    ]

    private static let nodeLike = Interpreter(
      inlineShort: ["e", "p"], inlineLong: ["--eval", "--print"], valueShort: ["C"],
      valueLong: ["--conditions", "--title", "--env-file"], fileShort: ["r"],
      fileLong: ["--require", "--import", "--loader", "--experimental-loader"],
      takesModules: true)
  }
}
