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

  /// `field=value` of a condition: several values with commas between.
  package static func condition(_ text: String) throws(EditFault) -> YAMLValue.Entry {
    guard let equals = text.firstIndex(of: "="), equals > text.startIndex else {
      throw EditFault("bad_condition", "'\(text)' is no condition: write field=value, such as event=CALL_REJECTED")
    }
    let values = text[text.index(after: equals)...].split(separator: ",").map { value in
      YAMLValue.scalar(String(value), plain: YAMLValue.isWord(String(value)))
    }
    let name = String(text[..<equals])
    return .init(name, values.count == 1 ? values[0] : .sequence(values))
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
