import CLinux

/// What the C library says about an error number, in lower case as our messages are.
func errorText(_ code: Int32) -> String {
  guard let text = clinux_error_text(code) else { return "error \(code)" }
  return String(cString: text).lowercased()
}
