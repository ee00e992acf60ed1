// `hours:` of a send → AllowedHours, and `calendars:`, the days off that they may name.
import DivertCore

extension LoadContext {
  /// Days after 1970-01-01 by the calendar's name.
  func calendars(_ node: YAMLNode) -> [String: Set<Int>] {
    var calendars: [String: Set<Int>] = [:]
    for entry in named(node, "'calendars'") {
      calendars[entry.key] = Set(list(entry.value, "a calendar").compactMap { day($0, "a calendar's day") })
    }
    return calendars
  }

  /// A day; what is none is reported.
  private func day(_ node: YAMLNode, _ what: String) -> Int? {
    guard let text = text(node, what) else { return nil }
    if let day = SmallGrammar.day(text) { return day }
    error("bad_date", node.place, "\(what): '\(text)' is not a date", "write 2026-01-26")
    return nil
  }

  func hours(_ node: YAMLNode) -> AllowedHours? {
    let zone = Zone.named(zone) ?? .utc
    guard node.entries != nil else {
      let ranges = clockRanges(node)
      guard !ranges.isEmpty else { return nil }
      return AllowedHours(ranges: ranges, weekdays: [], daysOff: [], zone: zone, words: Self.words(ranges))
    }
    guard let fields = fields(node, .hours) else { return nil }
    if fields.entries.isEmpty, fields.isWhole {
      error("no_value", node.place, "'hours' says no time", "between: \"08:00-19:00\"")
    }
    let ranges = fields["between"].map(clockRanges) ?? [.init(from: 0, to: 1440)]
    let weekdays = fields["weekdays"].map(weekdays) ?? []
    let (daysOff, except) = fields["except"].map(daysOff) ?? ([], [])
    guard !ranges.isEmpty else { return nil }
    let words = [fields["between"].map { _ in Self.words(ranges) }, Self.words(weekdays), Self.words(except)]
    return AllowedHours(
      ranges: ranges, weekdays: weekdays, daysOff: daysOff, zone: zone,
      words: words.compactMap { $0 }.joined(separator: ", "))
  }

  private func clockRanges(_ node: YAMLNode) -> [AllowedHours.ClockRange] {
    let items = oneOrMore(node)
    if items.isEmpty { error("never_allowed", node.place, "no hours at all: it could never go out", "\"08:00-19:00\"") }
    return items.compactMap { item in
      guard let range = clockRange(item, "'hours'") else { return nil }
      guard range.from == 1440 else { return .init(from: range.from, to: range.to) }
      if range.to > 0 { return .init(from: 0, to: range.to) }
      error("never_allowed", item.place, "these hours are empty: they begin when they end", "\"08:00-19:00\"")
      return nil
    }
  }

  private func weekdays(_ node: YAMLNode) -> Set<Weekday> {
    let items = oneOrMore(node)
    if items.isEmpty {
      error("never_allowed", node.place, "on no day of the week: it could never go out", "weekdays: [mon, tue, wed]")
    }
    return Set(
      items.compactMap { choice($0, "a day of the week", KnownValues.weekdays) }.compactMap(Weekday.init))
  }

  /// The days, and what they are called.
  private func daysOff(_ node: YAMLNode) -> (Set<Int>, [String]) {
    var days: Set<Int> = []
    var names: [String] = []
    for item in oneOrMore(node) {
      guard let text = text(item, "'except'") else { continue }
      if let day = SmallGrammar.day(text) {
        days.insert(day)
      } else if let calendar = calendars[text] {
        usedCalendars.insert(text)
        days.formUnion(calendar)
      } else {
        let hint = NearestName.hintOrList(text, in: calendars.keys)
        error(
          "unknown_calendar", item.place, "there is no calendar '\(text)'",
          hint ?? "add it under 'calendars:', or write dates such as 2026-01-26")
        continue
      }
      names.append(text)
    }
    return (days, names)
  }
}

// In words.
extension LoadContext {
  private static func words(_ ranges: [AllowedHours.ClockRange]) -> String {
    ranges.map { "\(clock($0.from))-\(clock($0.to))" }.joined(separator: " or ")
  }

  private static func clock(_ minutes: Int) -> String {
    func two(_ number: Int) -> String { (number < 10 ? "0" : "") + String(number) }
    return "\(two(minutes / 60)):\(two(minutes % 60))"
  }

  /// `mon to sat` where they follow each other.
  private static func words(_ weekdays: Set<Weekday>) -> String? {
    let places = Weekday.allCases.indices.filter { weekdays.contains(Weekday.allCases[$0]) }
    guard let first = places.first, let last = places.last else { return nil }
    let names = places.map { Weekday.allCases[$0].rawValue }
    guard places.count > 2, last - first == places.count - 1 else { return names.joined(separator: ", ") }
    return "\(names[0]) to \(names[names.count - 1])"
  }

  private static func words(_ except: [String]) -> String? {
    except.isEmpty ? nil : "not on " + except.joined(separator: ", ")
  }
}

extension SmallGrammar {
  /// `2026-01-26` in days after 1970-01-01; nil for what is no date.
  static func day(_ text: String) -> Int? {
    let bytes = Array(text.utf8)
    guard bytes.count == 10, bytes[4] == 45, bytes[7] == 45,
      bytes.enumerated().allSatisfy({ [4, 7].contains($0.offset) || (48...57).contains($0.element) }),
      let midnight = Timestamp(iso8601: text + "T00:00:00Z")
    else { return nil }
    return Int(midnight.milliseconds / 86_400_000)
  }
}
