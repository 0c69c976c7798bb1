import TestSupport
import Testing

/// Units of a real systemd in its box.
@Suite(
  .scenario, .enabled(if: BoxScene.requirement.isMet, "\(BoxScene.requirement.reason)"))
struct SystemdScenarios {
  private static func unit(_ more: String = "") -> String {
    """
    [Service]
    ExecStartPre=/bin/sh -c 'echo started >> /var/log/starts'
    ExecStart=/bin/sleep infinity
    \(more)
    """
  }

  private static let service = """
    services:
      - name: app
        unit: app.service
        recover: \(ServiceScenarios.ladder)
    """

  @Test func `a unit without Restart= that crashes is started again`() async throws {
    try await BoxScene.play(
      units: ["app.service": Self.unit()], start: ["app.service"], Self.service
    ) { scene in
      try await scene.waitFor("app", "up")
      let before = try await scene.property("MainPID", of: "app.service")
      try await scene.killMainProcess(of: "app.service")
      let story = try await scene.incident(of: "unit:app.service", "recovered")
      #expect(story.incident.steps == ["start"], "\(story)")
      #expect(story.has("intended", "start") && story.has("acted", "start"), "\(story)")
      #expect(story.has("evidence"), "\(story)")
      #expect(story.incident.attempts.last?.outcome == "recovered", "\(story)")
      #expect(try await scene.property("ActiveState", of: "app.service") == "active")
      #expect(try await scene.property("MainPID", of: "app.service") != before)
      #expect(await eventually { scene.hook.kinds(of: story.incident.id).last == "recovered" })
      #expect(scene.hook.kinds(of: story.incident.id).first == "opened")
      let files = await eventually { try !scene.api.story(story.incident.id).evidenceFiles.isEmpty }
      #expect(files, "no evidence file\n\(story)")
    }
  }

  @Test func `a unit with Restart= is watched and not restarted twice`() async throws {
    try await BoxScene.play(
      units: ["app.service": Self.unit("Restart=on-failure\nRestartSec=2")],
      start: ["app.service"], Self.service
    ) { scene in
      try await scene.waitFor("app", "up")
      try await scene.killMainProcess(of: "app.service")
      let story = try await scene.incident(of: "unit:app.service", "recovered")
      #expect(story.incident.attempts.allSatisfy { $0.isObserved }, "\(story)")
      #expect(story.incident.steps == ["observe"], "\(story)")
      #expect(story.incident.attempts.last?.outcome == "recovered", "\(story)")
      #expect(story.has("evidence"), "\(story)")
      #expect(try await scene.property("NRestarts", of: "app.service") == "1")
      let starts = try await scene.box.read("/var/log/starts").split(separator: "\n").count
      #expect(starts == 2, "\(story)")
      #expect(await eventually { scene.hook.kinds(of: story.incident.id).last == "recovered" })
    }
  }

  @Test func `a deliberate systemctl stop is left alone`() async throws {
    try await BoxScene.play(
      units: ["app.service": Self.unit("Restart=always\nRestartSec=1")],
      start: ["app.service"], Self.service
    ) { scene in
      try await scene.waitFor("app", "up")
      try await scene.box.require(["systemctl", "stop", "app.service"])
      try await scene.waitFor("app", "stopped")
      let isAlone = try await holds(for: .seconds(8), every: .milliseconds(500)) {
        try await scene.property("ActiveState", of: "app.service") == "inactive"
      }
      #expect(isAlone, "\(scene.report)")
      #expect(try scene.api.incidents().isEmpty, "\(scene.report)")
      #expect(scene.hook.all.isEmpty)
      // Started again by its operator, it is watched as before.
      try await scene.box.require(["systemctl", "start", "app.service"])
      try await scene.waitFor("app", "up")
    }
  }

