/// What all pages have around them.
enum PageFrame {
  /// - Parameter isLive: whether it refreshes itself.
  static func page(_ title: String, isLive: Bool = false, _ main: HTML) -> HTML {
    let refresh: HTML =
      isLive
      ? """
      <script src="/page.js" defer></script>
      <noscript><meta http-equiv="refresh" content="5"></noscript>
      """ : .none
    return """
      <!doctype html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <title>\(title)</title>
      <link rel="stylesheet" href="/style.css">
      \(refresh)
      </head>
      <body>
      <main id="main">
      \(main)
      </main>
      </body>
      </html>

      """
  }
}

/// A page that says one thing.
enum MessagePage {
  static func page(_ title: String, _ message: String) -> HTML {
    PageFrame.page(
      title, "<h1>\(title)</h1><p>\(message)</p><p><a href=\"/\">Back to the status page</a></p>")
  }
}

/// For those who have no session.
enum SignInPage {
  static func page(_ message: String) -> HTML {
    PageFrame.page(
      "Lifeguard: sign in",
      """
      <h1>Lifeguard</h1>
      <p>\(message)</p>
      <p>Run this on the host, and open the link that it prints:</p>
      <pre>lifeguard token --link</pre>
      """)
  }
}
