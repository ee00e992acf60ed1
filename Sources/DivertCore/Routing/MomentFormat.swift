// How the filter `format` writes a moment: `YYYY-MM-DD HH:mm:ss`. Checked when a file is read.

/// Letters stand for parts of a date and time; `T` and what stands in `[…]` is text, as is all that is no letter.
enum MomentFormat {
  private enum Part: Equatable {
    case token(String)
    case text(String)
  }

  static let tokens = [
    "YYYY", "YY", "MMMM", "MMM", "MM", "M", "DD", "D", "dddd", "ddd", "HH", "H", "hh", "h", "mm", "m", "ss", "s", "SSS",
    "A", "a", "ZZ", "Z",
  ]

  /// What is wrong with a format; nil: nothing.
  static func fault(in format: String) -> String? {
    guard let parts = parts(format) else { return "a `[` in `\(format)` is not closed" }
    if parts.isEmpty { return "the format is empty" }
    for case .token(let name) in parts where !tokens.contains(name) {
      return "`\(name)` in `\(format)` stands for nothing: there are \(tokens.joined(separator: " ")); text in [ ]"
    }
    return nil
  }

  /// The moment as the zone's clock shows it.
  static func text(of time: Timestamp, in zone: Zone, _ format: String) -> String {
    let clock = zone.civil(at: time)
    return (parts(format) ?? []).map { part in
      switch part {
      case .text(let text): text
      case .token(let name):
        dateText(name, clock, zone.weekday(at: time)) ?? timeText(name, clock, zone.offset(at: time))
      }
    }.joined()
  }

  /// Runs of one letter, and what is between them; nil: a bracket that is not closed.
  private static func parts(_ format: String) -> [Part]? {
    var parts: [Part] = []
    var rest = format[...]
    while let first = rest.first {
      if first == "[" {
        guard let end = rest.firstIndex(of: "]") else { return nil }
        parts.append(.text(String(rest[rest.index(after: rest.startIndex)..<end])))
        rest = rest[rest.index(after: end)...]
      } else if first.isASCII, first.isLetter, first != "T" {
        let run = rest.prefix { $0 == first }
        parts.append(.token(String(run)))
        rest = rest.dropFirst(run.count)
      } else {
        parts.append(.text(String(first)))
        rest = rest.dropFirst()
      }
    }
    return parts
  }

  private static let months = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
  ]
  private static let days: [Weekday: String] = [
    .mon: "Monday", .tue: "Tuesday", .wed: "Wednesday", .thu: "Thursday", .fri: "Friday", .sat: "Saturday",
    .sun: "Sunday",
  ]

  private static func dateText(_ token: String, _ clock: CivilTime, _ day: Weekday) -> String? {
    switch token {
    case "YYYY": padded(clock.year, 4)
    case "YY": padded(clock.year % 100, 2)
    case "MMMM": months[clock.month - 1]
    case "MMM": String(months[clock.month - 1].prefix(3))
    case "MM": padded(clock.month, 2)
    case "M": "\(clock.month)"
    case "DD": padded(clock.day, 2)
    case "D": "\(clock.day)"
    case "dddd": days[day] ?? ""
    case "ddd": String((days[day] ?? "").prefix(3))
    default: nil
    }
  }

  private static func timeText(_ token: String, _ clock: CivilTime, _ offset: Int) -> String {
    let twelve = (clock.hour + 11) % 12 + 1
    return switch token {
    case "HH": padded(clock.hour, 2)
    case "H": "\(clock.hour)"
    case "hh": padded(twelve, 2)
    case "h": "\(twelve)"
    case "mm": padded(clock.minute, 2)
    case "m": "\(clock.minute)"
    case "ss": padded(clock.second, 2)
    case "s": "\(clock.second)"
    case "SSS": padded(clock.millisecond, 3)
    case "A": clock.hour < 12 ? "AM" : "PM"
    case "a": clock.hour < 12 ? "am" : "pm"
    case "Z": offsetText(offset, ":")
    case "ZZ": offsetText(offset, "")
    default: token
    }
  }

  private static func offsetText(_ seconds: Int, _ separator: String) -> String {
    let minutes = abs(seconds) / 60
    return (seconds < 0 ? "-" : "+") + padded(minutes / 60, 2) + separator + padded(minutes % 60, 2)
  }

  private static func padded(_ number: Int, _ length: Int) -> String {
    let digits = "\(number)"
    return String(repeating: "0", count: max(0, length - digits.count)) + digits
  }
}
