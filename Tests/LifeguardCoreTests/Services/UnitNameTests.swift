import LifeguardCore
import Testing

@Suite struct UnitNameTests {
  @Test(arguments: [
    ("nginx", "nginx.service"), ("nginx.service", "nginx.service"), ("my.app", "my.app.service"),
    ("data.mount", "data.mount"), ("getty@tty1", "getty@tty1.service"), ("-.mount", "-.mount"),
  ])
  func `a short name is completed as systemctl completes it`(_ text: String, _ whole: String) {
    #expect(UnitName.canonical(text) == whole)
    #expect(Target("unit:\(text)") == Target(.unit, whole))
  }

  @Test(arguments: ["", "*", "web*", "web?", "web[12]", "a b", "a/b", ".", "../x", "a\u{0}", "ü"])
  func `a pattern, and what cannot be one unit, is no name`(_ text: String) {
    #expect(UnitName.canonical(text) == nil)
  }

  @Test func `a unit and the service that it is are one target, however they are written`() {
    let web = Service(name: "web", handle: .unit("nginx.service"))
    let policy = Policy(host: "h", services: [web])
    let target = Target(.unit, "nginx.service")
    for text in ["service:web", "unit:nginx", "unit:nginx.service"] {
      #expect(Target(text).map(policy.canonical) == target, "\(text)")
      #expect(Target(text).flatMap(policy.service)?.name == "web", "\(text)")
    }
    #expect(policy.canonical(Target(.unit, "nginx")) == target)
    #expect(policy.canonical(Target(.unit, "other")) == Target(.unit, "other.service"))
    #expect(policy.conflict(policy.canonical(Target(.unit, "nginx")), web.target))
  }
}
