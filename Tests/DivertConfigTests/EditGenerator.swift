// Random YAML files for the edits' property test: block and flow style, comments that each have a number and an owner,
// odd indentation, all kinds of scalars, three kinds of line breaks.

/// A generated text, and whose its comments are.
struct GeneratedFile {
  var text = ""
  /// By path: what goes with the part when it is removed.
  var owned: [[String]: Set<Int>] = [:]
  /// By path: what goes when the part gets another value.
  var inside: [[String]: Set<Int>] = [:]
  var comments = 0
}

struct EditGenerator {
  var random: Seeded
  private var file = GeneratedFile()
  private let lineBreak: String
  private let step: Int
  private let isIndentless: Bool
  private let isSpaced: Bool

  init(seed: UInt64) {
    random = Seeded(state: seed)
    lineBreak = ["\n", "\n", "\r\n"].randomElement(using: &random) ?? "\n"
    step = [2, 2, 3, 4].randomElement(using: &random) ?? 2
    isIndentless = Bool.random(using: &random)
    isSpaced = Int.random(in: 0..<3, using: &random) == 0
  }

  mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

  static func make(seed: UInt64) -> (file: GeneratedFile, random: Seeded) {
    var generator = EditGenerator(seed: seed)
    if generator.chance(15) { generator.file.text = "\u{FEFF}" }
    generator.mapping(column: 0, path: [], depth: 0)
    if generator.chance(15) { generator.line("# end of the file") }
    if generator.chance(20) {
      generator.file.text.unicodeScalars.removeLast(generator.lineBreak.unicodeScalars.count)
    }
    return (generator.file, generator.random)
  }

  // MARK: Comments

  private mutating func line(_ text: String) { file.text += text + lineBreak }

  /// A comment's text; it goes when one of these parts is removed, or what it stands in is replaced.
  private mutating func comment(of path: [String], isInValue: Bool = false) -> String {
    file.comments += 1
    let number = file.comments
    file.owned[path, default: []].insert(number)
    if isInValue { file.inside[path, default: []].insert(number) }
    for depth in 0..<path.count {
      file.owned[Array(path.prefix(depth)), default: []].insert(number)
      file.inside[Array(path.prefix(depth)), default: []].insert(number)
    }
    return "# c\(number)c"
  }

  private mutating func trailing(_ path: [String], isInValue: Bool = false) -> String {
    chance(25) ? "  " + comment(of: path, isInValue: isInValue) : ""
  }

  private mutating func above(_ path: [String], _ column: Int) {
    let blanks = String(repeating: " ", count: column)
    if chance(10) {
      // A section's remark: of what is around, since an empty line parts it from what follows.
      line("")
      line(blanks + comment(of: Array(path.dropLast()), isInValue: true))
      line("")
    } else if chance(isSpaced ? 80 : 5) {
      line("")
    }
    for _ in 0..<(chance(25) ? Int.random(in: 1...2, using: &random) : 0) { line(blanks + comment(of: path)) }
  }

  /// What opens the file belongs to no entry of it.
  private mutating func head(_ path: [String]) {
    if chance(50) { line("# the file's head") }
    guard chance(50) else { return }
    line("")
    above(path, 0)
  }

  private mutating func below(_ path: [String], _ column: Int) {
    guard chance(8) else { return }
    line(String(repeating: " ", count: column + 1) + comment(of: path, isInValue: false))
  }

  // MARK: Block style

  private mutating func mapping(column: Int, path: [String], depth: Int, isInline: Bool = false) {
    for index in 0..<Int.random(in: 1...4, using: &random) {
      let key = key(index)
      let place = path + [key.name]
      if path.isEmpty, index == 0 {
        head(place)
      } else if !(isInline && index == 0) {
        above(place, column)
      }
      let lead = isInline && index == 0 ? "" : String(repeating: " ", count: column)
      value(lead + key.text + ":", column: column, path: place, depth: depth + 1)
    }
  }

  private mutating func key(_ index: Int) -> (name: String, text: String) {
    let name = ["key", "crm.log", "a key", "जवाब", "k"].randomElement(using: &random) ?? "k"
    let whole = name + "\(index)"
    switch Int.random(in: 0..<6, using: &random) {
    case 0: return (whole, "\"\(whole)\"")
    case 1: return (whole, "'\(whole)'")
    default: return (whole, whole)
    }
  }

