// Texts that a configuration's reader may be given: changed files (bytes, lines, words, halves of two), and files made
// from the description of the language with mistakes in them.
import DivertConfig
import DivertCore

/// Makes input after input; each is a function of the seed, its number and the corpus.
package struct FuzzInputs: Sendable {
  private let corpus: [String]
  package let seed: UInt64

  /// `corpus`: texts to begin with, at least one.
  package init(seed: UInt64, corpus: [String]) {
    self.seed = seed
    self.corpus = corpus
  }

  /// Input `number` of the run.
  package func input(_ number: UInt64) -> String {
    var random = SeededGenerator(seed: seed, number: number)
    if random.once(in: 4) {
      var grammar = GrammarInput(random)
      let text = grammar.file()
      random = grammar.random
      return random.once(in: 3) ? changed(text, &random) : text
    }
    return changed(random.one(of: corpus), &random)
  }

  private func changed(_ text: String, _ random: inout SeededGenerator) -> String {
    switch random.below(5) {
    case 0: return bytes(text, &random)
    case 1: return lines(text, &random)
    case 2: return words(text, &random)
    case 3: return halves(text, random.one(of: corpus), &random)
    default: return pieces(text, &random)
    }
  }

  /// Bytes overwritten, removed, put in: often no longer UTF-8, which is repaired as a reader of files would not do.
  private func bytes(_ text: String, _ random: inout SeededGenerator) -> String {
    var bytes = Array(text.utf8)
    for _ in 0...random.below(6) {
      let place = random.below(bytes.count + 1)
      switch random.below(4) {
      case 0 where place < bytes.count: bytes[place] = UInt8(random.below(256))
      case 1 where place < bytes.count: bytes[place] ^= 1 << UInt8(random.below(8))
      case 2: bytes.removeSubrange(place..<min(bytes.count, place + random.below(20)))
      default: bytes.insert(UInt8(random.below(128)), at: place)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Lines doubled, removed, moved, indented, taken from another file.
  private func lines(_ text: String, _ random: inout SeededGenerator) -> String {
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    for _ in 0...random.below(4) where !lines.isEmpty {
      let place = random.below(lines.count)
      switch random.below(6) {
      case 0: lines.remove(at: place)
      case 1: lines.insert(lines[place], at: random.below(lines.count))
      case 2: lines.swapAt(place, random.below(lines.count))
      case 3: lines[place] = String(repeating: " ", count: random.below(5)) + lines[place]
      case 4: lines[place] = String(lines[place].drop { $0 == " " })
      default:
        let other = random.one(of: corpus).split(separator: "\n").map(String.init)
        let from = random.below(other.count)
        lines.insert(contentsOf: other[from..<min(other.count, from + random.below(6))], at: place)
      }
    }
    return lines.joined(separator: "\n")
  }

  /// Words replaced by other words of the language.
  private func words(_ text: String, _ random: inout SeededGenerator) -> String {
    var parts: [String] = []
    var isWord = false
    for scalar in text.unicodeScalars {
      let belongs = scalar.properties.isAlphabetic || "_.0123456789".unicodeScalars.contains(scalar)
      if belongs == isWord, !parts.isEmpty {
        parts[parts.count - 1].unicodeScalars.append(scalar)
      } else {
        parts.append(String(scalar))
      }
      isWord = belongs
    }
    for _ in 0...random.below(4) where !parts.isEmpty { parts[random.below(parts.count)] = Vocabulary.word(&random) }
    return parts.joined()
  }

  private func halves(_ first: String, _ second: String, _ random: inout SeededGenerator) -> String {
    let one = Array(first.unicodeScalars)
    let other = Array(second.unicodeScalars)
    var view = String.UnicodeScalarView()
    view.append(contentsOf: one.prefix(random.below(one.count + 1)))
    view.append(contentsOf: other.dropFirst(random.below(other.count + 1)))
    return String(view)
  }

  /// Characters that mean something in YAML or in templates, put in anywhere.
  private func pieces(_ text: String, _ random: inout SeededGenerator) -> String {
    var scalars = Array(text.unicodeScalars)
    for _ in 0...random.below(6) {
      let place = random.below(scalars.count + 1)
      let end = min(scalars.count, place + random.below(40))
      switch random.below(3) {
      case 0: scalars.removeSubrange(place..<end)
      case 1: scalars.insert(contentsOf: random.one(of: Vocabulary.pieces).unicodeScalars, at: place)
      default: scalars.insert(contentsOf: scalars[place..<end], at: random.below(scalars.count + 1))
      }
    }
    var view = String.UnicodeScalarView()
    view.append(contentsOf: scalars)
    return String(view)
  }
}

/// Words and signs that stand in such files.
enum Vocabulary {
  static let pieces = [
    "{{", "}}", "{", "}", "[", "]", ":", ": ", "\n", "\n  ", "- ", "\"", "'", "|", ">", "&a ", "*a", "<<: *a", "!!int ",
    "#", " #", "\t", "? ", "---\n", "...\n", "%YAML 1.1\n", "\u{0}", "\u{85}", "\u{2028}", "\u{feff}", "नमस्ते", "😀",
    "\u{E7FF}", "\u{E800}", "when", "secrets.x", "target.hook", "arguments.text", "9999999999999999999d", "-1", "..",
    "*.*", "\r\n", "{{ agent }}", "{{ call.failed_reason }}", "{{ raw.a.0 | default: 'x' | upper }}", "(a+)+$", "\\",
    "any: [", "not: {", "also:\n", "routes:\n", "tables: {", "é\u{301}",
  ]

  static let fields = LanguagePart.allCases.flatMap { $0.description.fields.map(\.name) }

  static let values = [
    "true", "false", "null", "0", "1", "-5", "1e400", "007", "5s", "10m", "6d 1h", "100/min", "256KiB", "5s..15m",
    "08:00-18:00", "2026-01-15T16:00:25+05:30", "mon", "2xx", "500-504", "IN", "Asia/Kolkata", "none", "natural",
    "https://a.example.com", "/path", "", "x", "retry_after", "http", "crm.note", "crm", "a.b.c", "::1/128",
    "10.0.0.0/8",
  ]

  static func word(_ random: inout SeededGenerator) -> String {
    switch random.below(6) {
    case 0: random.one(of: fields)
    case 1: random.one(of: EventField.allCases.map(\.rawValue) + ["local.time", "local.weekday", "raw.a", "now"])
    case 2: random.one(of: Filter.allCases.map(\.rawValue))
    case 3: random.one(of: Array(EventCase.names).sorted() + ["INCOMING", "OUTGOING", "REJECT", "END", "FAILED"])
    case 4: random.one(of: Presets.names)
    default: random.one(of: values)
    }
  }
}
