// Days and months of a zone's calendar, as reports name them.

extension Zone {
  /// The day that the zone's clock shows, as days after 1970-01-01.
  package func day(at time: Timestamp) -> Int { civil(at: time).days }

  /// `2026-10-31`.
  package static func text(ofDay day: Int) -> String {
    let civil = CivilTime(days: day)
    var bytes: [UInt8] = []
    civil.append(dateTo: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The month that holds a moment: `2026-10`.
  package func month(at time: Timestamp) -> String { String(Self.text(ofDay: day(at: time)).prefix(7)) }

  /// From a month's first moment to that of the next; nil: the text is no month like `2026-10`.
  package func month(_ text: String) -> Range<Timestamp>? {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 2, parts[0].count == 4, parts[1].count == 2, let year = Int(parts[0]),
      let month = Int(parts[1]),
      year > 0, 1...12 ~= month
    else { return nil }
    let next =
      month == 12 ? CivilTime(year: year + 1, month: 1, day: 1) : CivilTime(year: year, month: month + 1, day: 1)
    return moment(of: CivilTime(year: year, month: month, day: 1))..<moment(of: next)
  }
}
