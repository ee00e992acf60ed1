// A time zone: what the clock on a wall shows at a moment. The offset is cached, so that asking is cheap on an
// event's path.

import FoundationEssentials
// Without it TimeZone knows no zone but GMT.
import FoundationInternationalization
import Synchronization

/// A zone of the IANA database.
package final class Zone: Sendable {
  /// The name it was made from: `Asia/Kolkata`.
  package let identifier: String
  private let zone: TimeZone
  private let known = Mutex(Stretch(from: 0, to: 0, offset: 0))

  /// Milliseconds from included to excluded in which the offset does not change.
  private struct Stretch {
    var from: Int64
    var to: Int64
    /// Seconds east of UTC.
    var offset: Int
  }

  /// UTC. Its times are written with `Z`.
  package static let utc = Zone(identifier: "UTC", zone: .gmt)

  private init(identifier: String, zone: TimeZone) {
    self.identifier = identifier
    self.zone = zone
  }

  /// The zone of that name; nil where there is none.
  package static func named(_ identifier: String) -> Zone? {
    if identifier == "UTC" { return utc }
    return zones.withLock { zones in
      if let zone = zones[identifier] { return zone }
      guard let found = TimeZone(identifier: identifier) else { return nil }
      let zone = Zone(identifier: identifier, zone: found)
      zones[identifier] = zone
      return zone
    }
  }

  /// Every zone that was ever asked for; files name a handful.
  private static let zones = Mutex<[String: Zone]>([:])

  /// Whether the database has a zone of that name.
  package static func exists(_ identifier: String) -> Bool { named(identifier) != nil }

  /// The names of the database, for suggestions. Where the library lists only a city's former name, the present one
  /// too.
  package static var identifiers: [String] { presentNames + TimeZone.knownTimeZoneIdentifiers }

  private static let presentNames = [
    "UTC", "Asia/Kolkata", "Asia/Kathmandu", "Asia/Yangon", "Asia/Ho_Chi_Minh", "Europe/Kyiv", "Atlantic/Faroe",
    "Africa/Asmara", "America/Nuuk", "America/Argentina/Buenos_Aires", "America/Indiana/Indianapolis",
    "Pacific/Pohnpei",
  ]

  /// Seconds east of UTC at a moment.
  package func offset(at time: Timestamp) -> Int {
    let moment = time.milliseconds
    return known.withLock { stretch in
      if moment >= stretch.from, moment < stretch.to { return stretch.offset }
      stretch = self.stretch(around: moment)
      return stretch.offset
    }
  }

  /// Asks from 40 days before the moment on, so that a late event and a delivery due soon fall into one stretch.
  private func stretch(around moment: Int64) -> Stretch {
    let before = moment - 40 * 86_400_000
    var from = before
    var to = nextChange(after: before)
    // Some zones change twice within that: Morocco puts summer time off for Ramadan.
    while to <= moment, to > from {
      from = to
      to = nextChange(after: from)
    }
    if from > moment || to <= moment { (from, to) = (moment, moment + 1) }
    return Stretch(from: from, to: to, offset: zone.secondsFromGMT(for: Self.date(moment)))
  }

  /// The first moment after `time` at which the offset changes; nil: none is known.
  func change(after time: Timestamp) -> Timestamp? {
    let moment = nextChange(after: time.milliseconds)
    return moment == .max ? nil : Timestamp(milliseconds: moment)
  }

  private func nextChange(after moment: Int64) -> Int64 {
    guard let change = zone.nextDaylightSavingTimeTransition(after: Self.date(moment)) else { return .max }
    return Int64((change.timeIntervalSince1970 * 1000).rounded())
  }

  private static func date(_ moment: Int64) -> Date { Date(timeIntervalSince1970: Double(moment) / 1000) }
}

extension Zone: Hashable {
  package static func == (a: Zone, b: Zone) -> Bool { a.identifier == b.identifier }

  package func hash(into hasher: inout Hasher) { hasher.combine(identifier) }
}

/// Days of the week by the names that `local.weekday` uses.
package enum Weekday: String, Sendable, Hashable, CaseIterable {
  case mon, tue, wed, thu, fri, sat, sun
}

extension Zone {
  /// What the zone's clock shows.
  func civil(at time: Timestamp) -> CivilTime { CivilTime(milliseconds: local(time)) }

  private func local(_ time: Timestamp) -> Int64 { time.milliseconds + Int64(offset(at: time)) * 1000 }

  /// Minutes since local midnight, by the clock: 0 … 1439.
  package func minuteOfDay(at time: Timestamp) -> Int {
    Int(CivilTime.floorDivide(local(time), 86_400_000).1 / 60_000)
  }

  package func weekday(at time: Timestamp) -> Weekday {
    Self.weekday(ofDay: Int(CivilTime.floorDivide(local(time), 86_400_000).0))
  }

  /// Of a day, as days after 1970-01-01, which was a Thursday.
  package static func weekday(ofDay day: Int) -> Weekday {
    Weekday.allCases[Int(CivilTime.floorDivide(Int64(day) + 3, 7).1)]
  }

  /// The first moment of the next local day.
  package func nextMidnight(after time: Timestamp) -> Timestamp {
    let days = CivilTime.floorDivide(local(time), 86_400_000).0
    return moment(of: CivilTime(days: Int(days) + 1))
  }

  /// The moments, in order, at which the clock shows a minute of a day (as days after 1970-01-01): one, none where a change of the
  /// clock skips it, two where it occurs twice.
  func moments(day: Int, minute: Int) -> [Timestamp] {
    let asUTC = Timestamp(milliseconds: Int64(day) * 86_400_000 + Int64(minute) * 60_000)
    let offsets = Set([offset(at: asUTC - .days(1)), offset(at: asUTC + .days(1))])
    return offsets.compactMap { offset in
      let moment = asUTC - .seconds(Int64(offset))
      return self.offset(at: moment) == offset ? moment : nil
    }.sorted()
  }

  /// The moment at which the clock shows `civil`. A time that a change of the clock skips is read with the offset
  /// before the change; of a time that occurs twice, one of the two is given.
  func moment(of civil: CivilTime) -> Timestamp {
    let local = civil.milliseconds
    func reading(_ offset: Int) -> Timestamp { Timestamp(milliseconds: local - Int64(offset) * 1000) }
    let first = reading(offset(at: reading(0) - .days(1)))
    let second = reading(offset(at: first))
    return offset(at: second) == offset(at: first) ? second : max(first, second)
  }
}
