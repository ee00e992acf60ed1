// Durations as the language writes them: `100ms`, `5s`, `10m`, `1h`, `7d`, joined: `6d 1h`.

extension Span {
  private static let units: [(name: String, milliseconds: Int64)] = [
    ("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
  ]

  /// Reads a duration, parts joined by blanks or nothing; nil for anything else, also for a number without a unit.
  package init?(duration text: String) {
    var total: Int64 = 0
    var rest = Substring(text)
    var parts = 0
    while !rest.isEmpty {
      let digits = rest.prefix { $0.isASCII && $0.isNumber }
      let unit = rest.dropFirst(digits.count).prefix { $0.isASCII && $0.isLetter }
      guard let count = Int64(digits), let size = Self.units.first(where: { $0.name == unit })?.milliseconds else {
        return nil
      }
      let (part, tooLong) = count.multipliedReportingOverflow(by: size)
      guard !tooLong, part <= Int64.max / 8, total <= Int64.max / 8 else { return nil }
      total += part
      parts += 1
      rest = rest.dropFirst(digits.count + unit.count)
      while rest.first == " ", rest.count > 1 { rest = rest.dropFirst() }
    }
    guard parts > 0 else { return nil }
    self.init(milliseconds: total)
  }

  /// The duration in the language's own form: `6d 1h`, `0s`; a negative one with `-` before it.
  package var duration: String {
    if milliseconds == 0 { return "0s" }
    var rest = milliseconds.magnitude
    var parts: [String] = []
    for unit in Self.units.reversed() {
      let count = rest / UInt64(unit.milliseconds)
      if count > 0 { parts.append("\(count)\(unit.name)") }
      rest %= UInt64(unit.milliseconds)
    }
    return (milliseconds < 0 ? "-" : "") + parts.joined(separator: " ")
  }
}