  @Test func `what an agent had stopped when it was killed is started by the next one`()
    async throws
  {
    let services = """
      services:
        - name: app
          unit: app.service
          probe: {exec: [/bin/sh, -c, 'test ! -e /run/bad || exit 2'], failures: 1}
          recover:
            steps: [stop_clean_start, stop_clean_start, page]
            cooldown: 1s
            verify: {settle: 500ms, hold: 2s, deadline: 10s}
      """
    try await BoxScene.play(
      units: ["app.service": Self.unit("ExecStop=/bin/sleep 5")], start: ["app.service"],
      startedBy: .systemd, services
    ) { scene in
      try await scene.waitFor("app", "up")
      try await scene.box.write("", to: "/run/bad")
      let isStopping = await eventually(within: .seconds(40), every: .milliseconds(50)) {
        try await scene.property("ActiveState", of: "app.service") == "deactivating"
      }
      try #require(isStopping, "\(scene.report)")
      try await scene.killMainProcess(of: "lifeguard")
      try await scene.box.require(["rm", "/run/bad"])
      let isDown = await eventually(within: .seconds(20), every: .milliseconds(50)) {
        try await scene.property("ActiveState", of: "app.service") == "inactive"
      }
      #expect(isDown, "it was not stopped between the two")
      #expect(try await scene.property("Result", of: "app.service") == "success")
      let story = try await scene.incident(of: "unit:app.service", "recovered")
      #expect(story.incident.attempts.contains { $0.wasInterrupted }, "\(story)")
      #expect(try await scene.property("ActiveState", of: "app.service") == "active")
    }
  }

  @Test(
    .enabled(
      if: Requirement.program("nginx").isMet, "\(Requirement.program("nginx").reason)"))
  func `a broken configuration forbids the restart that would kill a running nginx`() async throws {
    let configuration = """
      pid /run/web.pid;
      error_log /var/log/web.log;
      events {}
      http {
        access_log off;
        server {
          listen 127.0.0.1:8099;
          root /srv/web;
        }
      }
      """
    let unit = """
      [Service]
      ExecStart=/usr/sbin/nginx -c /etc/web.conf -g 'daemon off;'
      ExecReload=/usr/sbin/nginx -c /etc/web.conf -s reload
      """
    let services = """
      services:
        - name: web
          unit: web.service
          probe: {http: 'http://127.0.0.1:8099/health', failures: 2}
          config_test: [/usr/sbin/nginx, -t, -c, /etc/web.conf]
          recover: \(ServiceScenarios.ladder)
      """
    try await BoxScene.play(
      units: ["web.service": unit],
      files: [
        "/etc/web.conf": configuration, "/srv/web/health": "ok\n", "/srv/web/index.html": "hi\n",
      ],
      start: ["web.service"], services
    ) { scene in
      try await scene.waitFor("web", "up")
      let before = try await scene.property("MainPID", of: "web.service")
      // A deployment went wrong: the page of the probe is gone, and the configuration is broken.
      try await scene.box.write(configuration + "\nnonsense;\n", to: "/etc/web.conf")
      try await scene.box.require(["rm", "/srv/web/health"])
      let story = try await scene.incident(of: "unit:web.service", "open")
      let paged = await eventually(within: .seconds(30)) {
        scene.hook.first("escalated", about: "unit:web.service") != nil
      }
      #expect(paged, "\(scene.report)")
      let told = scene.hook.first("escalated")
      #expect(told?.whatHappened.contains("nonsense") == true, "\(told?.whatHappened ?? "")")
      let now = try scene.api.story(story.incident.id)
      #expect(now.has("refused", "config_test_failed"), "\(now)")
      #expect(now.has("evidence"), "\(now)")
      #expect(!now.timeline.contains { $0.kind == "acted" && $0.code == "restart" }, "\(now)")
      let stays = try await holds(for: .seconds(6), every: .milliseconds(500)) {
        try await scene.property("MainPID", of: "web.service") == before
      }
      #expect(stays, "nginx was restarted\n\(scene.report)")
      let answer = try await scene.box.run(["curl", "-fsS", "http://127.0.0.1:8099/"])
      #expect(answer.standardOutput == "hi\n", "\(answer)")
      // Put right, it recovers.
      try await scene.box.write(configuration, to: "/etc/web.conf")
      try await scene.box.write("ok\n", to: "/srv/web/health")
      let end = try await scene.incident(of: "unit:web.service", "recovered")
      #expect(try await scene.property("ActiveState", of: "web.service") == "active", "\(end)")
    }
  }
}
