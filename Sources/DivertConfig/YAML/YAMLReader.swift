// Text → YAMLNode through libyaml's composer, with every fault of the YAML itself as a diagnostic.
import Yams

/// Reads one document. Duplicate keys do not end the reading: each is reported at its place.
struct YAMLReader {
  private let source: SourceText
  private var diagnostics: [Diagnostic] = []
  /// The names of keys that were set aside so that the composer would go on; see `compose`.
  private var setAside: [String] = []
  private var nodes = 0
  /// What is composed: the source, character for character, but for what had to be hidden from the composer.
  private var text: String
  private var isVeiled = false
  /// A mapping was met whose key is a mapping in braces.
  private var sawBraces = false

  /// Deeper and larger documents are refused: they are mistakes or attacks (aliases multiply).
  static let maxDepth = 64
  static let maxNodes = 200_000
  private static let maxSetAside = 200
  /// How many bytes are composed again and again, in all.
  private static let maxComposed = 4_000_000

  private init(_ source: SourceText) {
    self.source = source
    text = source.text
  }

  /// The document's root, nil when it has none or cannot be read, and what is wrong with it.
  static func read(_ source: SourceText) -> (root: YAMLNode?, diagnostics: [Diagnostic]) {
    var reader = YAMLReader(source)
    var root = reader.root()
    if reader.sawBraces, !reader.isVeiled {
      reader.diagnostics = []
      reader.nodes = 0
      if reader.veilTemplates() { root = reader.root() }
    }
    return (root, reader.diagnostics)
  }

  private mutating func root() -> YAMLNode? {
    if mayMultiply, !isVeiled { return refuseKeys() ? nil : compose().flatMap { convert($0, depth: 0) } }
    return compose().flatMap { convert($0, depth: 0) }
  }

  // The composer compares keys as a whole; a key with aliases in it can be larger than the world. Such keys are looked for
  // in the text, where there are aliases at all; templates without quotes would be such keys, too.
  private mutating func refuseKeys() -> Bool {
    _ = veilTemplates()
    guard let key = Outline(of: SourceText(file: source.file, text: text)).complexKey else { return false }
    let place = Place(source: source, line: key.line, column: key.column, length: 1)
    diagnostics.append(Diagnostic(.error, "bad_key", place, "a key must be a single value"))
    return true
  }

  /// Whether the text has anchors and aliases.
  private var mayMultiply: Bool {
    text.utf8.contains(UInt8(ascii: "&")) && text.utf8.contains(UInt8(ascii: "*"))
  }

  // The composer stops at a mapping with a key given twice. The first of them is then overwritten, in place and
  // character for character, by one from a private-use range that stands for its number, and the text is composed
  // again.
  private mutating func compose() -> Node? {
    while true {
      do {
        // Tags are not part of the language, so they are not looked for; that is most of the time otherwise.
        return try Yams.compose(yaml: text, .basic)
      } catch YamlError.duplicatedKeysInMapping(let names, let context) {
        guard let name = names.first, setAside.count < min(Self.maxSetAside, Self.maxComposed / text.utf8.count),
          let changed = Self.overwrite(name, at: context.mark, in: text, with: Self.mask(setAside.count))
        else {
          report("duplicate_key", context.mark, 1, "a key is given twice in one mapping", "remove one of the two")
          return nil
        }
        setAside.append(name)
        text = changed
      } catch let fault as YamlError {
        if veilTemplates() { continue }
        report(fault)
        return nil
      } catch {
        report("yaml", nil, 1, "this is not readable as YAML", nil)
        return nil
      }
    }
  }

  private static func mask(_ number: Int) -> Unicode.Scalar { Unicode.Scalar(0xE800 + UInt32(number)) ?? "\u{E800}" }

  private static func overwrite(_ name: String, at mark: Mark, in text: String, with mask: Unicode.Scalar) -> String? {
    var scalars = Array(text.unicodeScalars)
    guard !name.isEmpty, var start = position(of: mark, in: scalars), start < scalars.count else { return nil }
    if scalars[start] == "\"" || scalars[start] == "'" { start += 1 }
    let key = Array(name.unicodeScalars)
    guard start + key.count <= scalars.count, Array(scalars[start..<start + key.count]) == key else { return nil }
    for place in start..<start + key.count { scalars[place] = mask }
    var view = String.UnicodeScalarView()
    view.append(contentsOf: scalars)
    return String(view)
  }

