// `hours:`: what is allowed and when it is next, over changes of the clock, midnight and days off.

import Testing

@testable import DivertCore

@Suite struct AllowedHoursTests {
  private static func hours(
    _ ranges: [(Int, Int)], _ zoneName: String, weekdays: Set<Weekday> = [], off: [String] = []
  ) throws -> AllowedHours {
    let days = try off.map { day in try #require(Timestamp(iso8601: day + "T00:00:00Z")).milliseconds / 86_400_000 }
    return AllowedHours(
      ranges: ranges.map { .init(from: $0.0, to: $0.1) }, weekdays: weekdays, daysOff: Set(days.map { Int($0) }),
      zone: try zone(zoneName), words: "")
  }

  private func time(_ text: String) throws -> Timestamp { try #require(Timestamp(iso8601: text)) }

  private func next(_ hours: AllowedHours, _ from: String) throws -> String? {
    try hours.next(from: time(from))?.iso8601(in: hours.zone)
  }

  @Test("from is included, to is not")
  func bounds() throws {
    let day = try Self.hours([(480, 1140)], "Asia/Kolkata")
    #expect(try !day.allows(time("2026-01-15T07:59:59.999+05:30")) && day.allows(time("2026-01-15T08:00:00+05:30")))
    #expect(try day.allows(time("2026-01-15T18:59:59.999+05:30")) && !day.allows(time("2026-01-15T19:00:00+05:30")))
    #expect(try next(day, "2026-01-15T16:00:25.123+05:30") == "2026-01-15T16:00:25.123+05:30")
    #expect(try next(day, "2026-01-15T19:00:00+05:30") == "2026-01-16T08:00:00.000+05:30")
    #expect(try next(day, "2026-01-15T07:59:59+05:30") == "2026-01-15T08:00:00.000+05:30")
  }

  @Test("of several ranges the next one counts; a whole day is one")
  func several() throws {
    let two = try Self.hours([(840, 1080), (540, 720)], "Asia/Kolkata")
    #expect(try next(two, "2026-01-15T12:00:00+05:30") == "2026-01-15T14:00:00.000+05:30")
    #expect(try next(two, "2026-01-15T18:00:00+05:30") == "2026-01-16T09:00:00.000+05:30")
    let whole = try Self.hours([(0, 1440)], "Asia/Kolkata", weekdays: [.mon])
    #expect(try whole.allows(time("2026-01-19T23:59:59+05:30")) && !whole.allows(time("2026-01-20T00:00:00+05:30")))
    #expect(try next(whole, "2026-01-15T12:00:00+05:30") == "2026-01-19T00:00:00.000+05:30")
  }

  @Test("a range past midnight belongs to the day on which it begins")
  func night() throws {
    let night = try Self.hours([(1320, 360)], "Asia/Kolkata", weekdays: [.fri], off: ["2026-01-23"])
    // 2026-01-16 is a Friday.
    #expect(try !night.allows(time("2026-01-16T05:00:00+05:30")))
    #expect(try night.allows(time("2026-01-16T22:00:00+05:30")) && night.allows(time("2026-01-17T05:59:00+05:30")))
    #expect(try !night.allows(time("2026-01-17T06:00:00+05:30")) && !night.allows(time("2026-01-17T22:00:00+05:30")))
    #expect(try !night.allows(time("2026-01-23T23:00:00+05:30")) && !night.allows(time("2026-01-24T01:00:00+05:30")))
    #expect(try next(night, "2026-01-17T06:00:00+05:30") == "2026-01-30T22:00:00.000+05:30")
    #expect(try next(night, "2026-01-17T02:00:00+05:30") == "2026-01-17T02:00:00.000+05:30")
  }

  @Test("days off and weekdays are passed over, however many follow each other")
  func daysOff() throws {
    let week: Set<Weekday> = [.mon, .tue, .wed, .thu, .fri]
    let office = try Self.hours([(540, 1020)], "Asia/Kolkata", weekdays: week, off: ["2026-01-26", "2026-01-27"])
    #expect(try next(office, "2026-01-23T17:00:00+05:30") == "2026-01-28T09:00:00.000+05:30")
    let all = (1...31).map { "2026-01-" + ($0 < 10 ? "0\($0)" : "\($0)") }
    let closed = try Self.hours([(540, 1020)], "Asia/Kolkata", off: all)
    #expect(try next(closed, "2026-01-01T00:00:00+05:30") == "2026-02-01T09:00:00.000+05:30")
  }

  @Test("no range, or one without length, is never inside")
  func never() throws {
    #expect(try next(Self.hours([], "Asia/Kolkata"), "2026-01-15T12:00:00+05:30") == nil)
    #expect(try next(Self.hours([(600, 600)], "Asia/Kolkata"), "2026-01-15T12:00:00+05:30") == nil)
  }

  @Test(
    "changes of the clock: skipped beginnings, skipped ranges, hours that occur twice",
    arguments: [
      // 02:00 → 03:00: the range begins where the clock lands.
      ("America/New_York", 150, 300, "2026-03-08T01:00:00-05:00", "2026-03-08T03:00:00.000-04:00"),
      // The whole range is skipped: the next day's.
      ("America/New_York", 120, 180, "2026-03-08T01:00:00-05:00", "2026-03-09T02:00:00.000-04:00"),
      // It begins exactly where the clock lands.
      ("America/New_York", 180, 240, "2026-03-08T01:59:59-05:00", "2026-03-08T03:00:00.000-04:00"),
      // 02:00 → 01:00: the first of two beginnings, then the second.
      ("America/New_York", 90, 105, "2026-11-01T01:00:00-04:00", "2026-11-01T01:30:00.000-04:00"),
      ("America/New_York", 90, 105, "2026-11-01T01:50:00-04:00", "2026-11-01T01:30:00.000-05:00"),
      // The clock goes back into a range that was over.
      ("America/New_York", 30, 75, "2026-11-01T01:20:00-04:00", "2026-11-01T01:00:00.000-05:00"),
      // Over midnight: 00:00 → 23:00 of the day before.
      ("America/Havana", 1380, 1410, "2026-10-31T23:45:00-04:00", "2026-11-01T23:00:00.000-05:00"),
      // Midnight itself is skipped: 00:00 → 01:00.
      ("Africa/Cairo", 0, 120, "2026-04-23T23:00:00+02:00", "2026-04-24T01:00:00.000+03:00"),
      // Half an hour: 02:00 → 02:30.
      ("Australia/Lord_Howe", 130, 200, "2026-10-04T01:00:00+10:30", "2026-10-04T02:30:00.000+11:00"),
      // A whole day is skipped: after 29 December 2011 came the 31st.
      ("Pacific/Apia", 600, 660, "2011-12-29T12:00:00-10:00", "2011-12-31T10:00:00.000+14:00"),
    ])
  func clockChanges(name: String, from: Int, to: Int, at: String, wanted: String) throws {
    #expect(try next(Self.hours([(from, to)], name), at) == wanted)
  }

  @Test(
    "next is what walking on minute by minute finds",
    arguments: [
      ("Asia/Kolkata", "2026-01-15T00:00:00Z"), ("America/New_York", "2026-03-07T00:00:00Z"),
      ("America/New_York", "2026-10-31T00:00:00Z"), ("Europe/London", "2026-03-28T00:00:00Z"),
      ("Australia/Lord_Howe", "2026-04-04T00:00:00Z"), ("Australia/Lord_Howe", "2026-10-03T00:00:00Z"),
      ("America/Havana", "2026-10-31T12:00:00Z"), ("Africa/Cairo", "2026-04-23T00:00:00Z"),
      ("America/Sao_Paulo", "2018-11-03T00:00:00Z"), ("America/St_Johns", "2010-11-06T12:00:00Z"),
      ("Africa/Casablanca", "2026-02-14T00:00:00Z"), ("Africa/Casablanca", "2026-03-21T00:00:00Z"),
      ("Pacific/Apia", "2011-12-29T00:00:00Z"),
    ])
  func walk(name: String, from: String) throws {
    let zone = try zone(name)
    let start = try time(from)
    var random = Seeded(11)
    for _ in 0..<40 {
      let ranges = (0..<Int.random(in: 1...2, using: &random)).map { _ in
        let from = Int.random(in: 0...287, using: &random) * 5
        let length = Int.random(in: 1...40, using: &random) * 5
        return (from, (from + length) % 1440)
      }
      let days = Set(Weekday.allCases.filter { _ in Int.random(in: 0...9, using: &random) > 0 })
      let today = Int((start + .days(1)).milliseconds / 86_400_000)
      let hours = AllowedHours(
        ranges: ranges.map { .init(from: $0.0, to: $0.1) }, weekdays: days,
        daysOff: Bool.random(using: &random) ? [today] : [], zone: zone, words: "")
      let first = start + .minutes(Int64.random(in: 0..<3 * 1440, using: &random)) + .milliseconds(17)
      #expect(hours.next(from: first) == Self.walked(hours, first), "\(ranges) from \(first.iso8601(in: zone))")
    }
  }

  /// Tries the moment itself, then every whole minute: nothing begins within one.
  private static func walked(_ hours: AllowedHours, _ first: Timestamp) -> Timestamp? {
    func inside(_ time: Timestamp) -> Bool {
      let wall = Array(time.iso8601(in: hours.zone).utf8.map { Int($0) - 48 })
      let minute = (wall[11] * 10 + wall[12]) * 60 + wall[14] * 10 + wall[15]
      let local = time + .seconds(Int64(hours.zone.offset(at: time)))
      let today = Int(local.milliseconds / 86_400_000)
      func open(_ day: Int) -> Bool {
        let noon = Timestamp(milliseconds: Int64(day) * 86_400_000 + 43_200_000)
        let fits = hours.weekdays.isEmpty || hours.weekdays.contains(Zone.utc.weekday(at: noon))
        return fits && !hours.daysOff.contains(day)
      }
      for range in hours.ranges {
        if range.from < range.to, open(today), range.from..<range.to ~= minute { return true }
        if range.to < range.from, minute >= range.from, open(today) { return true }
        if range.to < range.from, minute < range.to, open(today - 1) { return true }
      }
      return false
    }
    if inside(first) { return first }
    let whole = Timestamp(milliseconds: first.milliseconds / 60_000 * 60_000)
    return (1...40 * 1440).lazy.map { whole + .minutes(Int64($0)) }.first(where: inside)
  }
}
