// The text of a regular expression (`matches:`) → PatternNode, when a file is read. What cannot be matched in linear time
// (back-references, look-around) is refused here, with its place and reason.

/// A regular expression as a tree.
indirect enum PatternNode {
  case empty
  case test(ScalarTest)
  case assertion(PatternAssertion)
  case sequence([PatternNode])
  case either([PatternNode])
  /// `most` nil: no bound.
  case repeated(PatternNode, least: Int, most: Int?)
}

enum PatternAssertion {
  case start, end, wordEdge, noWordEdge
}

/// What is wrong with a regular expression.
struct PatternFault: Error {
  var reason: String
  init(_ reason: String) { self.reason = reason }
}

/// A cursor over a regular expression's scalars.
struct PatternParser {
  private let text: [Unicode.Scalar]
  private var at = 0
  private var depth = 0
  private var ignoresCase = false

  static let maxDepth = 50
  static let maxRepeat = 1000

  /// Reads a whole regular expression.
  static func parse(_ source: String) throws(PatternFault) -> PatternNode {
    var parser = PatternParser(source)
    if parser.skip("(?i)") { parser.ignoresCase = true }
    let node = try parser.alternatives()
    guard parser.at == parser.text.count else { throw PatternFault("a ')' has no '(' before it") }
    return node
  }

  private init(_ source: String) { text = Array(source.unicodeScalars) }

  private mutating func alternatives() throws(PatternFault) -> PatternNode {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.maxDepth else { throw PatternFault("groups are nested deeper than \(Self.maxDepth)") }
    var branches = [try sequence()]
    while skip("|") { branches.append(try sequence()) }
    return branches.count == 1 ? branches[0] : .either(branches)
  }

  private mutating func sequence() throws(PatternFault) -> PatternNode {
    var items: [PatternNode] = []
    while let scalar = next, scalar != "|", scalar != ")" {
      let atom = try self.atom()
      items.append(try repeated(atom))
    }
    return items.isEmpty ? .empty : items.count == 1 ? items[0] : .sequence(items)
  }

  private mutating func atom() throws(PatternFault) -> PatternNode {
    guard let scalar = next else { return .empty }
    at += 1
    switch scalar {
    case "(": return try group()
    case "[": return .test(try set())
    case ".": return .test(.any)
    case "^": return .assertion(.start)
    case "$": return .assertion(.end)
    case "\\": return try escape()
    case "*", "+", "?": throw PatternFault("nothing stands before '\(scalar)' that could be repeated")
    case "{": throw PatternFault("nothing stands before '{' that could be repeated; write '\\{' for the brace itself")
    default: return .test(.scalar(scalar, ignoresCase: ignoresCase))
    }
  }

  private mutating func group() throws(PatternFault) -> PatternNode {
    if skip("?") {
      for look in ["=", "!", "<=", "<!"] where skip(look) {
        throw PatternFault("look-around ('(?\(look)') is not supported")
      }
      if skip("<") || skip("P<") {
        while let scalar = next, scalar != ">" { at += 1 }
        guard skip(">") else { throw PatternFault("the name of a group is never closed by '>'") }
      } else if !skip(":") {
        throw PatternFault("only '(?:', '(?<name>' and, at the beginning, '(?i)' may stand behind '(?'")
      }
    }
    let node = try alternatives()
    guard skip(")") else { throw PatternFault("a '(' is never closed by ')'") }
    return node
  }

  private mutating func repeated(_ atom: PatternNode) throws(PatternFault) -> PatternNode {
    guard let scalar = next, "*+?{".unicodeScalars.contains(scalar) else { return atom }
    if case .assertion = atom { throw PatternFault("an anchor cannot be repeated") }
    at += 1
    let node: PatternNode
    switch scalar {
    case "*": node = .repeated(atom, least: 0, most: nil)
    case "+": node = .repeated(atom, least: 1, most: nil)
    case "?": node = .repeated(atom, least: 0, most: 1)
    default: node = try counted(atom)
    }
    // `*?` finds the same texts as `*`.
    _ = skip("?")
    if let again = next, "*+?{".unicodeScalars.contains(again) {
      throw PatternFault("'\(scalar)' is followed by '\(again)': write a group, such as (?:a+)?")
    }
    return node
  }

  private mutating func counted(_ atom: PatternNode) throws(PatternFault) -> PatternNode {
    let least = number()
    let most: Int? = skip(",") ? number() : least
    let open = at > 0 && text[at - 1] == ","
    guard skip("}"), least != nil || most != nil else {
      throw PatternFault("a repetition is written {3}, {2,} or {2,5}; write '\\{' for the brace itself")
    }
    guard max(least ?? 0, most ?? 0) <= Self.maxRepeat, open || (least ?? 0) <= (most ?? 0) else {
      throw PatternFault("a repetition goes up to \(Self.maxRepeat), and from the smaller number to the greater one")
    }
    return .repeated(atom, least: least ?? 0, most: open ? nil : most)
  }

