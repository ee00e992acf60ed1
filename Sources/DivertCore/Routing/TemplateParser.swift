// The text of a leaf → Template, when a file is read. Every fault carries its place in the text, the reason and the
// right name.

/// One mistake in a template.
package struct TemplateFault: Error, Sendable, Hashable {
  /// Bytes of UTF-8 before the fault in the template's text.
  package var offset: Int
  /// Bytes that the fault covers, at least 1 where the text has them.
  package var length: Int
  package var reason: String
  /// What was probably meant.
  package var suggestion: String?
}

/// Every mistake in a template, in order; at least one.
package struct TemplateFaults: Error, Sendable, Hashable {
  package var faults: [TemplateFault]
}

extension Template {
  /// Reads text with `{{ path? | filter: argument, … }}` in it. An argument is a bare word, `'…'` (a quote in it
  /// doubled) or `$path`.
  package static func parse(_ text: String, in scope: TemplateScope) -> Result<Template, TemplateFaults> {
    guard text.utf8.contains(UInt8(ascii: "{")) else { return .success(Template(literal: text)) }
    var parser = TemplateParser(text: Array(text.utf8), scope: scope)
    let template = parser.template()
    guard !parser.faults.isEmpty else { return .success(template) }
    return .failure(TemplateFaults(faults: parser.faults.sorted { $0.offset < $1.offset }))
  }
}

/// A cursor over a template's bytes.
private struct TemplateParser {
  let text: [UInt8]
  let scope: TemplateScope
  var at = 0
  var faults: [TemplateFault] = []

  init(text: [UInt8], scope: TemplateScope) {
    self.text = text
    self.scope = scope
  }

  mutating func template() -> Template {
    var parts: [Template.Part] = []
    var start = at
    while at < text.count {
      guard sees("{{") else {
        at += 1
        continue
      }
      if at > start { parts.append(.literal(string(start..<at))) }
      expression().map { parts.append(.expression($0)) }
      start = at
    }
    if at > start { parts.append(.literal(string(start..<at))) }
    return Template(parts: parts)
  }

  /// Reads `{{ … }}`. A wrong name is noted and reading goes on behind it; where the form itself is wrong, that is
  /// noted and reading goes on behind the next `}}`.
  private mutating func expression() -> Expression? {
    let start = at
    at += 2
    do throws(TemplateFault) {
      return try expression(from: start)
    } catch {
      if !continuesLast(error) { faults.append(error) }
      while at < text.count, !sees("}}") { at += 1 }
      at = min(at + 2, text.count)
      return nil
    }
  }

  /// `{{ call id }}`: the wrong name and what stands behind it are one mistake.
  private func continuesLast(_ fault: TemplateFault) -> Bool {
    guard let last = faults.last, last.offset + last.length < fault.offset else { return false }
    return text[(last.offset + last.length)..<fault.offset].allSatisfy { $0 <= 0x20 }
  }

  private mutating func expression(from start: Int) throws(TemplateFault) -> Expression {
    skipBlanks()
    // The stand-in of a path at fault goes nowhere: the text has no template then.
    var expression = Expression(path: try path() ?? .now)
    if next == UInt8(ascii: "?") {
      expression.optional = true
      at += 1
    }
    while true {
      skipBlanks()
      if sees("}}") {
        at += 2
        return expression
      }
      guard at < text.count else { throw unclosed(start) }
      guard next == UInt8(ascii: "|") else {
        throw TemplateFault(offset: at, length: 1, reason: "expected `|` and a filter, or `}}`")
      }
      at += 1
      if let filter = try filter(in: start) { expression.filters.append(filter) }
    }
  }

  private func unclosed(_ start: Int) -> TemplateFault {
    TemplateFault(offset: start, length: 2, reason: "this `{{` is never closed by `}}`")
  }

  /// Nil: the path names nothing, which is noted.
  private mutating func path() throws(TemplateFault) -> ValuePath? {
    let start = at
    let name = word(stops: "|?}:,'\"")
    if name.isEmpty {
      if at >= text.count { throw unclosed(max(0, text.lastRange(of: "{{") ?? 0)) }
      throw TemplateFault(offset: at, length: 1, reason: "expected the path of a value, such as `customer.phone`")
    }
    switch ValuePath.parse(name, in: scope) {
    case .success(let path): return path
    case .failure(let fault):
      faults.append(
        TemplateFault(offset: start, length: at - start, reason: fault.reason, suggestion: fault.suggestion))
      return nil
    }
  }

  /// Nil: there is no such filter or its arguments are wrong, which is noted.
  private mutating func filter(in expression: Int) throws(TemplateFault) -> FilterCall? {
    skipBlanks()
    let start = at
    let name = word(stops: "|?}:,'\"")
    if name.isEmpty, at >= text.count { throw unclosed(expression) }
    if name.isEmpty { throw TemplateFault(offset: start, length: 1, reason: "expected the name of a filter") }
    let filter = Filter(rawValue: name)
    if filter == nil {
      faults.append(
        TemplateFault(
          offset: start, length: at - start, reason: "there is no filter `\(name)`",
          suggestion: NearestName.to(name, among: Filter.allCases.map(\.rawValue))))
    }
    let end = at
    var arguments: [Argument] = []
    skipBlanks()
    if next == UInt8(ascii: ":") { arguments = try self.arguments(in: expression) }
    return filter.flatMap { checked($0, arguments, at: start..<end) }
  }

