import LifeguardCore

/// Reads `lifeguard.yaml`, its rule files and the environment into a `Configuration`.
///
///     file ─▶ YAML with positions ─▶ typed values ─▶ checks across them ─▶ all, or all problems
///
/// Nothing is read behind its back: files, environment and secrets come through what it is made
/// with, so that a test brings its own.
public struct ConfigurationLoader: Sendable {
  public var files: FileAccess
  /// The value of an environment variable.
  public var environment: @Sendable (_ name: String) -> String?
  /// Fetches `${ssm:…}` and `${secretsmanager:…}`; nil in a build without AWS, which refuses them.
  public var remoteSecret: (@Sendable (RemoteSecret) -> Result<String, FileFailure>)?
  /// Whose files are trusted beside root's: the user who runs the agent.
  public var user: UInt32
  /// The running executable, absolute; a bare program name is also looked for beside it.
  public var executable: String?
  /// Names of the collectors that there are; empty takes any name.
  public var collectors: [String]
  /// The default rule pack's text; nil leaves it out.
  public var defaultPack: String?
  /// Whether this build can send to Amazon SNS.
  public var supportsSNS: Bool
  /// Whether it is a function that is handed events, not an agent on a host: there the zero-file
  /// use always acts, on the first value at or above the threshold.
  public var isFunction = false

  public init(
    files: FileAccess, environment: @escaping @Sendable (_ name: String) -> String?,
    user: UInt32, executable: String? = nil, collectors: [String] = [],
    defaultPack: String? = DefaultPack.text, supportsSNS: Bool = false,
    remoteSecret: (@Sendable (RemoteSecret) -> Result<String, FileFailure>)? = nil
  ) {
    self.files = files
    self.environment = environment
    self.user = user
    self.executable = executable
    self.collectors = collectors
    self.defaultPack = defaultPack
    self.supportsSNS = supportsSNS
    self.remoteSecret = remoteSecret
  }

  /// Reads everything that a main file leads to; nil watches this host with the defaults and with
  /// what the variables of the zero-file use say.
  ///
  /// - Returns: the configuration when there is no error, and every problem there is.
  public func load(mainFile: String?) -> LoadedConfiguration {
    let path = mainFile.map { Paths.join(files.workingDirectory, $0) }
    let session = LoadSession(
      loader: self, directory: path.map(Paths.directory) ?? files.workingDirectory)
    if let mainFile, let path {
      session.readMainFile(path, shown: mainFile)
    } else {
      session.readZeroFile()
    }
    session.addDefaultPack()
    session.finish()
    let isUsable = !session.log.hasErrors
    return LoadedConfiguration(
      configuration: isUsable ? session.configuration : nil, problems: session.log.sorted,
      draft: session.configuration)
  }

  /// Checks files as `lifeguard check` does: a file with `groups` is a rule file, any other a
  /// configuration.
  public func check(_ paths: [String]) -> [ConfigurationProblem] {
    paths.flatMap { shown -> [ConfigurationProblem] in
      let path = Paths.join(files.workingDirectory, shown)
      let session = LoadSession(loader: self, directory: Paths.directory(of: path))
      let quiet = ProblemLog()
      if case .success(let bytes) = files.read(path, YAMLParser.bytesMax),
        let document = YAMLParser.parse(bytes, file: shown, log: quiet), document["groups"] != nil,
        document.entries?.allSatisfy({ !Schema.root.keys.contains($0.key) }) ?? false
      {
        session.readRuleFile(
          path, shown: shown, namedAt: SourceLocation(file: shown, line: 1, column: 1))
        return session.log.sorted
      }
      return load(mainFile: shown).problems
    }
  }

  /// Reads a rule pack: a Prometheus rule file whose alerts may carry `clear`, `samples` and
  /// `on_no_data`, with `recoveries` and `plans` beside the groups.
  public func loadDefaultPack(
    text: String
  ) -> (pack: RulePack?, problems: [ConfigurationProblem]) {
    let session = LoadSession(loader: self, directory: files.workingDirectory)
    let pack = session.readPack(text)
    return (session.log.hasErrors ? nil : pack, session.log.sorted)
  }

  /// Where the configuration is looked for when nobody names a file: `/etc/lifeguard` as root,
  /// otherwise the XDG directory (specifications.freedesktop.org/basedir-spec).
  public var defaultMainFile: String {
    if user == 0 { return "/etc/lifeguard/lifeguard.yaml" }
    let home = environment("HOME") ?? "/"
    let base = environment("XDG_CONFIG_HOME").flatMap { $0.hasPrefix("/") ? $0 : nil }
    return (base ?? home + "/.config") + "/lifeguard/lifeguard.yaml"
  }
}

/// A secret that lives in AWS.
public enum RemoteSecret: Hashable, Sendable {
  /// `${ssm:/name}`: a parameter of Systems Manager.
  case parameter(String)
  /// `${secretsmanager:name}`.
  case secret(String)
}

/// What a rule pack brings.
public struct RulePack: Sendable {
  public var groups: [RuleGroup]
  public var recoveries: [RecoveryEntry]
  public var plans: [String: Plan]

  public init(groups: [RuleGroup], recoveries: [RecoveryEntry], plans: [String: Plan]) {
    self.groups = groups
    self.recoveries = recoveries
    self.plans = plans
  }
}
