import LifeguardCore
import Testing

@Suite struct CommandFilesTests {
  private func files(_ line: String) -> [String] {
    CommandFiles.of(line.split(separator: " ").map(String.init)).map(\.text)
  }

  @Test(arguments: [
    "bash /x.sh", "bash -e /x.sh", "bash -m /x.sh", "bash -o pipefail /x.sh", "bash -eu /x.sh",
    "bash -euo pipefail /x.sh", "bash +x -- /x.sh", "bash - /x.sh", "bash --posix /x.sh a b",
    "/bin/sh -x /x.sh", "dash /x.sh", "zsh -o extendedglob /x.sh", "python3 /x.sh",
    "python3.12 -u -W error /x.sh", "python3 -Wignore -- /x.sh", "perl -w -I /lib /x.sh",
    "perl -T -Mstrict /x.sh", "ruby -I lib -w /x.sh", "node --no-warnings /x.sh",
    "node -C development /x.sh", "node -r dotenv/config /x.sh", "php -d a=b /x.sh", "php -f /x.sh",
    "php8.2 -f/x.sh -- y", "php --file=/x.sh",
  ])
  func `the script of an interpreter is found behind its options`(_ line: String) {
    #expect(files(line) == ["/x.sh"])
  }

  @Test(arguments: [
    "bash", "bash -c true", "bash -ec true", "bash -s /x.sh", "sh -xc true /x.sh",
    "python3 -m http", "python3 -c pass /x.sh", "python3 - /x.sh", "perl -e 1 /x.sh",
    "perl -ne print /x.sh", "ruby -e 1", "node -e 1", "node --eval 1", "php -r 1;", "/opt/x.sh",
    "cat /x.sh", "systemctl restart web",
  ])
  func `a program on the command line, a module and the standard input are no files`(
    _ line: String
  ) {
    #expect(files(line) == [])
  }

  @Test(arguments: [
    ("timeout 10 /opt/x", ["/opt/x"]), ("timeout -k 5 -s KILL 10 /opt/x -v", ["/opt/x"]),
    ("env A=1 B=2 /opt/x", ["/opt/x"]), ("env -i -u HOME bash -e /x.sh", ["bash", "/x.sh"]),
    ("nice -n 5 ionice -c2 -n7 setsid bash /x.sh", ["ionice", "setsid", "bash", "/x.sh"]),
    ("sudo -u app -- python3 /x.py", ["python3", "/x.py"]), ("nohup /opt/x", ["/opt/x"]),
    ("flock -w 5 /run/x.lock /opt/x", ["/opt/x"]), ("flock /run/x.lock -c true", []),
    ("taskset -c 0,1 /opt/x", ["/opt/x"]), ("chrt -f 10 /opt/x", ["/opt/x"]),
    ("env", []), ("timeout 10", []), ("node -r /h.js /x.js", ["/h.js", "/x.js"]),
    ("bash --rcfile /rc -i", ["/rc"]), ("busybox sh /x.sh", ["sh", "/x.sh"]),
  ])
  func `the program behind a prefix is found, and its script`(
    _ line: String, _ expected: [String]
  ) {
    #expect(files(line) == expected)
  }

  @Test func `a command line in one word is taken for a program that does not exist`() {
    #expect(CommandFiles.of(["env", "-Sbash /x.sh"]).map(\.text) == ["-Sbash /x.sh"])
    #expect(CommandFiles.of(["env", "-S", "bash /x.sh"]).map(\.text) == ["-S"])
  }

  @Test func `each file is known with its argument and with how it is looked for`() {
    let found = CommandFiles.of(["/usr/bin/env", "bash", "-e", "fix.sh"])
    #expect(found.map(\.argument) == [1, 3])
    #expect(found.map(\.role) == [.program, .shellScript])
    #expect(CommandFiles.of(["python3", "fix.py"]).map(\.role) == [.script])
  }
}
