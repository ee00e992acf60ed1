// `hours:`: when a send may go out. A message outside them waits for the next moment that is inside.

/// Times of day, days and days off, in a zone.
package struct AllowedHours: Sendable {
  /// From included, to excluded, in minutes after midnight; wraps past midnight where to < from. Any of them will do.
  package var ranges: [ClockRange]
  /// Of the day on which a range begins; empty: every day.
  package var weekdays: Set<Weekday>
  /// Days on which no range begins, as days after 1970-01-01.
  package var daysOff: Set<Int>
  package var zone: Zone
  /// As the file says it: `08:00-19:00, mon to sat, not on holidays`.
  package var words: String

  package struct ClockRange: Sendable, Hashable {
    package var from: Int
    package var to: Int
    package init(from: Int, to: Int) {
      self.from = from
      self.to = to
    }
  }

  package init(ranges: [ClockRange], weekdays: Set<Weekday>, daysOff: Set<Int>, zone: Zone, words: String) {
    self.ranges = ranges
    self.weekdays = weekdays
    self.daysOff = daysOff
    self.zone = zone
    self.words = words
  }
}

extension AllowedHours.ClockRange {
  /// On which day a range began that holds the minute: 0 today, -1 the day before; nil: it does not hold it.
  fileprivate func begin(holding minute: Int) -> Int? {
    if minute >= from, to < from || minute < to { return 0 }
    return to < from && minute < to ? -1 : nil
  }
}

extension AllowedHours {
  /// Whether the clock on the wall shows a time inside. An hour that occurs twice is inside, or outside, both times.
  package func allows(_ time: Timestamp) -> Bool {
    let clock = zone.civil(at: time)
    let (day, minute) = (clock.days, clock.hour * 60 + clock.minute)
    return ranges.contains { range in range.begin(holding: minute).map { begins(on: day + $0) } ?? false }
  }

  /// The first moment from `time` on that is inside, `time` itself where it is; nil: there is none within a month after the last
  /// day off.
  package func next(from time: Timestamp) -> Timestamp? {
    if allows(time) { return time }
    guard let start = nextStart(after: time) else { return nil }
    // A change of the clock may land inside a range whose beginning it skips.
    var change = zone.change(after: time)
    while let moment = change, moment < start {
      if allows(moment) { return moment }
      change = zone.change(after: moment)
    }
    return start
  }

  /// Whether ranges begin on a day.
  private func begins(on day: Int) -> Bool {
    if daysOff.contains(day) { return false }
    return weekdays.isEmpty || weekdays.contains(Zone.weekday(ofDay: day))
  }

  /// The first moment after `time` at which the clock shows the beginning of a range.
  private func nextStart(after time: Timestamp) -> Timestamp? {
    let today = zone.civil(at: time).days
    for day in today - 1...max(today, daysOff.max() ?? today) + 31 {
      if let start = starts(on: day, after: time) {
        // Where the clock is set back over midnight, the next day's first minutes come before this day's last.
        return min(start, starts(on: day + 1, after: time) ?? start)
      }
    }
    return nil
  }

  private func starts(on day: Int, after time: Timestamp) -> Timestamp? {
    guard begins(on: day) else { return nil }
    let starts = ranges.filter { $0.from != $0.to }.flatMap { zone.moments(day: day, minute: $0.from) }
    return starts.filter { $0 > time }.min()
  }
}
