// Diagnostics for programs: JSON for editors and scripts, annotations for GitHub's workflows.
package import DivertCore

extension Diagnostic {
  /// `file`, `line`, `column`, `end_column` (behind the last character that is meant), `severity`, `code`, `message`,
  /// `hint` (null where there is none), `fix` (null, or `column`, `end_column` and `text`, on the same line) and `notes`.
  package var json: JSONValue {
    [
      "file": .string(file), "line": .number(line), "column": .number(column), "end_column": .number(column + length),
      "severity": .string(severity.rawValue), "code": .string(code), "message": .string(message),
      "hint": hint.map { .string($0) } ?? .null,
      "fix": fix.map { fix in
        ["column": .number(fix.column), "end_column": .number(fix.endColumn), "text": .string(fix.text)]
      } ?? .null,
      "notes": .array(notes.map(\.json)),
    ]
  }

  /// One line: `::error file=…,line=…,col=…,endColumn=…,title=code::message`, which GitHub shows at its place
  /// (docs.github.com/actions/reference/workflow-commands-for-github-actions).
  package var annotation: String {
    let place = [
      "file=" + Self.escaped(property: file), "line=\(line)", "col=\(column)", "endColumn=\(column + length)",
      "title=" + Self.escaped(property: code),
    ]
    let text = ([message] + (hint.map { [$0] } ?? []) + notes.map { "\($0.file):\($0.line): \($0.message)" })
    return "::\(severity.rawValue) \(place.joined(separator: ","))::" + Self.escaped(text.joined(separator: "\n"))
  }

  private static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "%": result += "%25"
      case "\r": result += "%0D"
      case "\n": result += "%0A"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  private static func escaped(property text: String) -> String {
    escaped(text).map { $0 == ":" ? "%3A" : $0 == "," ? "%2C" : String($0) }.joined()
  }
}

extension Diagnostic.Note {
  fileprivate var json: JSONValue {
    [
      "file": .string(file), "line": .number(line), "column": .number(column), "end_column": .number(column + length),
      "message": .string(message),
    ]
  }
}
