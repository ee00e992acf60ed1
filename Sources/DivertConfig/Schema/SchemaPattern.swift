// The small grammar as regular expressions (ECMA-262, as JSON Schema has them), made of the parsers' own tables.
import DivertCore

enum SchemaPattern {
  private static let durationText = "[0-9]+(ms|s|m|h|d)( *[0-9]+(ms|s|m|h|d))*"
  private static let clockText = "(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)"
  private static let statusText = "[1-5][0-9][0-9]"

  /// A list of what follows later, in a test.
  static let stage = "^after +\(durationText)$"
  static let duration = "^\(durationText)$"
  static let backoff = "^\(durationText)\\.\\.\(durationText)$"
  static let rate = "^0*[1-9][0-9]*/(\(either(SmallGrammar.rateWords.keys))|\(durationText))$"
  static let size = "^0*[1-9][0-9]* *(\(either(SmallGrammar.sizeUnits.keys)))$"
  static let clock = "^\(clockText)$"
  static let clockRange = "^ *\(clockText) *- *\(clockText) *$"
  static let statuses = "^([1-5]xx|\(statusText)|\(statusText)-\(statusText))$"
  static let moment =
    "^[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]+)?)?)?([Zz]|[+-][0-9]{2}(:?[0-9]{2})?)$"
  static let date = "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"
  static let name = "^\(nameText)$"
  static let send = "^\(nameText)\\.\(nameText)$"
  static let zone = "^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$"
  static let path = "^(/.*|[^./][^.]*(\\.[^.]+)*)$"
  static let requestPath = "^([/?]|$)"
  static let lookupPath = "^\(nameText):[/?]"
  /// A lookup's field, in a condition; in a step's also `steps.…` and `arguments.…`.
  static let lookupField = "^(?!(call|customer|chat|device|local|raw|secrets)\\.)\(nameText)\\.."
  static let line = "^[^\\r\\n]*$"
  static let template = "\\{\\{"
  static let rawPath = "^raw[./]"
  /// A template that names the event's own id.
  static let ownID = "\\{\\{ *id *[?|}]"

  private static let nameText = "[A-Za-z0-9_-]{1,64}"

  /// Scheme and host: literal, without user or password, or a secret; the rest is anything but a `#`.
  static let address: String = {
    let secret = "\\{\\{[^{}]*secrets\\.[^{}]*\\}\\}"
    return "^(\(secret)|\(anyCase("http"))[sS]?://([^/?#@{} \\t]|\(secret))+([/?].*)?$)"
  }()

  /// A token of RFC 9110 that is none of the headers that Divert sets.
  static let header: String = {
    let own = Language.ownHeaders.map(anyCase).joined(separator: "|")
    return "^(?!(\(own))$)[!#$%&'*+.^_`|~0-9A-Za-z-]+$"
  }()

  static let address4or6: String = {
    let byte = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
    let four = "(\(byte)\\.){3}\(byte)(/(3[0-2]|[12]?[0-9]))?"
    let six = "[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(/(12[0-8]|1[01][0-9]|[1-9]?[0-9]))?"
    return "^(\(four)|\(six))$"
  }()

  /// The longest first, so that a shorter one does not end the search.
  private static func either(_ words: some Sequence<String>) -> String {
    words.sorted { ($1.count, $0) < ($0.count, $1) }.joined(separator: "|")
  }

  private static func anyCase(_ word: String) -> String {
    word.map { $0.isLetter ? "[\($0.uppercased())\($0.lowercased())]" : "\($0)" }.joined()
  }
}
