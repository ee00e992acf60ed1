// What is left of an entry of the suppression list when its phone is erased: enough to know the phone again, not to read it.

import Crypto

extension Suppression {
  private static let mark = "erased:"

  /// An entry without the phone and without its reason: `erased:<salt>:<hash>`. It holds for the phone as this one did.
  /// - Parameter salt: 16 random bytes, or those of another such entry.
  package func erased(salt: [UInt8], at now: Timestamp) -> Suppression {
    let text = Self.erasedPhone(phone, salt: HexBytes.text(salt))
    return Suppression(phone: text, reason: "erased", coversAnswers: coversAnswers, since: now, until: until)
  }

  package var isErased: Bool { phone.hasPrefix(Self.mark) }

  /// The salt of an erased entry, as it is written; nil: it is none.
  package var salt: Substring? {
    guard isErased else { return nil }
    return phone.dropFirst(Self.mark.count).prefix { $0 != ":" }
  }

  /// Whether the entry is a phone's, be it erased.
  package func isOf(_ phone: String) -> Bool {
    guard let salt else { return self.phone == phone }
    return self.phone == Self.erasedPhone(phone, salt: String(salt))
  }

  /// What stands for an erased phone.
  static func erasedPhone(_ phone: String, salt: String) -> String {
    let hash = SHA256.hash(data: Array((salt + phone).utf8)).withUnsafeBytes { HexBytes.text(Array($0)) }
    return mark + salt + ":" + hash
  }
}
