// YAMLNode → text that the reader reads back as the same nodes, one value a line, each with a remark.

/// Writes block style. Scalars that were written plain stay plain, since that is part of what they mean.
struct YAMLText {
  /// What stands behind a value.
  let remark: (Place) -> String

  /// The column, from 0, that remarks stand at where the line is shorter.
  private static let remarkColumn = 56

  private struct Line {
    var text: String
    var place: Place?

    func indented(_ by: String) -> Line { Line(text: by + text, place: place) }
  }

  func text(_ root: YAMLNode) -> String {
    block(root).map { line in
      guard let place = line.place else { return line.text + "\n" }
      let gap = max(2, Self.remarkColumn - line.text.count)
      return line.text + String(repeating: " ", count: gap) + "# " + remark(place) + "\n"
    }.joined()
  }

  private func block(_ node: YAMLNode) -> [Line] {
    if let text = Self.inline(node) { return [Line(text: text, place: node.place)] }
    return (node.entries ?? []).flatMap(lines) + (node.items ?? []).flatMap(lines)
  }

  private func lines(_ entry: YAMLNode.Entry) -> [Line] {
    let key = Self.key(entry.key) + ":"
    if entry.value.isEmpty { return [Line(text: key, place: entry.keyPlace)] }
    if let text = Self.inline(entry.value) { return [Line(text: key + " " + text, place: entry.value.place)] }
    return [Line(text: key, place: nil)] + block(entry.value).map { $0.indented("  ") }
  }

  private func lines(_ item: YAMLNode) -> [Line] {
    block(item).enumerated().map { $0.element.indented($0.offset == 0 ? "- " : "  ") }
  }

  /// What fits behind a key: scalars, and mappings and lists of nothing.
  private static func inline(_ node: YAMLNode) -> String? {
    switch node.content {
    case .scalar(let text, plain: true) where !text.unicodeScalars.contains(where: isBreak): text
    case .scalar(let text, _): quoted(text)
    case .mapping(let entries): entries.isEmpty ? "{}" : nil
    case .sequence(let items): items.isEmpty ? "[]" : nil
    }
  }

  private static func isBreak(_ scalar: Unicode.Scalar) -> Bool {
    scalar == "\n" || scalar == "\r" || scalar == "\u{85}" || scalar == "\u{2028}" || scalar == "\u{2029}"
  }

  private static func key(_ name: String) -> String {
    func isWord(_ byte: UInt8) -> Bool {
      (byte >= 48 && byte <= 57) || (byte >= 65 && byte <= 90) || (byte >= 97 && byte <= 122) || byte == 95
    }
    let inside = Array("-./*".utf8)
    let isPlain =
      name.utf8.first.map(isWord) ?? false && name.utf8.allSatisfy { isWord($0) || inside.contains($0) }
    return isPlain ? name : quoted(name)
  }

  /// In double quotes; what no line can hold as it is, escaped.
  static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      default:
        if scalar.value < 32 || scalar.value == 127 || isBreak(scalar) || scalar == "\u{feff}" {
          let hex = String(scalar.value, radix: 16)
          result += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
        } else {
          result.unicodeScalars.append(scalar)
        }
      }
    }
    return result + "\""
  }
}