  private mutating func value(_ lead: String, column: Int, path: [String], depth: Int) {
    switch Int.random(in: 0..<(depth > 3 ? 10 : 16), using: &random) {
    case 0: line(lead + trailing(path))
    case 1, 2: blockScalar(lead, column, path)
    case 3, 4: line(lead + " " + flow(depth: 0) + trailing(path))
    case 5: flowLines(lead, column, path)
    case 6...9:
      line(lead + " " + scalar(column) + trailing(path))
      below(path, column)
    case 10...12:
      line(lead + trailing(path))
      let deeper = column + (chance(10) ? step + 1 : step)
      mapping(column: deeper, path: path, depth: depth)
      below(path, column)
    default:
      line(lead + trailing(path))
      list(column: isIndentless ? column : column + step, path: path, depth: depth)
      if !isIndentless { below(path, column) }
    }
  }

  private mutating func list(column: Int, path: [String], depth: Int) {
    for index in 0..<Int.random(in: 1...3, using: &random) {
      let place = path + ["\(index)"]
      above(place, column)
      let lead = String(repeating: " ", count: column) + "-"
      if chance(30), depth < 4 {
        file.text += lead + " "
        mapping(column: column + 2, path: place, depth: depth + 1, isInline: true)
      } else {
        line(lead + " " + (chance(25) ? flow(depth: 0) : scalar(column)) + trailing(place))
      }
    }
  }

  private mutating func blockScalar(_ lead: String, _ column: Int, _ path: [String]) {
    let mark = ["|", ">", "|-", ">-", "|+", "|2"].randomElement(using: &random) ?? "|"
    let depth = mark == "|2" ? column + 2 : column + step
    line(lead + " " + mark + (mark == "|2" ? "" : trailing(path)))
    let blanks = String(repeating: " ", count: depth)
    for index in 0..<Int.random(in: 1...3, using: &random) {
      if index > 0, chance(20) { line("") }
      line(blanks + (["# no comment", "some text: here", "- no item", "{{ x }}"].randomElement(using: &random) ?? "x"))
    }
  }

  private mutating func scalar(_ column: Int) -> String {
    let plain = [
      "word", "two words", "+919876543210", "no", "08:00", "12", "https://x.example/a#b", "true", "it's", "null",
    ]
    let quoted = [
      "\"{{ customer.phone | mask }}\"", "'it''s'", "\"a \\\"b\\\" # c\"", "\"\"", "'x: y'", "\"नमस्ते 😀\"", "\"\\u0041\"",
    ]
    let deeper = lineBreak + String(repeating: " ", count: column + step + 1)
    let folded = ["some\(deeper)words", "\"some\(deeper)\(lineBreak)\(deeper)more\"", "'a\(deeper)b'"]
    if chance(10) { return folded.randomElement(using: &random) ?? "x" }
    return ((chance(50) ? plain : quoted).randomElement(using: &random) ?? "x")
  }

  // MARK: Flow style

  private mutating func flow(depth: Int) -> String {
    let parts = (0..<Int.random(in: 0...3, using: &random)).map { index -> (String, String) in
      let value = depth < 2 && chance(25) ? flow(depth: depth + 1) : flowScalar()
      return (key(index).text, value)
    }
    let comma = [", ", ",", " , "].randomElement(using: &random) ?? ", "
    let last = !parts.isEmpty && chance(10) ? "," : ""
    if chance(50) {
      let blank = chance(70) ? " " : ""
      return "{" + blank + parts.map { "\($0.0): \($0.1)" }.joined(separator: comma) + last + blank + "}"
    }
    return "[" + parts.map(\.1).joined(separator: comma) + last + "]"
  }

  private mutating func flowScalar() -> String {
    ["word", "two words", "12", "\"a, b\"", "'{'", "no", "a:b", "x#y"].randomElement(using: &random) ?? "x"
  }

  private mutating func flowLines(_ lead: String, _ column: Int, _ path: [String]) {
    let isMapping = Bool.random(using: &random)
    line(lead + (isMapping ? " {" : " [") + trailing(path, isInValue: true))
    let depth = column + step + 2
    let count = Int.random(in: 1...3, using: &random)
    for index in 0..<count {
      let key = isMapping ? key(index) : ("\(index)", "")
      let place = path + [key.0]
      if chance(20) { line(String(repeating: " ", count: depth) + comment(of: place)) }
      let comma = index + 1 < count || chance(20) ? "," : ""
      let value = (isMapping ? key.1 + ": " : "") + flowScalar()
      line(String(repeating: " ", count: depth) + value + comma + trailing(place))
    }
    line(String(repeating: " ", count: column + 1) + (isMapping ? "}" : "]") + trailing(path))
  }
}
