// Regular expressions: what they find, what is refused, and that no expression and no text makes them slow.
import DivertCore
import Testing

@Suite struct PatternTests {
  private func finds(_ source: String, _ text: String) -> Bool {
    PatternCache().finds(Pattern(checked: source), in: text)
  }

  @Test(
    "an expression is found where it should be",
    arguments: [
      ("", "", true), ("a", "", false), ("b", "abc", true), ("^b", "abc", false), ("c$", "abc", true),
      ("^abc$", "abc", true),
      ("a.c", "a\nc", false), ("a.c", "aXc", true), ("no_service|no_team", "error: no_team", true), ("a|b|", "", true),
      ("^(a|b)+$", "abba", true), ("^(a|b)+$", "abca", false), ("^a{2,3}$", "aa", true), ("^a{2,3}$", "aaaa", false),
      ("^a{2}$", "aaa", false), ("^a{2,}$", "aaaaa", true), ("^a{,2}$", "aaa", false), ("^a?b$", "b", true),
      (#"^\+91[6-9]\d{9}$"#, "+919876543210", true), (#"^\+91[6-9]\d{9}$"#, "+911234567890", false),
      (#"\bcat\b"#, "a cat sat", true), (#"\bcat\b"#, "concatenate", false), (#"\Bcat"#, "concat", true),
      (#"^[^\s,]+$"#, "a b", false), (#"^[\w.-]+@[a-z]+\.in$"#, "asha.rao@example.in", true), ("[]a]", "]", true),
      ("[a-]", "-", true), (#"[\]\\]"#, "\\", true), ("(?i)hello", "HeLLo", true), ("hello", "HeLLo", false),
      ("(?i)[a-f]+$", "DEAF", true), ("(?i)é", "É", true), (#"\d"#, "४", true), (#"^\w+$"#, "नमस्ते", true),
      (#"\x41\u0042\u{1F600}"#, "AB😀", true), ("^(?:ab)*$", "ababab", true), ("(?<year>[0-9]{4})", "in 2026", true),
      ("a+?b", "aab", true), (#"\A\d+\z"#, "123", true), ("(a*)*$", "aaa", true), ("(|a)+b", "aab", true),
      ("x*", "y", true),
    ])
  func found(source: String, text: String, wanted: Bool) {
    #expect(Pattern.check(source) == nil)
    #expect(finds(source, text) == wanted, "\(source) in \(text)")
  }

  @Test(
    "what cannot be read is refused with its reason",
    arguments: [
      ("(a", "never closed by ')'"), ("a)", "no '(' before it"), ("[a", "never closed by ']'"),
      ("*a", "nothing stands before '*'"),
      ("a**", "followed by '*'"), ("a++", "followed by '+'"), (#"(a)\1"#, "back-references"), ("(?=a)", "look-around"),
      ("(?<!a)b", "look-around"), ("a{3,2}", "smaller number"), ("a{2000}", "up to 1000"),
      ("(a{1000}){1000}", "too large"),
      ("{", "write '\\{'"), ("a{x}", "write '\\{'"), ("[z-a]", "backwards"), (#"\q"#, "means nothing"),
      ("\\", "nothing stands behind"),
      (#"\u{110000}"#, "by its number"), ("[[:alpha:]]", "within"), ("^*", "anchor"), ("(?#x)", "only '(?:'"),
      (String(repeating: "(", count: 100) + String(repeating: ")", count: 100), "deeper than 50"),
    ])
  func refused(source: String, reason: String) {
    #expect(Pattern.check(source)?.contains(reason) == true, "\(Pattern.check(source) ?? "accepted")")
    #expect(!finds(source, "anything"))
  }

  @Test(
    "expressions that end backtracking machines read each character once",
    arguments: [
      "^(a+)+$", "^(a|a)*$", "^(a|aa)+$", "(x+x+)+y", "^(([a-z])+.)+[A-Z]([a-z])+$", "a*a*a*a*a*a*a*b",
      "(.*)*(.*)*(.*)*!",
    ])
  func linear(source: String) {
    let text = String(repeating: "a", count: 20_000) + "?"
    #expect(Pattern.check(source) == nil)
    #expect(!finds(source, text))
  }

  @Test("of an endless text the beginning is looked at, and its end is not taken for the text's")
  func long() {
    let text = String(repeating: "a", count: 70_000) + "b"
    #expect(finds("a", text))
    #expect(!finds("b", text))
    #expect(!finds("a$", text))
    #expect(finds("^a", text))
  }

  @Test("random expressions find what a simple machine that tries everything finds")
  func model() {
    var random = SystemGenerator(state: 7)
    for _ in 0..<3000 {
      let source = Self.expression(3, &random)
      let text = String(
        (0..<Int.random(in: 0...6, using: &random)).map { _ in "abc".randomElement(using: &random) ?? "a" })
      guard Pattern.check(source) == nil, let reference = try? Regex(source).matchingSemantics(.unicodeScalar) else {
        continue
      }
      #expect(finds(source, text) == ((try? reference.firstMatch(in: text)) != nil), "\(source) in '\(text)'")
    }
  }

  private struct SystemGenerator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var z = state
      z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
      return z ^ (z >> 31)
    }
  }

  private static func expression(_ depth: Int, _ random: inout SystemGenerator) -> String {
    let kind = depth == 0 ? 0 : Int.random(in: 0...6, using: &random)
    func inner() -> String { expression(depth - 1, &random) }
    switch kind {
    case 0, 1: return ["a", "b", "c", ".", "[ab]", "[^a]", #"\w"#].randomElement(using: &random) ?? "a"
    case 2: return inner() + inner()
    case 3: return "(?:" + inner() + "|" + inner() + ")"
    case 4: return "(?:" + inner() + ")" + (["*", "+", "?", "{2}", "{1,2}"].randomElement(using: &random) ?? "*")
    case 5: return "^" + inner()
    default: return inner() + "$"
    }
  }
}
