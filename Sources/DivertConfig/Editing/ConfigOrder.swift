// What can be ordered of a configuration's files by command, and what each order means as a change of one of the texts.

/// One edit of a configuration.
package enum ConfigOrder: Sendable {
  /// Any value by its path, as `EditPath` reads it; a value that is not there yet is added.
  case set(path: String, YAMLValue)
  case unset(path: String)
  /// Routes, as somebody wrote them (`written`) or by their values; under another route or at the top.
  case addRoutes([YAMLValue.Entry], written: String?, under: String?)
  case removeRoute(String)
  case enableRoute(String)
  case disableRoute(String)
  /// A target of a preset, with what its entry says beside the type.
  case addTarget(type: String, name: String, with: [YAMLValue.Entry])
  case removeTarget(String)
}

extension ConfigOrder {
  /// Routes in YAML: `name: { … }`, one or several; or, where `name` is given, the body of that one.
  package static func routes(yaml text: String, name: String?, under: String?) throws(EditFault) -> ConfigOrder {
    let value = try YAMLValue(yaml: text, what: "the given YAML")
    guard let entries = value.entries, !entries.isEmpty else {
      throw EditFault("bad_yaml", "a route is a mapping: name: { when: …, send: … }")
    }
    if let name {
      let body =
        text.contains("\n") && !isFlow(text) ? ScalarWriter.key(name, inFlow: false) + ":\n" + indented(text) : nil
      return .addRoutes([.init(name, value)], written: body, under: under)
    }
    if let odd = entries.first(where: { $0.value.entries == nil }) {
      throw EditFault(
        "bad_yaml", "'\(odd.key)' is no route: give 'name:' with its fields under it, or the name beside the YAML")
    }
    return .addRoutes(entries, written: isFlow(text) ? nil : text, under: under)
  }

  private static func indented(_ text: String) -> String {
    Snippet.indented(text, to: 2).joined(separator: "\n")
  }

  /// Whether a text's value stands in braces, so that its lines cannot be put under a key.
  private static func isFlow(_ text: String) -> Bool {
    let lines = text.split(whereSeparator: \.isNewline).map { $0.drop { $0 == " " || $0 == "\t" } }
    let first = lines.first { !$0.isEmpty && !$0.hasPrefix("#") }
    return first.map { $0.hasPrefix("{") || $0.hasPrefix("---") || $0.hasPrefix("%") } ?? true
  }

  /// `target.action`, `target.action=text`, or `target.action={ argument: value }`.
  package static func send(_ text: String) throws(EditFault) -> YAMLValue {
    guard let equals = text.firstIndex(of: "=") else { return .scalar(text, plain: true) }
    let name = String(text[..<equals])
    let argument = String(text[text.index(after: equals)...])
    if argument.hasPrefix("{"), !argument.hasPrefix("{{") {
      return .mapping([.init(name, try YAMLValue(yaml: argument, what: "what is sent to \(name)"))])
    }
    return .mapping([.init(name, .text(argument))])
  }

  /// Conditions that must all hold, each as `condition` takes it.
  package static func conditions(_ texts: [String]) throws(EditFault) -> YAMLValue {
    var terms: [YAMLValue.Entry] = []
    var written: [String: String] = [:]
    for text in texts {
      let term = try condition(text)
      let value = String(text.drop { $0 != "=" }.dropFirst())
      if let before = written[term.key] {
        let isWords = [before, value].allSatisfy { !$0.hasPrefix("{") && !$0.hasPrefix("[") }
        let remedy = isWords ? "\(term.key)=\(before),\(value) for either of them" : "all of it in one {…}"
        throw EditFault("bad_condition", "`\(term.key)` is given twice; write \(remedy)")
      }
      written[term.key] = value
      terms.append(term)
    }
    return .mapping(terms)
  }

  /// `field=value` of a condition: several values with commas between, in quotes where they have commas of their own;
  /// `field={above: 5}`: operators, as YAML.
  package static func condition(_ text: String) throws(EditFault) -> YAMLValue.Entry {
    guard let equals = text.firstIndex(of: "="), equals > text.startIndex else {
      throw EditFault("bad_condition", "'\(text)' is no condition: write field=value, such as event=CALL_REJECTED")
    }
    let name = String(text[..<equals])
    let given = text[text.index(after: equals)...]
    if given.hasPrefix("{") || given.hasPrefix("[") {
      return .init(name, try YAMLValue(yaml: String(given), what: "the condition of \(name)"))
    }
    let values = try alternatives(given, of: name)
    return .init(name, values.count == 1 ? values[0] : .sequence(values))
  }

  private static func alternatives(_ text: Substring, of name: String) throws(EditFault) -> [YAMLValue] {
    var values: [YAMLValue] = []
    var rest = text
    while true {
      if let quote = rest.first, quote == "\"" || quote == "'" {
        let inside = rest.dropFirst().prefix { $0 != quote }
        rest = rest.dropFirst(inside.count + 1)
        guard rest.first == quote, rest.dropFirst().first.map({ $0 == "," }) ?? true else {
          throw EditFault(
            "bad_condition",
            "the quotes in '\(name)=\(text)' must enclose a whole value: \(name)=\"one, of them\",other")
        }
        values.append(.text(String(inside)))
        rest = rest.dropFirst()
      } else {
        let word = String(rest.prefix { $0 != "," })
        rest = rest.dropFirst(word.count)
        values.append(.scalar(word, plain: YAMLValue.isWord(word)))
      }
      if rest.isEmpty { return values }
      rest = rest.dropFirst().drop { $0 == " " }
    }
  }
}

/// A change at a path of one file of a bundle.
struct PlacedChange {
  /// Which of the bundle's files.
  var file: Int
  var path: [String]
  var change: YAMLChange
}

/// The order that is already so: nothing to write.
struct NothingToDo: Error { var sentence: String }
