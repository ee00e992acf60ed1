// What is printed: tables whose columns line up, JSON, notes and failures. Plain text, so that it can be piped anywhere.

import ArgumentParser
import DivertCore
import DivertServer
import Foundation

enum Console {
  static func print(_ text: String) { FileHandle.standardOutput.write(Data((text + "\n").utf8)) }
  /// As it is: a file's text, which ends its own last line.
  static func print(raw text: String) { FileHandle.standardOutput.write(Data(text.utf8)) }
  static func complain(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }
  static func note(_ text: String) { FileHandle.standardError.write(Data(("divert: " + text + "\n").utf8)) }
  /// What speaks for itself, such as a diagnostic with its place, on standard error.
  static func tell(_ text: String) {
    FileHandle.standardError.write(Data((text.hasSuffix("\n") ? text : text + "\n").utf8))
  }

  /// The answer as it is, indented.
  static func print(json: JSONValue) { print(String(decoding: json.prettyEncoded(), as: UTF8.self)) }

  /// Text that came in from elsewhere, made safe for a terminal: control and direction characters stand as `\u{1b}`.
  static func safe(_ text: String) -> String {
    var out = ""
    for scalar in text.unicodeScalars {
      let isOrder = scalar.properties.generalCategory == .control || scalar.properties.isBidiControl
      if isOrder { out += "\\u{\(String(scalar.value, radix: 16))}" } else { out.unicodeScalars.append(scalar) }
    }
    return out
  }

  /// Says why, and returns the exit status to throw.
  static func fail(_ failure: OperatorFailure) -> ExitCode {
    note(failure.message)
    return ["unreachable", "no_data", "starting", "not_running"].contains(failure.code) ? ExitCode(3) : ExitCode(1)
  }

  static func fail(_ sentence: String) -> ExitCode {
    note(sentence)
    return ExitCode(1)
  }

  /// Rows under a head, columns as wide as their widest cell; numbers to the right.
  static func table(_ head: [String], _ rows: [[String]]) {
    if rows.isEmpty { return }
    let all = [head] + rows
    let widths = head.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
    let right = head.indices.map { column in rows.allSatisfy { Double($0[column]) != nil || $0[column].isEmpty } }
    for row in all {
      let cells = row.enumerated().map { column, cell in
        let pad = String(repeating: " ", count: widths[column] - cell.count)
        return right[column] ? pad + cell : cell + pad
      }
      let line = cells.joined(separator: "  ")
      print(String(line.reversed().drop { $0 == " " }.reversed()))
    }
  }

  /// Whether somebody watches.
  static var isTerminal: Bool { isatty(STDERR_FILENO) == 1 }

  /// A line that replaces itself, on a terminal only; nil ends it.
  static func progress(_ text: String?) {
    guard isTerminal else { return }
    FileHandle.standardError.write(Data(("\r\u{1b}[K" + (text ?? "")).utf8))
  }
}

extension JSONValue {
  /// A member as a cell of a table: texts and numbers as they are, nothing for what is missing.
  func cell(_ path: String...) -> String {
    var value: JSONValue? = self
    for step in path { value = value?[step] }
    switch value {
    case .string(let text)?: return text
    case .number(let text)?: return text
    case .bool(let flag)?: return flag ? "yes" : "no"
    default: return ""
    }
  }

  func items(_ key: String) -> [JSONValue] { self[key]?.array ?? [] }
}

extension String {
  /// Nil for an empty text.
  var orNil: String? { isEmpty ? nil : self }
}
