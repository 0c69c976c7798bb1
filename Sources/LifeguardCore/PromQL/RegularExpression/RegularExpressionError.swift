/// A pattern that RE2 would refuse; the text is that of Go's `regexp/syntax`.
public struct RegularExpressionError: Error, Hashable, Sendable, CustomStringConvertible {
  public enum Code: String, Sendable, Hashable {
    case invalidClass = "invalid character class"
    case invalidRange = "invalid character class range"
    case invalidEscape = "invalid escape sequence"
    case invalidNamedCapture = "invalid named capture"
    case duplicateName = "duplicate capture group name"
    case invalidPerlOperator = "invalid or unsupported Perl syntax"
    case nestedRepetition = "invalid nested repetition operator"
    case invalidRepeatCount = "invalid repeat count"
    case missingBracket = "missing closing ]"
    case missingParenthesis = "missing closing )"
    case missingRepeatArgument = "missing argument to repetition operator"
    case trailingBackslash = "trailing backslash at end of expression"
    case unexpectedParenthesis = "unexpected )"
    case nestingTooDeep = "expression nests too deeply"
    case tooLarge = "expression too large"
  }

  public var code: Code
  /// The part of the pattern that is wrong.
  public var fragment: String

  public var message: String { description }

  public var description: String {
    // Go leaves the fragment out where there is nothing to show.
    code == .trailingBackslash
      ? "error parsing regexp: \(code.rawValue): ``"
      : "error parsing regexp: \(code.rawValue): `\(fragment)`"
  }
}
