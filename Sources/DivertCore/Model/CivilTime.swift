// Days and clock times of the Gregorian calendar from and to milliseconds, by integer arithmetic alone.

/// A date and time of day on some clock; which zone it is read in, the holder knows.
struct CivilTime: Sendable, Hashable {
  var year: Int
  /// 1 … 12.
  var month: Int
  /// 1 … 31.
  var day: Int
  var hour = 0
  var minute = 0
  var second = 0
  var millisecond = 0

  init(year: Int, month: Int, day: Int) {
    self.year = year
    self.month = month
    self.day = day
  }

  /// What a clock shows that is `milliseconds` past 1970-01-01T00:00 on itself.
  init(milliseconds: Int64) {
    let (days, rest) = Self.floorDivide(milliseconds, 86_400_000)
    self.init(days: Int(days))
    let time = Int(rest)
    hour = time / 3_600_000
    minute = time / 60_000 % 60
    second = time / 1000 % 60
    millisecond = time % 1000
  }

  /// The date that lies `days` after 1970-01-01 (https://howardhinnant.github.io/date_algorithms.html,
  /// civil_from_days).
  init(days: Int) {
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
    month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  }

  /// Days from 1970-01-01 to the date.
  var days: Int {
    let y = month <= 2 ? year - 1 : year
    let era = (y >= 0 ? y : y - 399) / 400
    let yearOfEra = y - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
  }

  /// Milliseconds from 1970-01-01T00:00 on the same clock.
  var milliseconds: Int64 {
    Int64(days) * 86_400_000 + Int64(hour * 3600 + minute * 60 + second) * 1000 + Int64(millisecond)
  }

  /// Whether the date is one of the calendar and the time one of a day (a leap second counts as the next minute's
  /// first).
  var isValid: Bool {
    guard 1...12 ~= month, 1...31 ~= day, hour < 24, minute < 60, second <= 60 else { return false }
    return CivilTime(days: days).day == day
  }

  /// The quotient rounded down, and the remainder from 0 to `divisor - 1`.
  static func floorDivide(_ value: Int64, _ divisor: Int64) -> (Int64, Int64) {
    let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
  }
}
