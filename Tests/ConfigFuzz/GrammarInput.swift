// Files made from the description of the language itself: mostly right, with something else where it should not be.
import DivertConfig
import DivertCore

struct GrammarInput {
  var random: SeededGenerator
  /// What may still be written, so that every file ends.
  private var budget = 400
  private static let targets = ["crm", "lead", "whatsapp"]
  private static let actions = ["note", "alert", "text"]

  init(_ random: SeededGenerator) { self.random = random }

  mutating func file() -> String {
    let text = mapping(.file, depth: 0, indent: 0)
    return random.once(in: 20) ? text : "version: 1\n" + text.replacing("version: 1\n", with: "")
  }

  private mutating func mapping(_ part: LanguagePart, depth: Int, indent: Int) -> String {
    var lines = ""
    for field in part.description.fields where field.required || random.once(in: depth == 0 ? 2 : 4) {
      guard budget > 0 else { break }
      budget -= 1
      let name = random.once(in: 60) ? Vocabulary.word(&random) : field.name
      lines += pad(indent) + name + ":" + value(field, part, depth: depth + 1, indent: indent + 2)
    }
    return lines.isEmpty ? pad(indent) + "{}\n" : lines
  }

  private mutating func value(_ field: FieldDescription, _ part: LanguagePart, depth: Int, indent: Int) -> String {
    if random.once(in: 40) { return " " + Vocabulary.word(&random) + "\n" }
    return value(field.kind, depth: depth, indent: indent)
  }

  /// What stands behind a `:`, with its line break.
  private mutating func value(_ kind: FieldKind, depth: Int, indent: Int) -> String {
    if depth > 9 || budget <= 0 { return " x\n" }
    switch kind {
    case .mapping(let part): return "\n" + mapping(part, depth: depth, indent: indent)
    case .named(let inner):
      let names = random.once(in: 3) ? ["a", "b", "long-name"] : depth == 1 ? Self.targets : Self.actions
      var lines = "\n"
      for name in names where !random.once(in: 4) {
        budget -= 1
        lines += pad(indent) + name + ":" + value(inner, depth: depth + 1, indent: indent + 2)
      }
      return lines == "\n" ? " {}\n" : lines
    case .entries(let inner): return " { a: " + flow(inner) + ", b-c: " + flow(inner) + " }\n"
    case .headers: return " { X-Key: " + template() + ", Accept: x }\n"
    case .condition: return condition(depth: depth, indent: indent)
    case .list(let inner):
      if case .send = inner { return "\n" + sends(depth: depth, indent: indent) }
      return " [" + (0...random.below(2)).map { _ in flow(inner) }.joined(separator: ", ") + "]\n"
    case .oneOrMore(let inner): return value(random.once(in: 3) ? .list(inner) : inner, depth: depth, indent: indent)
    case .either(let kinds): return value(kinds[random.below(kinds.count)], depth: depth, indent: indent)
    case .tree: return " " + tree(depth) + "\n"
    case .comparison: return " " + comparison() + "\n"
    default: return " " + flow(kind) + "\n"
    }
  }

  /// A value on one line.
  private mutating func flow(_ kind: FieldKind) -> String {
    switch kind {
    case .boolean: random.one(of: ["true", "false", "yes"])
    case .duration: random.one(of: ["5s", "10m", "24h", "6d 1h", "7d", "0s", "5"])
    case .rate: random.one(of: ["100/min", "5/s", "40000/day", "0/s"])
    case .size: random.one(of: ["256KiB", "64MiB", "1", "-1"])
    case .backoff: random.one(of: ["5s..15m", "1s..1s", "15m..5s"])
    case .clockRange: random.one(of: ["\"08:00-18:00\"", "\"18:00-08:00\"", "08:00-08:00"])
    case .date: random.one(of: ["2026-01-26", "2026-02-30", "x"])
    case .memoryKey: random.one(of: ["customer.phone", "agent", "id", "raw.a", "\"{{ waba }}\""])
    case .zone: random.one(of: ["UTC", "Asia/Kolkata", "Asia/Calcuta"])
    case .country: random.one(of: ["IN", "in", "DE", "XX"])
    case .path, .orderKey: random.one(of: ["customer.phone", "call.id", "none", "raw.a.0", "id"])
    case .address: random.one(of: ["https://a.example.com", "\"{{ secrets.url }}/x\"", "ftp://x", "https://"])
    case .requestPath: random.one(of: ["/calls", "\"/calls/{{ call.id }}\"", "\"\"", "calls", "?x={{ agent? }}"])
    case .addressBlock: random.one(of: ["10.0.0.0/8", "::1", "300.1.1.1"])
    case .targetType: random.one(of: Presets.names + ["http", "slak"])
    case .regex: random.one(of: ["\"^a+$\"", "\"(a|b)*c\"", "\"[\"", "\"\\\\d{3}\""])
    case .statuses: random.one(of: ["404", "2xx", "500-504", "99"])
    case .whole(let range): random.once(in: 5) ? "x" : "\(range.lowerBound + random.below(min(range.count, 1000)))"
    case .choice(let choices): random.one(of: choices)
    case .template: template()
    case .mapping(let part):
      "{ "
        + part.description.fields.filter { $0.required || random.once(in: 3) }
        .map { "\($0.name): \(random.one(of: Vocabulary.values))" }.joined(separator: ", ") + " }"
    default: random.once(in: 3) ? template() : random.one(of: Vocabulary.values)
    }
  }