  private mutating func number() -> Int? {
    var value: Int?
    while let scalar = next, scalar >= "0", scalar <= "9", (value ?? 0) < 100_000 {
      value = (value ?? 0) * 10 + Int(scalar.value - 48)
      at += 1
    }
    return value
  }

  private var next: Unicode.Scalar? { at < text.count ? text[at] : nil }

  private mutating func skip(_ word: String) -> Bool {
    let scalars = Array(word.unicodeScalars)
    guard at + scalars.count <= text.count, Array(text[at..<at + scalars.count]) == scalars else { return false }
    at += scalars.count
    return true
  }
}

// Escapes and sets.
extension PatternParser {
  private mutating func escape() throws(PatternFault) -> PatternNode {
    switch next {
    case "b": return assertion(.wordEdge)
    case "B": return assertion(.noWordEdge)
    case "A": return assertion(.start)
    case "z", "Z": return assertion(.end)
    case let scalar? where scalar >= "1" && scalar <= "9":
      throw PatternFault("back-references ('\\\(scalar)') are not supported")
    default: break
    }
    if let kind = try kind() { return .test(.set([.kind(kind)], negated: false, ignoresCase: ignoresCase)) }
    return .test(.scalar(try escaped(), ignoresCase: ignoresCase))
  }

  private mutating func assertion(_ assertion: PatternAssertion) -> PatternNode {
    at += 1
    return .assertion(assertion)
  }

  /// `d`, `w`, `s` and their opposites, behind a `\`.
  private mutating func kind() throws(PatternFault) -> ScalarTest.Kind? {
    let kinds: [Unicode.Scalar: ScalarTest.Kind] = [
      "d": .digit, "D": .noDigit, "w": .word, "W": .noWord, "s": .blank, "S": .noBlank,
    ]
    guard let scalar = next else { throw PatternFault("nothing stands behind the '\\' at the end") }
    guard let kind = kinds[scalar] else { return nil }
    at += 1
    return kind
  }

  /// The one character that an escape means, behind its `\`.
  private mutating func escaped() throws(PatternFault) -> Unicode.Scalar {
    guard let scalar = next else { throw PatternFault("nothing stands behind the '\\' at the end") }
    at += 1
    switch scalar {
    case "n": return "\n"
    case "r": return "\r"
    case "t": return "\t"
    case "f": return "\u{0C}"
    case "x": return try hexadecimal(2)
    case "u": return try hexadecimal(4)
    default:
      guard !scalar.properties.isAlphabetic, !("0"..."9").contains(scalar) else {
        throw PatternFault("'\\\(scalar)' means nothing here")
      }
      return scalar
    }
  }

  /// `41`, `0041` or `{1F600}`.
  private mutating func hexadecimal(_ digits: Int) throws(PatternFault) -> Unicode.Scalar {
    let braces = skip("{")
    var value: UInt32 = 0
    var count = 0
    while count < (braces ? 6 : digits), let digit = next.flatMap({ Character($0).hexDigitValue }) {
      value = value * 16 + UInt32(digit)
      count += 1
      at += 1
    }
    guard count > 0, braces ? skip("}") : count == digits, let scalar = Unicode.Scalar(value) else {
      throw PatternFault("a character by its number is written \\x41, \\u0041 or \\u{1F600}")
    }
    return scalar
  }

  /// Behind a `[`.
  private mutating func set() throws(PatternFault) -> ScalarTest {
    let negated = skip("^")
    var items: [ScalarTest.Item] = []
    while let scalar = next, scalar != "]" || items.isEmpty {
      if scalar == "[" { throw PatternFault("a '[' within '[…]' is written '\\['") }
      items.append(try item())
    }
    guard skip("]") else { throw PatternFault("a '[' is never closed by ']'") }
    return .set(items, negated: negated, ignoresCase: ignoresCase)
  }

  private mutating func item() throws(PatternFault) -> ScalarTest.Item {
    if skip("\\") {
      if let kind = try kind() { return .kind(kind) }
      return try range(from: try escaped())
    }
    let scalar = text[at]
    at += 1
    return try range(from: scalar)
  }

  private mutating func range(from first: Unicode.Scalar) throws(PatternFault) -> ScalarTest.Item {
    guard next == "-", at + 1 < text.count, text[at + 1] != "]" else { return .range(first...first) }
    at += 1
    var last = text[at]
    at += 1
    if last == "\\" { last = try escaped() }
    guard first <= last else { throw PatternFault("the range '\(first)-\(last)' runs backwards") }
    return .range(first...last)
  }
}
