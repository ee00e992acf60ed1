// ISO 8601, durations and time zones, with changes of the clock.

import DivertCore
import FoundationEssentials
import FoundationInternationalization
import Testing

@Suite struct ISO8601Tests {
  @Test(
    "every accepted spelling names the same moment",
    arguments: [
      "2026-01-15T10:30:25.000Z", "2026-01-15T10:30:25Z", "2026-01-15T10:30:25.0004Z", "2026-01-15t10:30:25z",
      "2026-01-15 10:30:25Z", "2026-01-15T16:00:25+05:30", "2026-01-15T16:00:25.000+0530", "2026-01-15T05:30:25-05",
      "2026-01-15T10:30:25,0Z",
    ])
  func spellings(text: String) { #expect(Timestamp(iso8601: text) == moment) }

  @Test(
    "what is no time with a zone is refused",
    arguments: [
      "", "2026-01-15T10:30:25", "2026-01-15", "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-01-15T24:00:00Z",
      "2026-01-15T10:60:00Z", "2026-01-15T10:30:25.Z", "2026-1-15T10:30:25Z", "2026-01-15T10:30:25Zx",
      "20260115T103025Z",
      "2026-01-15T10:30:25+5:30", "1768473025",
    ])
  func refused(text: String) { #expect(Timestamp(iso8601: text) == nil) }

  @Test("a text without a zone is read in the zone given")
  func zoned() throws {
    let kolkata = try zone("Asia/Kolkata")
    #expect(Timestamp(iso8601: "2026-01-15T16:00:25", in: kolkata) == moment)
    #expect(Timestamp(iso8601: "2026-01-15", in: kolkata)?.iso8601 == "2026-01-14T18:30:00.000Z")
  }

  @Test("times are written in UTC and on a zone's clock")
  func written() throws {
    #expect(moment.iso8601 == "2026-01-15T10:30:25.000Z")
    #expect(moment.iso8601(in: try zone("Asia/Kolkata")) == "2026-01-15T16:00:25.000+05:30")
    #expect(moment.iso8601(in: try zone("America/New_York")) == "2026-01-15T05:30:25.000-05:00")
    #expect(moment.iso8601(in: .utc) == "2026-01-15T10:30:25.000Z")
    #expect(Timestamp(milliseconds: -1).iso8601 == "1969-12-31T23:59:59.999Z")
    #expect(Timestamp.distantFuture.iso8601.hasPrefix("9999-"))
  }

  @Test("random moments come back as they were", arguments: 1...5)
  func roundTrip(seed: UInt64) {
    var random = Seeded(seed)
    for _ in 0..<500 {
      let time = Timestamp(milliseconds: .random(in: -60_000_000_000_000...250_000_000_000_000, using: &random))
      #expect(Timestamp(iso8601: time.iso8601) == time)
    }
  }

  @Test(
    "durations",
    arguments: [
      ("100ms", 100), ("5s", 5000), ("10m", 600_000), ("1h", 3_600_000), ("7d", 604_800_000), ("6d 1h", 522_000_000),
      ("1h30m", 5_400_000), ("0s", 0),
    ] as [(String, Int64)])
  func durations(text: String, milliseconds: Int64) {
    #expect(Span(duration: text)?.milliseconds == milliseconds)
  }

  @Test(
    "what is no duration", arguments: ["", "5", "s", "5 s", "-5s", "5x", "1.5h", "5s ", " 5s", "99999999999999999d"])
  func noDuration(text: String) { #expect(Span(duration: text) == nil) }

  @Test("durations are written as they are read")
  func durationText() {
    #expect(Span.milliseconds(522_000_100).duration == "6d 1h 100ms")
    #expect(Span.zero.duration == "0s")
    #expect(Span.seconds(-90).duration == "-1m 30s")
  }
}

@Suite struct ZoneTests {
  @Test("only names of the database are zones")
  func names() {
    #expect(Zone.exists("Asia/Kolkata"))
    #expect(!Zone.exists("Asia/Kolkatta"))
    #expect(!Zone.exists(""))
  }

  @Test(
    "the cached offset is the database's, in any order of asking",
    arguments: [
      "Asia/Kolkata", "America/New_York", "Europe/London", "Australia/Lord_Howe", "Africa/Cairo", "America/Sao_Paulo",
      "Africa/Casablanca", "Pacific/Apia",
    ])
  func offsets(name: String) throws {
    let zone = try zone(name)
    let truth = try #require(TimeZone(identifier: name))
    var random = Seeded(7)
    for _ in 0..<400 {
      let start = Int64.random(in: 1_500_000_000_000...2_000_000_000_000, using: &random)
      for step in [0, 3_600_000, -7_200_000, 30 * 86_400_000] as [Int64] {
        let time = start + step
        let wanted = truth.secondsFromGMT(for: Date(timeIntervalSince1970: Double(time) / 1000))
        #expect(zone.offset(at: Timestamp(milliseconds: time)) == wanted, "\(name) at \(time)")
      }
    }
  }

  @Test("the clock's change is exact to the millisecond")
  func change() throws {
    let zone = try zone("America/New_York")
    let change = try #require(Timestamp(iso8601: "2026-03-08T07:00:00Z"))
    #expect(zone.offset(at: change - .milliseconds(1)) == -18_000)
    #expect(zone.offset(at: change) == -14_400)
    #expect(zone.minuteOfDay(at: change - .milliseconds(1)) == 119)
    #expect(zone.minuteOfDay(at: change) == 180)
  }

  @Test("time of day and weekday are the clock's")
  func clock() throws {
    let zone = try zone("Asia/Kolkata")
    #expect(zone.minuteOfDay(at: moment) == 16 * 60)
    #expect(zone.weekday(at: moment) == .thu)
    #expect(zone.weekday(at: moment + .hours(8)) == .fri)
    #expect(Zone.utc.weekday(at: Timestamp(milliseconds: -1)) == .wed)
  }

  @Test(
    "the next midnight begins the next local day",
    arguments: [
      ("Asia/Kolkata", "2026-01-15T10:30:25Z", "2026-01-15T18:30:00.000Z"),
      ("Asia/Kolkata", "2026-01-15T18:30:00Z", "2026-01-16T18:30:00.000Z"),
      ("America/New_York", "2026-03-08T05:00:00Z", "2026-03-09T04:00:00.000Z"),
      ("America/New_York", "2026-11-01T04:00:00Z", "2026-11-02T05:00:00.000Z"),
      // Midnight does not exist: the day begins at 01:00.
      ("Africa/Cairo", "2026-04-23T12:00:00Z", "2026-04-23T22:00:00.000Z"),
      ("America/Sao_Paulo", "2018-11-03T12:00:00Z", "2018-11-04T03:00:00.000Z"),
      ("Pacific/Auckland", "2026-01-15T10:30:25Z", "2026-01-15T11:00:00.000Z"),
    ])
  func midnight(name: String, at: String, next: String) throws {
    let time = try #require(Timestamp(iso8601: at))
    #expect(try zone(name).nextMidnight(after: time).iso8601 == next)
  }
}
