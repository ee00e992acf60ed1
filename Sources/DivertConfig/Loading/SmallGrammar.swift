// The small grammar: durations, rates, sizes, times of day, ranges, JSON numbers.
import DivertCore

enum SmallGrammar {
  /// The longest duration.
  static let longest = Span.days(3650)
  /// The most that a rate can count.
  static let highestRate: Int64 = 1_000_000_000
  /// The largest size, in bytes.
  static let largest = 1 << 40

  /// `100ms`, `5s`, `10m`, `1h`, `7d`, also joined: `6d 1h`. Nil for anything else or more than ten years.
  static func duration(_ text: String) -> Span? {
    Span(duration: text).flatMap { $0 <= longest ? $0 : nil }
  }

  /// What may stand behind the `/` of a rate, beside a duration.
  static let rateWords: [String: Span] = [
    "s": .seconds(1), "sec": .seconds(1), "second": .seconds(1), "m": .minutes(1), "min": .minutes(1),
    "minute": .minutes(1), "h": .hours(1), "hour": .hours(1), "d": .days(1), "day": .days(1),
  ]

  /// `100/min`, `100/10s`, `40000/day`: at least 1.
  static func rate(_ text: String) -> RateLimit? {
    guard let (count, per) = rateParts(text), (1...highestRate).contains(count), per > .zero, per <= longest else {
      return nil
    }
    return RateLimit(count: Int(count), per: per)
  }

  /// The limit that a text breaks which is written as a rate; nil for any other text.
  static func brokenRate(_ text: String) -> String? {
    guard let (count, per) = rateParts(text) else { return nil }
    if count < 1 || count > highestRate { return "it counts 1 to \(highestRate)" }
    return per > .zero ? "its time is \(longest.duration) at most" : "its time is longer than 0s"
  }

  private static func rateParts(_ text: String) -> (count: Int64, per: Span)? {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let (count, rest) = number(parts[0]), rest.isEmpty else { return nil }
    guard let per = rateWords[String(parts[1])] ?? Span(duration: String(parts[1])) else { return nil }
    return (count, per)
  }

  static let sizeUnits: [String: Int64] = [
    "": 1, "B": 1, "KB": 1000, "MB": 1_000_000, "GB": 1_000_000_000, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30,
  ]

  /// Bytes: `65536`, `256KiB`, `64MiB`, `1GiB`, `500KB`, `2MB`; what is larger than anything is `Int.max`.
  static func size(_ text: String) -> Int? {
    guard let (count, unit) = number(Substring(text)), let factor = sizeUnits[String(unit.drop { $0 == " " })]
    else {
      return nil
    }
    let (bytes, overflow) = count.multipliedReportingOverflow(by: factor)
    return overflow ? .max : Int(bytes)
  }

  /// A size as the language writes it: `64MiB`.
  static func words(bytes: Int) -> String {
    for (unit, factor) in [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)] where bytes % factor == 0 {
      return "\(bytes / factor)\(unit)"
    }
    return "\(bytes)"
  }

  /// `08:00` in minutes after midnight; `24:00` is the day's end.
  static func clock(_ text: some StringProtocol) -> Int? {
    let bytes = Array(text.utf8)
    guard bytes.count == 5, bytes[2] == 58 else { return nil }
    let digits = [bytes[0], bytes[1], bytes[3], bytes[4]].map { Int($0) - 48 }
    guard digits.allSatisfy({ (0...9).contains($0) }) else { return nil }
    let (hour, minute) = (digits[0] * 10 + digits[1], digits[2] * 10 + digits[3])
    return minute < 60 && (hour < 24 || (hour == 24 && minute == 0)) ? hour * 60 + minute : nil
  }

  /// `08:00-19:00`.
  static func clockRange(_ text: String) -> (from: Int, to: Int)? {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false).map { trim($0) }
    guard parts.count == 2, let from = clock(parts[0]), let to = clock(parts[1]) else { return nil }
    return (from, to)
  }

  /// `5s..15m`, within no bounds.
  static func backoff(_ text: String) -> (base: Span, cap: Span)? {
    guard let dots = text.firstRange(of: ".."), let base = Span(duration: String(text[..<dots.lowerBound])),
      let cap = Span(duration: String(text[dots.upperBound...]))
    else { return nil }
    return (base, cap)
  }

  /// `404`, `2xx`, `500-504`.
  static func statuses(_ text: String) -> ClosedRange<Int>? {
    if text.count == 3, text.hasSuffix("xx"), let first = text.first?.wholeNumberValue, (1...5).contains(first) {
      return first * 100...first * 100 + 99
    }
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
      .map { $0.utf8.count == 3 ? Int($0) : nil }
    guard parts.count <= 2, let from = parts[0], let to = parts[parts.count - 1] else { return nil }
    return from >= 100 && from <= to && to <= 599 ? from...to : nil
  }

  private static func number(_ text: Substring) -> (Int64, String)? {
    let digits = text.prefix { $0 >= "0" && $0 <= "9" }
    guard !digits.isEmpty, let count = Int64(digits) else { return nil }
    return (count, String(text.dropFirst(digits.count)))
  }

  static func trim(_ text: some StringProtocol) -> String {
    var rest = Substring(text)
    while rest.first == " " { rest.removeFirst() }
    while rest.last == " " { rest.removeLast() }
    return String(rest)
  }
}

/// A body's plain scalars: JSON where they are exactly a JSON number, `true`, `false` or `null`, else text.
enum PlainScalar {
  /// The JSON value of a plain scalar; nil where it is text.
  static func value(_ text: String) -> JSONValue? {
    switch text {
    case "true": .bool(true)
    case "false": .bool(false)
    case "null": .null
    default: JSONValue.isNumber(text) ? .number(text) : nil
    }
  }
}
