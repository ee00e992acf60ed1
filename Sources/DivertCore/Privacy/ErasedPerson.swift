// Whose data are to go: a phone, and the ways in which it may stand in what is kept.

/// A customer by phone.
package struct ErasedPerson: Sendable, Hashable {
  /// E.164.
  package let phone: String
  /// The number without its country's code: what all its spellings share.
  package let digits: String

  /// Nil: `text` is no phone number that can be read.
  package init?(_ text: String, country: String) {
    guard let phone = Phone.e164(text, country: country), let national = Phone.national(text, country: country),
      national.utf8.count >= 6
    else { return nil }
    self.phone = phone
    digits = national
  }

  /// How the store may have it as an event's customer.
  package var spellings: [String] {
    let whole = String(phone.dropFirst())
    return [phone, whole, "+" + digits, digits, "0" + digits]
  }

  /// Whether an event's customer is this one, however the number came.
  package func isCustomer(_ phone: String?) -> Bool {
    guard let phone else { return false }
    if phone == self.phone { return true }
    // In E.164 it is another country's with the same last digits.
    if phone.hasPrefix("+") { return phone == "+" + digits }
    let given = Phone.digits(phone)
    return given == digits || given == "0" + digits || given.hasSuffix(self.phone.dropFirst())
  }

  /// Whether bytes have the number: its digits in a row, or with blanks, dashes, dots or brackets between them.
  package func isNamed(in bytes: some Sequence<UInt8>) -> Bool {
    let wanted = Array(digits.utf8)
    var run: [UInt8] = []
    var gap = 0
    for byte in bytes {
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"):
        gap = 0
        run.append(byte)
        if run.count > wanted.count { run.removeFirst() }
        if run == wanted { return true }
      case UInt8(ascii: " "), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "("), UInt8(ascii: ")"):
        gap += 1
        if gap > 2 { run = [] }
      default: run = []
      }
    }
    return false
  }
}

/// What the store keeps of a person. Reading it changes nothing.
package struct PersonalData: Sendable {
  /// Their events, oldest first.
  package var events: [EventID] = []
  /// Those of them with deliveries that have not ended.
  package var open: [EventID] = []
  package var deliveries = 0
  package var promises = 0
  /// Lines of books under their number.
  package var entries = 0
  /// Changes of the suppression list on record.
  package var changes: [Int64] = []
  /// Events of other customers whose bodies name the number.
  package var mentions: [EventID] = []
  /// Configurations whose text names the number, in a test perhaps: they are left as they are.
  package var configurations = 0
  package init() {}
}
