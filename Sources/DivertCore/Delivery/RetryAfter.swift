// Retry-After and its like → a wait (step 9 of the line): seconds, or one of the three date forms of RFC 9110,
// section 5.6.7.

package enum RetryAfter {
  /// How long to wait from `now` on; nil for a text that is neither whole seconds nor a date. A date gone by: zero.
  package static func wait(_ text: String, now: Timestamp) -> Span? {
    let text = text.split(whereSeparator: { $0 == " " || $0 == "\t" }).joined(separator: " ")
    if !text.isEmpty, text.utf8.allSatisfy({ $0 &- UInt8(ascii: "0") < 10 }) {
      return .seconds(min(Int64(text) ?? .max, 1_000_000_000))
    }
    return date(text, now: now).map { max(.zero, $0 - now) }
  }

  /// Reads `Sun, 06 Nov 1994 08:49:37 GMT`, `Sunday, 06-Nov-94 08:49:37 GMT` or `Sun Nov 6 08:49:37 1994`; nil for
  /// anything else.
  package static func date(_ text: String, now: Timestamp) -> Timestamp? {
    let parts = text.split { $0 == " " || $0 == "," }.map(String.init)
    switch parts.count {
    case 6 where parts[5] == "GMT": return moment(parts[1], parts[2], year(parts[3]), parts[4])
    case 4 where parts[3] == "GMT":
      let date = parts[1].split(separator: "-").map(String.init)
      guard date.count == 3 else { return nil }
      return moment(date[0], date[1], year(date[2], now), parts[2])
    case 5: return moment(parts[2], parts[1], year(parts[4]), parts[3])
    default: return nil
    }
  }

  private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

  private static func moment(_ day: String, _ month: String, _ year: Int?, _ time: String) -> Timestamp? {
    let clock = time.split(separator: ":", omittingEmptySubsequences: false).map { number($0, 2...2) }
    guard let day = number(day[...], 1...2), let month = months.firstIndex(of: month), let year,
      clock.count == 3, let hour = clock[0], let minute = clock[1], let second = clock[2]
    else { return nil }
    var civil = CivilTime(year: year, month: month + 1, day: day)
    (civil.hour, civil.minute, civil.second) = (hour, minute, second)
    return civil.isValid ? Timestamp(milliseconds: civil.milliseconds) : nil
  }

  private static func year(_ text: String) -> Int? { number(text[...], 4...4) }

  /// Two digits: the year with that ending which is not more than 50 years ahead.
  private static func year(_ text: String, _ now: Timestamp) -> Int? {
    guard let ending = number(text[...], 2...2) else { return nil }
    let today = CivilTime(milliseconds: now.milliseconds).year
    let year = today - today % 100 + ending
    return year > today + 50 ? year - 100 : year <= today - 50 ? year + 100 : year
  }

  private static func number(_ text: Substring, _ lengths: ClosedRange<Int>) -> Int? {
    guard lengths.contains(text.utf8.count), text.utf8.allSatisfy({ $0 &- UInt8(ascii: "0") < 10 }) else { return nil }
    return Int(text)
  }
}
