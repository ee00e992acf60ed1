// Texts that operators give, to be shown in tables and terminals again: one line, no control characters, of bounded length.

import Foundation

package enum OperatorText {
  /// The longest reason or name that is kept, in characters.
  static let longest = 500

  /// Whether nothing in it moves a terminal's cursor or turns its text around.
  static func isLine(_ text: String) -> Bool { !text.unicodeScalars.contains(where: isOrder) }

  /// The text with what is no such line escaped as `\u{1b}`, and cut.
  static func line(_ text: String, limit: Int = longest) -> String {
    var line = ""
    for scalar in text.prefix(limit).unicodeScalars {
      if isOrder(scalar) {
        line += "\\u{\(String(scalar.value, radix: 16))}"
      } else {
        line.unicodeScalars.append(scalar)
      }
    }
    return line
  }

  /// Who gives an order, as the header says it: percent-encoded, or as it is.
  static func who(header: String) -> String { line(header.removingPercentEncoding ?? header) }

  private static func isOrder(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .lineSeparator, .paragraphSeparator: true
    default: scalar.properties.isBidiControl
    }
  }
}
