// One change of a YAML text as splices: what is not meant stays as it is, byte for byte, and the result is read again.

/// An edited text, and where it differs.
package struct EditedText: Sendable {
  package var text: String
  /// In the old text without its byte order mark.
  package var splices: [Splice]
}

/// The edit of one text, of which nothing is known but that it is YAML.
package enum TextEdit {
  /// Makes one change. The new text means exactly what the old one meant with the change made, or the edit is refused.
  /// - Parameters:
  ///   - path: keys and, for lists, numbers from 0.
  ///   - file: the text's name in messages.
  package static func apply(_ change: YAMLChange, at path: [String], to text: String, file: String) throws(EditFault)
    -> EditedText
  {
    let (mark, bare) = split(text)
    if isBare(text), let begun = begin(bare, change, path) {
      return EditedText(text: mark + bare + begun.text, splices: [begun])
    }
    let root = try read(bare, file)
    let before = YAMLValue(root)
    let lines = TextLines(bare)
    let syntax = try SyntaxReader.read(root, in: lines)
    guard let wanted = before.changed(at: path[...], change) else { throw unreachable(path, change, before) }
    let splicer = Splicer(lines: lines, root: syntax)
    let splices = try splicer.splices(change, at: path)
    let result = Splice.apply(splices, to: lines)
    guard case (let after?, let faults) = YAMLReader.read(SourceText(file: file, text: result)), faults.isEmpty,
      YAMLValue(after).means(wanted)
    else {
      let place = path.joined(separator: ".")
      throw EditFault(
        "not_spliceable",
        "'\(place)' stands in a way that cannot be changed without touching what is around it: "
          + "edit the file by hand" + (endsOpen(lines) ? ", or end its last line with a line break first" : ""))
    }
    return EditedText(text: mark + result, splices: splices)
  }

  /// The first entry of a file that holds nothing but comments; nil where the change adds none.
  private static func begin(_ text: String, _ change: YAMLChange, _ path: [String]) -> Splice? {
    guard case .mapping(let entries)? = YAMLValue.created(path[...], change), !entries.isEmpty else { return nil }
    let lines = TextLines(text)
    var added = entries.flatMap { ValueWriter(step: 2).lines($0, column: 0) }
    if case .add(_, let written?) = change {
      added = Snippet.indented(Snippet.wrapped(written, in: path, step: 2), to: 0)
    }
    let lead = endsOpen(lines) ? lines.lineBreak : ""
    let end = lines.scalars.count
    return Splice(end..<end, lead + added.map { $0 + lines.lineBreak }.joined())
  }

  /// The value of a text, for those who ask what stands where.
  package static func value(of text: String, file: String) throws(EditFault) -> YAMLValue {
    YAMLValue(try read(split(text).bare, file))
  }

  /// Nothing but comments and blanks.
  static func isBare(_ text: String) -> Bool {
    // Nearly every text says so with its first line that is no comment, which spares the reading of it.
    let first = text.unicodeScalars.split(whereSeparator: TextLines.isBreak).lazy
      .compactMap { $0.first { !TextLines.isBlank($0) && $0 != "\u{FEFF}" } }.first { $0 != "#" }
    guard first.map({ "-.%".unicodeScalars.contains($0) }) ?? true else { return false }
    let (root, faults) = YAMLReader.read(SourceText(file: "", text: split(text).bare))
    return root == nil && faults.isEmpty
  }

  /// A byte order mark, and the rest.
  static func split(_ text: String) -> (mark: String, bare: String) {
    guard text.unicodeScalars.first == "\u{FEFF}" else { return ("", text) }
    return ("\u{FEFF}", String(text.unicodeScalars.dropFirst()))
  }

  private static func endsOpen(_ lines: TextLines) -> Bool {
    lines.scalars.last.map { !TextLines.isBreak($0) } ?? false
  }

  private static func read(_ text: String, _ file: String) throws(EditFault) -> YAMLNode {
    let (root, faults) = YAMLReader.read(SourceText(file: file, text: text))
    let errors = faults.filter { $0.severity == .error }
    guard errors.isEmpty, let root else {
      throw EditFault("unreadable", "\(file) cannot be read as it is: mend it first (`divert check`)", errors)
    }
    return root
  }

  private static func unreachable(_ path: [String], _ change: YAMLChange, _ root: YAMLValue) -> EditFault {
    let name = path.joined(separator: ".")
    if case .remove = change {
      return EditFault("not_found", "there is no '\(name)' in the file, so it cannot be removed")
    }
    if case .add(let entries, _) = change {
      let names = entries.map { "'\($0.key)'" }.joined(separator: ", ")
      return EditFault("exists", "'\(name)' has \(names) already, or holds no names")
    }
    return EditFault("not_found", "'\(name)' leads into a value that has no such part: give the path of what holds it")
  }
}
