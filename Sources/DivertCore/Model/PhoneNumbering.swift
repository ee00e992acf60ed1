// How countries write their numbers: data for Phone.swift (ITU-T E.164 and the national numbering plans that ITU
// publishes).

/// A country's numbering: its calling code, the lengths of its national numbers, and what is dialled before them.
struct PhoneNumbering: Sendable {
  var callingCode: String
  /// Digits of a national number without the trunk prefix.
  var lengths: ClosedRange<Int>
  /// Dialled before national numbers inside the country, not part of them.
  var trunk: String?
  /// Dialled before foreign numbers.
  var international = "00"

  private init(
    _ callingCode: String, _ lengths: ClosedRange<Int>, trunk: String? = "0", international: String = "00"
  ) {
    self.callingCode = callingCode
    self.lengths = lengths
    self.trunk = trunk
    self.international = international
  }

  /// By ISO 3166-1 alpha-2 code.
  static let countries: [String: PhoneNumbering] = [
    "AE": .init("971", 8...9), "AR": .init("54", 10...11), "AT": .init("43", 7...13),
    "AU": .init("61", 9...9, international: "0011"),
    "BD": .init("880", 8...10), "BE": .init("32", 8...9), "BH": .init("973", 8...8, trunk: nil),
    "BR": .init("55", 10...11), "CA": .init("1", 10...10, trunk: "1", international: "011"), "CH": .init("41", 9...9),
    "CL": .init("56", 9...9, trunk: nil), "CN": .init("86", 10...11), "CO": .init("57", 10...10, trunk: nil),
    "CZ": .init("420", 9...9, trunk: nil), "DE": .init("49", 7...12), "DK": .init("45", 8...8, trunk: nil),
    "EG": .init("20", 8...10), "ES": .init("34", 9...9, trunk: nil), "FI": .init("358", 6...11),
    "FR": .init("33", 9...9),
    "GB": .init("44", 9...10), "GH": .init("233", 9...9), "GR": .init("30", 10...10, trunk: nil),
    "HK": .init("852", 8...8, trunk: nil, international: "001"), "HU": .init("36", 8...9, trunk: "06"),
    "ID": .init("62", 8...12), "IE": .init("353", 7...9), "IL": .init("972", 8...9), "IN": .init("91", 10...10),
    "IT": .init("39", 6...11, trunk: nil), "JO": .init("962", 8...9), "JP": .init("81", 9...10, international: "010"),
    "KE": .init("254", 9...9, international: "000"), "KR": .init("82", 8...10), "KW": .init("965", 8...8, trunk: nil),
    "LB": .init("961", 7...8), "LK": .init("94", 9...9), "MA": .init("212", 9...9), "MM": .init("95", 7...10),
    "MX": .init("52", 10...10, trunk: nil), "MY": .init("60", 8...10), "NG": .init("234", 7...10, international: "009"),
    "NL": .init("31", 9...9), "NO": .init("47", 8...8, trunk: nil), "NP": .init("977", 8...10),
    "NZ": .init("64", 8...10), "OM": .init("968", 8...8, trunk: nil), "PE": .init("51", 8...9),
    "PH": .init("63", 8...10), "PK": .init("92", 9...10), "PL": .init("48", 9...9, trunk: nil),
    "PT": .init("351", 9...9, trunk: nil), "QA": .init("974", 7...8, trunk: nil), "RO": .init("40", 9...9),
    "RU": .init("7", 10...10, trunk: "8", international: "810"), "SA": .init("966", 8...9), "SE": .init("46", 7...9),
    "SG": .init("65", 8...8, trunk: nil, international: "001"), "TH": .init("66", 8...9, international: "001"),
    "TR": .init("90", 10...10), "TW": .init("886", 8...9, international: "002"),
    "TZ": .init("255", 9...9, international: "000"),
    "UA": .init("380", 9...9), "UG": .init("256", 9...9, international: "000"),
    "US": .init("1", 10...10, trunk: "1", international: "011"), "VN": .init("84", 9...10), "ZA": .init("27", 9...9),
  ]

  /// Lengths of national numbers by calling code, where the table above knows them.
  static let lengthsByCode: [String: ClosedRange<Int>] = countries.values.reduce(into: [:]) { lengths, country in
    let known = lengths[country.callingCode] ?? country.lengths
    lengths[country.callingCode] =
      min(known.lowerBound, country.lengths.lowerBound)...max(known.upperBound, country.lengths.upperBound)
  }

  /// The calling code at the head of an international number without `+`: every one- and two-digit code of E.164 is
  /// listed, all others have three digits. Nil when the number begins with 0 or has too few digits.
  static func callingCode(of digits: some StringProtocol) -> String? {
    guard let first = digits.first, first != "0", digits.count >= 7 else { return nil }
    if first == "1" || first == "7" { return String(first) }
    let two = String(digits.prefix(2))
    return twoDigits.contains(two) ? two : String(digits.prefix(3))
  }

  private static let twoDigits: Set<String> = [
    "20", "27", "30", "31", "32", "33", "34", "36", "39", "40", "41", "43", "44", "45", "46", "47", "48", "49", "51",
    "52",
    "53", "54", "55", "56", "57", "58", "60", "61", "62", "63", "64", "65", "66", "81", "82", "84", "86", "90", "91",
    "92",
    "93", "94", "95", "98",
  ]
}