  private static func position(of mark: Mark, in scalars: [Unicode.Scalar]) -> Int? {
    var line = 1
    var place = 0
    while line < mark.line, place < scalars.count {
      let isReturn = scalars[place] == "\r"
      if isReturn, place + 1 < scalars.count, scalars[place + 1] == "\n" { place += 1 }
      if ["\n", "\r", "\u{85}", "\u{2028}", "\u{2029}"].contains(scalars[place]) { line += 1 }
      place += 1
    }
    return line == mark.line ? place + mark.column - 1 : nil
  }
}

extension YAMLReader {
  private mutating func convert(_ node: Node, depth: Int) -> YAMLNode? {
    nodes += 1
    guard nodes <= Self.maxNodes else {
      if nodes == Self.maxNodes + 1 {
        let message = "the file has more than \(Self.maxNodes) values, counting what its aliases (*name) repeat"
        report("too_many_values", node.mark, 1, message, "write fewer, or drop the aliases")
      }
      return nil
    }
    guard depth <= Self.maxDepth else {
      reportDepth(node.mark)
      return nil
    }
    switch node {
    case .scalar(let scalar): return convert(scalar)
    case .sequence(let sequence):
      refuseTag(at: sequence.mark)
      let items = sequence.compactMap { convert($0, depth: depth + 1) }
      return YAMLNode(content: .sequence(items), place: place(sequence.mark, 1))
    case .mapping(let mapping): return convert(mapping, depth)
    case .alias: return nil
    }
  }

  private mutating func convert(_ scalar: Node.Scalar) -> YAMLNode {
    refuseTag(at: scalar.mark)
    let plain = scalar.style == .plain || scalar.style == .any
    let text = unveiled(scalar)
    var start = afterAnchor(place(scalar.mark, 1))
    start.length = ScalarText.length(of: text, plain: plain, at: start)
    return YAMLNode(content: .scalar(text, plain: plain), place: start)
  }

  private mutating func convert(_ mapping: Node.Mapping, _ depth: Int) -> YAMLNode? {
    refuseTag(at: mapping.mark)
    let whole = place(mapping.mark, 1)
    var entries: [YAMLNode.Entry] = []
    var places: [String: Int] = [:]
    for (key, value) in mapping {
      guard let entry = convert(key, value, depth) else { continue }
      if let first = places[entry.key] {
        reportTwice(entries[first], entry)
      } else {
        places[entry.key] = entries.count
        entries.append(entry)
      }
    }
    return YAMLNode(content: .mapping(entries), place: whole)
  }

  private mutating func convert(_ key: Node, _ value: Node, _ depth: Int) -> YAMLNode.Entry? {
    guard case .scalar(let scalar) = key else {
      reportKey(key)
      return nil
    }
    let node = convert(scalar)
    let name = unmasked(scalar.string)
    if name == "<<", scalar.style == .plain {
      let hint = "write the fields out, or use 'defaults:'"
      report("merge_key", scalar.mark, 2, "merging with '<<' is not part of the language", hint)
      return nil
    }
    guard let converted = convert(value, depth: depth + 1) else { return nil }
    return YAMLNode.Entry(key: name, keyPlace: node.place, value: converted)
  }

  private func unmasked(_ key: String) -> String {
    guard let first = key.unicodeScalars.first, key.unicodeScalars.allSatisfy({ $0 == first }) else { return key }
    let number = Int(first.value) - 0xE800
    return number >= 0 && number < setAside.count ? setAside[number] : key
  }
}

extension YAMLReader {
  private mutating func reportDepth(_ mark: Mark?) {
    report("too_deep", mark, 1, "the file is nested too deep", "at most \(Self.maxDepth) levels")
  }

  private func place(_ mark: Mark?, _ length: Int) -> Place {
    Place(source: source, line: mark?.line ?? 1, column: mark?.column ?? 1, length: length)
  }

  private mutating func report(_ code: String, _ mark: Mark?, _ length: Int, _ message: String, _ hint: String?) {
    diagnostics.append(Diagnostic(.error, code, place(mark, length), message, hint: hint))
  }