  private struct Argument {
    /// Nil: at fault, which is noted.
    var value: FilterArgument?
    var place: Range<Int>
  }

  private mutating func arguments(in expression: Int) throws(TemplateFault) -> [Argument] {
    var arguments: [Argument] = []
    repeat {
      at += 1
      skipBlanks()
      guard at < text.count else { throw unclosed(expression) }
      arguments.append(try argument())
      skipBlanks()
    } while next == UInt8(ascii: ",")
    return arguments
  }

  private mutating func argument() throws(TemplateFault) -> Argument {
    let start = at
    if next == UInt8(ascii: "$") {
      at += 1
      let path = try path()
      return Argument(value: path.map { .path($0) }, place: start..<at)
    }
    if next == UInt8(ascii: "'") {
      let literal = try quoted()
      return Argument(value: .literal(literal), place: start..<at)
    }
    if next == UInt8(ascii: "\"") {
      throw TemplateFault(offset: start, length: 1, reason: "an argument in quotes is written '…', with single ones")
    }
    let literal = word(stops: "|},'")
    guard !literal.isEmpty else {
      throw TemplateFault(offset: start, length: 1, reason: "expected an argument: a word, '…' or $path")
    }
    return Argument(value: .literal(literal), place: start..<at)
  }

  private mutating func quoted() throws(TemplateFault) -> String {
    let start = at
    var bytes: [UInt8] = []
    at += 1
    while at < text.count {
      if sees("''") {
        at += 1
      } else if next == UInt8(ascii: "'") {
        at += 1
        return String(decoding: bytes, as: UTF8.self)
      }
      bytes.append(text[at])
      at += 1
    }
    throw TemplateFault(offset: start, length: 1, reason: "this quote is never closed by another `'`")
  }

  private mutating func checked(_ filter: Filter, _ arguments: [Argument], at place: Range<Int>) -> FilterCall? {
    let signature = filter.signature
    guard signature.counts.contains(arguments.count) else {
      faults.append(
        TemplateFault(
          offset: place.lowerBound, length: place.count,
          reason: "`\(filter.rawValue)` takes \(signature.countText), not \(arguments.count): `\(signature.example)`"))
      return nil
    }
    for (index, argument) in arguments.enumerated() {
      guard let kind = signature.kinds.isEmpty ? nil : signature.kinds[min(index, signature.kinds.count - 1)],
        let value = argument.value, let fault = kind.fault(of: value, tables: scope.tables)
      else { continue }
      faults.append(
        TemplateFault(
          offset: argument.place.lowerBound, length: argument.place.count, reason: fault.reason,
          suggestion: fault.suggestion))
    }
    return FilterCall(filter, arguments.compactMap(\.value))
  }
}

// Reading bytes.
extension TemplateParser {
  private var next: UInt8 { at < text.count ? text[at] : 0 }

  private func sees(_ two: StaticString) -> Bool {
    at + 1 < text.count && text[at] == two.utf8Start[0] && text[at + 1] == two.utf8Start[1]
  }

  private mutating func skipBlanks() {
    while next == 0x20 || next == 0x0a || next == 0x09 || next == 0x0d { at += 1 }
  }

  /// Bytes up to a blank, one of `stops` or the end.
  private mutating func word(stops: StaticString) -> String {
    let start = at
    let stop = UnsafeBufferPointer(start: stops.utf8Start, count: stops.utf8CodeUnitCount)
    while at < text.count, text[at] > 0x20, !stop.contains(text[at]) { at += 1 }
    return string(start..<at)
  }

  private func string(_ range: Range<Int>) -> String { String(decoding: text[range], as: UTF8.self) }
}

extension [UInt8] {
  /// Where the last occurrence of `two` begins.
  fileprivate func lastRange(of two: StaticString) -> Int? {
    indices.dropLast().last { self[$0] == two.utf8Start[0] && self[$0 + 1] == two.utf8Start[1] }
  }
}

extension Expression: CustomStringConvertible {
  /// The expression as a file writes it, without the braces.
  package var description: String {
    "\(path)\(optional ? "?" : "")" + filters.map { " | \($0)" }.joined()
  }
}

extension FilterCall: CustomStringConvertible {
  package var description: String {
    let list = arguments.map(\.description).joined(separator: ", ")
    return filter.rawValue + (list.isEmpty ? "" : ": " + list)
  }
}

extension FilterArgument: CustomStringConvertible {
  package var description: String {
    switch self {
    case .literal(let text):
      "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
    case .path(let path): "$\(path)"
    }
  }
}
