/// The page's only script: it fetches the page again when something happens, and every five
/// seconds. Without it the page reloads itself.
enum PageScript {
  static let text = """
    "use strict";
    (() => {
      let busy = false;
      async function refresh() {
        if (busy || document.hidden) return;
        busy = true;
        try {
          const answer = await fetch(location.href, {credentials: "same-origin"});
          if (answer.ok) {
            const page = new DOMParser().parseFromString(await answer.text(), "text/html");
            const fresh = page.getElementById("main");
            if (fresh) document.getElementById("main").replaceWith(fresh);
            document.title = page.title;
            document.body.classList.remove("lost");
          }
        } catch (error) {
          document.body.classList.add("lost");
        }
        busy = false;
      }
      let soon = 0;
      new EventSource("/api/v1/events").addEventListener("entry", () => {
        clearTimeout(soon);
        soon = setTimeout(refresh, 200);
      });
      setInterval(refresh, 5000);
      document.addEventListener("visibilitychange", refresh);
    })();

    """
}