  // The composer forgets which tags were written and which it made up, so the text itself is asked.
  private mutating func refuseTag(at mark: Mark?) {
    let start = place(mark, 1)
    let place = afterAnchor(start)
    let rest = source.scalars(place.line, from: place.column)
    guard rest.first == "!" else { return }
    let tag = Place(source: source, line: place.line, column: place.column, length: rest.prefix { $0 != " " }.count)
    diagnostics.append(Diagnostic(.error, "yaml_tag", tag, "YAML tags are not part of the language", hint: "remove it"))
  }

  /// The place behind an anchor (`&name `) that stands at `place`.
  private func afterAnchor(_ place: Place) -> Place {
    let rest = source.scalars(place.line, from: place.column)
    guard rest.first == "&" else { return place }
    let anchor = rest.prefix { $0 != " " }
    let blanks = rest.dropFirst(anchor.count).prefix { $0 == " " }
    return place.part(anchor.count + blanks.count, 1)
  }

  private mutating func reportTwice(_ first: YAMLNode.Entry, _ second: YAMLNode.Entry) {
    let message = "'\(second.key)' is given twice; the first is on line \(first.keyPlace.line)"
    diagnostics.append(Diagnostic(.error, "duplicate_key", second.keyPlace, message, hint: "remove one of the two"))
  }

  private mutating func reportKey(_ key: Node) {
    let start = place(key.mark, 1)
    let columns = [start.column - 1, start.column].filter { $0 >= 1 }
    guard
      let column = columns.first(where: { source.scalars(start.line, from: $0).starts(with: "{{".unicodeScalars) })
    else {
      report("bad_key", key.mark, 1, "a key must be a single value", nil)
      return
    }
    sawBraces = true
    let place = Place(source: source, line: start.line, column: column, length: 2)
    diagnostics.append(.unquotedTemplate(place))
  }

  private mutating func report(_ fault: YamlError) {
    switch fault {
    case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
      .composer(let context, let problem, let mark, _):
      if problem.contains("nesting level") { return reportDepth(mark) }
      var (message, hint) = YAMLFault.explain(problem, context?.text, line: source.line(mark.line))
      if problem.contains("expected ',' or"), let context {
        let opening = place(context.mark, 1)
        let bracket = source.scalars(opening.line, from: opening.column).first.map { "'\($0)'" } ?? "bracket"
        hint = "close the \(bracket) of line \(opening.line), column \(opening.column), or quote the text"
      }
      let opening = problem.contains("end of stream") ? context?.mark : nil
      report("yaml", opening ?? mark, 1, message, hint)
    case .reader(let problem, let offset, _, _):
      let message = "this character cannot stand in a YAML file (\(problem))"
      diagnostics.append(Diagnostic(.error, "yaml", place(at: offset), message, hint: "remove it"))
    default:
      report("yaml", nil, 1, "this is not readable as YAML", nil)
    }
  }

  private func place(at offset: Int?) -> Place {
    let before = SourceText(file: "", text: String(source.text.prefix(offset ?? 0)))
    let column = before.scalars(before.lineCount).count + 1
    return Place(source: source, line: before.lineCount, column: column, length: 1)
  }
}

// Templates without quotes: `{ text: {{ x }} }` is a mapping with a mapping for a key, `{{ x }} more` is no YAML at all.
// Once one is met, all of them are reported, hidden behind characters of the private-use range, one for one, and read as
// if they were quoted.
extension YAMLReader {
  private static let veil: Unicode.Scalar = "\u{E7FF}"

  /// Whether there are templates to hide; reports them.
  private mutating func veilTemplates() -> Bool {
    guard !isVeiled else { return false }
    isVeiled = true
    let templates = UnquotedTemplate.all(in: source)
    for template in templates { diagnostics.append(.unquotedTemplate(template, in: source)) }
    text = source.text(
      with: templates.map { template in
        let start = source.offset(ofLine: template.line)
        return (start + template.range.lowerBound..<start + template.range.upperBound, Self.veil)
      })
    return !templates.isEmpty
  }

  /// What stands in the file where the composer saw characters of the veil.
  private func unveiled(_ scalar: Node.Scalar) -> String {
    guard isVeiled, let mark = scalar.mark, scalar.string.unicodeScalars.contains(Self.veil) else {
      return scalar.string
    }
    let place = afterAnchor(place(mark, 1))
    return SourceText.string(
      source.scalars(place.line, from: place.column).prefix(scalar.string.unicodeScalars.count))
  }
}
