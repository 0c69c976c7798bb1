"""A browser for the tests: opens a page, presses a button, and says where that led.

usage: browser.py CHROMIUM LINK SELECTOR
Drives a headless Chromium over its debugging pipe (https://chromedevtools.github.io), with a profile
of its own. Prints {"status": …, "url": …, "text": …} of the page that the button led to; the status
is that of the answer to the button's own request.
"""
import json, os, subprocess, sys, tempfile

chromium, link, selector = sys.argv[1:]


class Browser:
    """Commands go out on descriptor 3 and answers come in on 4, each ended by a zero byte."""

    def __init__(self, profile):
        self.input, out = os.pipe()
        into, self.output = os.pipe()

        def arrange():
            # High numbers first: a pipe may have been given 3 or 4 itself.
            os.dup2(into, 103)
            os.dup2(out, 104)
            os.dup2(103, 3)
            os.dup2(104, 4)

        self.process = subprocess.Popen(
            [
                chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                "--no-first-run", "--disable-background-networking", "--remote-debugging-pipe",
                f"--user-data-dir={profile}", "about:blank",
            ],
            preexec_fn=arrange, close_fds=False, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        os.close(into)
        os.close(out)
        self.buffer = b""
        self.count = 0
        self.session = None
        self.events = []

    def receive(self):
        while b"\0" not in self.buffer:
            piece = os.read(self.input, 65536)
            if not piece:
                sys.exit("the browser has ended")
            self.buffer += piece
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def ask(self, method, **parameters):
        self.count += 1
        message = {"id": self.count, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.output, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.receive()
            if answer.get("id") == self.count:
                if "error" in answer:
                    sys.exit(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def next(self):
        return self.events.pop(0) if self.events else self.receive()

    def wait(self, method):
        while True:
            event = self.next()
            if event.get("method") == method:
                return event["params"]

    def value(self, expression):
        return self.ask("Runtime.evaluate", expression=expression)["result"].get("value")


with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
    browser = Browser(profile)
    try:
        target = browser.ask("Target.createTarget", url="about:blank")["targetId"]
        attached = browser.ask("Target.attachToTarget", targetId=target, flatten=True)
        browser.session = attached["sessionId"]
        browser.ask("Page.enable")
        browser.ask("Network.enable")
        browser.ask("Page.navigate", url=link)
        browser.wait("Page.loadEventFired")
        pressed = browser.value(
            f"(b => b ? (b.click(), true) : false)(document.querySelector({json.dumps(selector)}))"
        )
        if not pressed:
            sys.exit(f"no {selector} in: " + str(browser.value("document.body.innerText")))
        while True:
            request = browser.wait("Network.requestWillBeSent")
            if request["request"]["method"] == "POST":
                break
        # What came after a POST is its answer: a redirect to the page, or a refusal.
        first = None
        while first is None:
            event = browser.next()
            kind, details = event.get("method"), event.get("params", {})
            if details.get("requestId") != request["requestId"]:
                continue
            if kind == "Network.requestWillBeSent" and "redirectResponse" in details:
                first = details["redirectResponse"]["status"]
            elif kind == "Network.responseReceived":
                first = details["response"]["status"]
        browser.wait("Page.loadEventFired")
        print(
            json.dumps(
                {
                    "status": first,
                    "url": browser.value("location.href"),
                    "text": browser.value("document.body.innerText"),
                }
            )
        )
    finally:
        browser.process.kill()
        browser.process.wait()
