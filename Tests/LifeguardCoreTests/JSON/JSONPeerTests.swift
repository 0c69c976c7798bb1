import Glibc
import LifeguardCore
import Testing

/// Where python3 is, nil on hosts without it.
private let python: String? = ["/usr/bin/python3", "/usr/local/bin/python3"]
  .first { access($0, X_OK) == 0 }

@Suite struct `JSON beside Python's` {
  @Test(.enabled(if: python != nil, "python3 is not installed"))
  func `both read the same values from the same text`() throws {
    var random = SeededGenerator(seed: 19)
    var texts = (0..<400).map { _ in randomJSON(depth: 4, &random).text() }
    texts += [
      "1E5", "-0.0", "123456789012345678901234567890", "0.1e-6", "2.2250738585072011e-308",
      "9007199254740993", #""\u0000\u007f\/""#, #"{"a":1,"a":2}"#, " [ 1 ,\r\n\t2 ] ",
    ]
    // Python reads each text and writes it again; reading its text must give the same value.
    let script = """
      import json, sys
      for line in sys.stdin.buffer.read().split(b"\\x1e"):
          sys.stdout.write(json.dumps(json.loads(line), ensure_ascii=len(line) % 2 == 0) + "\\x1e")
      """
    let answers = try run(
      [try #require(python), "-c", script], input: texts.joined(separator: "\u{1e}")
    )
    .split(separator: "\u{1e}")
    #expect(answers.count == texts.count)
    for (text, answer) in zip(texts, answers) {
      #expect(try JSON.parse(text) == JSON.parse(String(answer)), "\(text)")
    }
  }

  @Test(.enabled(if: python != nil, "python3 is not installed"))
  func `both refuse the same damaged text`() throws {
    var random = SeededGenerator(seed: 23)
    let alphabet = Array(#"{}[]",:0123456789eE+-.\ntrufalsx "#)
    var texts: [String] = []
    while texts.count < 3000 {
      let count = Int.random(in: 1..<14, using: &random)
      texts.append(String((0..<count).map { _ in alphabet.randomElement(using: &random) ?? "x" }))
    }
    // Python takes numbers beyond the range of a double as infinite; they are refused here.
    let script = """
      import json, sys
      def number(text):
          value = float(text)
          if value in (float("inf"), float("-inf")): raise ValueError(text)
          return value
      def whole(text):
          number(text)
          return int(text)
      for line in sys.stdin.read().split("\\x1e"):
          try:
              json.loads(line, parse_float=number, parse_int=whole)
              sys.stdout.write("1")
          except ValueError:
              sys.stdout.write("0")
      """
    let answers = Array(
      try run([try #require(python), "-c", script], input: texts.joined(separator: "\u{1e}")))
    #expect(answers.count == texts.count)
    for (text, answer) in zip(texts, answers) {
      let accepted = (try? JSON.parse(text)) != nil  // only whether it parses is asked
      #expect(accepted == (answer == "1"), "\(text)")
    }
  }
}

private struct RunFailure: Error { var status: Int32 }

/// Runs a program with `input` on its standard input and returns its standard output.
private func run(_ arguments: [String], input: String) throws -> String {
  var template = Array("/tmp/lifeguard-json-XXXXXX".utf8CString)
  guard let directory = mkdtemp(&template)
  else { throw RunFailure(status: errno) }
  let folder = String(cString: directory)
  defer {
    for name in ["in", "out"] { unlink("\(folder)/\(name)") }
    rmdir(folder)
  }
  guard let file = fopen("\(folder)/in", "we") else { throw RunFailure(status: errno) }
  let bytes = Array(input.utf8)
  fwrite(bytes, 1, bytes.count, file)
  fclose(file)

  var actions = posix_spawn_file_actions_t()
  posix_spawn_file_actions_init(&actions)
  defer { posix_spawn_file_actions_destroy(&actions) }
  posix_spawn_file_actions_addopen(&actions, 0, "\(folder)/in", O_RDONLY, 0)
  posix_spawn_file_actions_addopen(&actions, 1, "\(folder)/out", O_WRONLY | O_CREAT, 0o600)
  var process: pid_t = 0
  var argv: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
  defer { for text in argv { free(text) } }
  var environment: [UnsafeMutablePointer<CChar>?] = [strdup("PYTHONIOENCODING=utf-8"), nil]
  defer { for text in environment { free(text) } }
  let failure = posix_spawn(&process, arguments[0], &actions, nil, &argv, &environment)
  guard failure == 0 else { throw RunFailure(status: failure) }
  var status: Int32 = 0
  waitpid(process, &status, 0)
  guard status == 0 else { throw RunFailure(status: status) }
  var output: [UInt8] = []
  guard let result = fopen("\(folder)/out", "re") else { throw RunFailure(status: errno) }
  defer { fclose(result) }
  var buffer = [UInt8](repeating: 0, count: 65536)
  while case let count = fread(&buffer, 1, buffer.count, result), count > 0 {
    output += buffer.prefix(count)
  }
  return String(decoding: output, as: UTF8.self)
}
