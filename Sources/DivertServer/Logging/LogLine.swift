// One line of the log: logfmt, built straight as bytes. Every line of the program is made here and looks the same.

package import DivertCore
package import Logging

/// A line in the making: `time=… level=… event=… key=value …`, ended by `finish()`.
package struct LogLine: ~Copyable {
  private(set) var bytes: [UInt8]

  /// Begins a line. `event` is one of the fixed names (docs/logging.md), lower-case words joined by `_`.
  package init(time: Timestamp, level: Logger.Level, event: StaticString) {
    bytes = []
    bytes.reserveCapacity(320)
    append("time=")
    appendTime(time)
    append(" level=")
    append(level.word)
    append(" event=")
    append(event)
  }

  /// The same with a name that is made at run time.
  init(time: Timestamp, level: Logger.Level, named event: String) {
    bytes = []
    bytes.reserveCapacity(320)
    append("time=")
    appendTime(time)
    append(" level=")
    append(level.word)
    append(" event=")
    appendValue(event)
  }

  /// ` key=value`, quoted and escaped where the text needs it.
  package mutating func field(_ key: StaticString, _ value: String) {
    begin(key)
    appendValue(value)
  }

  /// ` key=value` of a value that needs no quotes and appends itself.
  mutating func field(_ key: StaticString, written append: (inout [UInt8]) -> Void) {
    begin(key)
    append(&bytes)
  }

  /// ` key=value`, or nothing for nil.
  package mutating func field(_ key: StaticString, _ value: String?) {
    if let value { field(key, value) }
  }

  /// ` key=number`.
  package mutating func field(_ key: StaticString, _ value: Int64) {
    begin(key)
    appendNumber(value)
  }

  /// ` key=time`, ISO 8601 in UTC with milliseconds.
  package mutating func field(_ key: StaticString, _ value: Timestamp) {
    begin(key)
    appendTime(value)
  }

  /// A field whose name is not known at compile time (the libraries' metadata); foreign bytes in the name become `_`.
  mutating func field(named name: String, _ value: String) {
    bytes.append(UInt8(ascii: " "))
    for byte in name.utf8 { bytes.append(Self.isPlain(byte) && byte != UInt8(ascii: "=") ? byte : UInt8(ascii: "_")) }
    bytes.append(UInt8(ascii: "="))
    appendValue(value)
  }

  /// The whole line with its newline.
  consuming func finish() -> [UInt8] {
    bytes.append(UInt8(ascii: "\n"))
    return bytes
  }

  private mutating func begin(_ key: StaticString) {
    bytes.append(UInt8(ascii: " "))
    append(key)
    bytes.append(UInt8(ascii: "="))
  }

  private mutating func append(_ text: StaticString) {
    text.withUTF8Buffer { bytes.append(contentsOf: $0) }
  }
}

// MARK: - Values

extension LogLine {
  /// Bytes that need no quotes: printable ASCII but blank, `"`, `=` and `\`; and everything beyond ASCII.
  private static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case 0...0x20, UInt8(ascii: "\""), UInt8(ascii: "="), UInt8(ascii: "\\"), 0x7f: false
    default: true
    }
  }

  private mutating func appendValue(_ value: String) {
    var value = value
    value.withUTF8 { text in
      if !text.isEmpty, text.allSatisfy(Self.isPlain) { return bytes.append(contentsOf: text) }
      bytes.append(UInt8(ascii: "\""))
      for byte in text { appendEscaped(byte) }
      bytes.append(UInt8(ascii: "\""))
    }
  }

  /// As in JSON, so that one line stays one line whatever a value holds.
  private mutating func appendEscaped(_ byte: UInt8) {
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"):
      bytes.append(UInt8(ascii: "\\"))
      bytes.append(byte)
    case 0x0a: append("\\n")
    case 0x0d: append("\\r")
    case 0x09: append("\\t")
    case 0..<0x20, 0x7f:
      append("\\u00")
      bytes.append(Self.hex(byte >> 4))
      bytes.append(Self.hex(byte & 15))
    default: bytes.append(byte)
    }
  }

  private static func hex(_ digit: UInt8) -> UInt8 {
    digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
  }

  private mutating func appendNumber(_ value: Int64) {
    var digits: InlineArray<20, UInt8> = .init(repeating: 0)
    var rest = value.magnitude
    var count = 0
    repeat {
      digits[count] = UInt8(ascii: "0") + UInt8(rest % 10)
      rest /= 10
      count += 1
    } while rest > 0
    if value < 0 { bytes.append(UInt8(ascii: "-")) }
    while count > 0 {
      count -= 1
      bytes.append(digits[count])
    }
  }

  private mutating func appendTime(_ time: Timestamp) { time.append(iso8601To: &bytes) }
}

extension Logger.Level {
  /// The level as it is written.
  fileprivate var word: StaticString {
    switch self {
    case .trace: "trace"
    case .debug: "debug"
    case .info: "info"
    case .notice: "notice"
    case .warning: "warning"
    case .error: "error"
    case .critical: "critical"
    }
  }
}