  private mutating func template() -> String {
    let path = random.one(
      of: EventField.allCases.map(\.rawValue) + [
        "now", "raw.a", "arguments.text", "secrets.key", "idempotency_key", "target.hook",
      ])
    let filter = random.once(in: 3) ? " | " + random.one(of: Filter.allCases.map(\.rawValue)) : ""
    let argument =
      filter.isEmpty || random.once(in: 2) ? "" : ": " + random.one(of: ["x", "'a b'", "$agent", "4h", "3", "a, b"])
    let text = "{{ " + path + (random.once(in: 3) ? "?" : "") + filter + argument + " }}"
    switch random.below(6) {
    case 0: return text
    case 1: return "\"https://a.example.com/" + text + "\""
    case 2: return "'by " + text.replacing("'", with: "''") + "'"
    default: return "\"" + text + "\""
    }
  }

  private mutating func tree(_ depth: Int) -> String {
    budget -= 1
    switch depth > 8 ? 0 : random.below(5) {
    case 0: return template()
    case 1: return "[" + (0...random.below(2)).map { _ in tree(depth + 1) }.joined(separator: ", ") + "]"
    case 2: return "{ " + (0...random.below(2)).map { "k\($0): " + tree(depth + 1) }.joined(separator: ", ") + " }"
    default: return random.one(of: Vocabulary.values.filter { !$0.isEmpty })
    }
  }

  private mutating func sends(depth: Int, indent: Int) -> String {
    var lines = ""
    for _ in 0...random.below(3) {
      budget -= 1
      let name = random.one(of: Self.targets) + "." + random.one(of: Self.actions)
      switch random.below(4) {
      case 0: lines += pad(indent) + "- \(name)\n"
      case 1: lines += pad(indent) + "- \(name): { text: \(template()), to: \(template()) }\n"
      default: lines += pad(indent) + "- \(name): \(template())\n"
      }
      if random.once(in: 4), !lines.hasSuffix("- \(name)\n") {
        lines += mapping(.sendOptions, depth: depth, indent: indent + 2)
      }
    }
    return lines
  }

  private mutating func condition(depth: Int, indent: Int) -> String {
    var lines = "\n"
    for _ in 0...random.below(3) {
      budget -= 1
      let field = random.one(
        of: EventField.allCases.map(\.rawValue) + ["local.time", "local.weekday", "raw.a", "event", "event"])
      switch depth > 7 ? 4 : random.below(7) {
      case 0: lines += pad(indent) + "not:" + condition(depth: depth + 1, indent: indent + 2)
      case 1: lines += pad(indent) + "any: [{ \(field): \(comparison()) }, { direction: \(comparison()) }]\n"
      case 2: lines += pad(indent) + random.one(of: ["count: { at_least: 2, within: 7d }", "suppressed: false"]) + "\n"
      default: lines += pad(indent) + "\(field): \(comparison())\n"
      }
    }
    return lines
  }

  private mutating func comparison() -> String {
    let values =
      Array(EventCase.names).sorted() + ["INCOMING", "OUTGOING", "REJECT", "END", "5", "10", "mon", "\"08:00\"", "x"]
    switch random.below(4) {
    case 0: return "[" + random.one(of: values) + ", " + random.one(of: values) + "]"
    case 1:
      let name = random.one(of: LanguagePart.comparison.description.fields.map(\.name))
      let value =
        name == "exists"
        ? "true" : name == "between" ? random.one(of: ["[1, 5]", "\"08:00-18:00\""]) : random.one(of: values)
      return "{ \(name): \(value) }"
    default: return random.one(of: values)
    }
  }

  private func pad(_ indent: Int) -> String { String(repeating: " ", count: indent) }
}
