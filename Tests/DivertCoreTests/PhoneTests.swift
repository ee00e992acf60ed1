// Phone numbers in every spelling that sources and people use.

import DivertCore
import Testing

@Suite struct PhoneTests {
  @Test(
    "numbers become E.164",
    arguments: [
      ("919876543210", "IN", "+919876543210"), ("+919876543210", "IN", "+919876543210"),
      ("9876543210", "IN", "+919876543210"), ("09876543210", "IN", "+919876543210"),
      ("00919876543210", "IN", "+919876543210"), ("+91 98765-43210", "US", "+919876543210"),
      // Ten digits that begin with the calling code are a national number.
      ("9198765432", "IN", "+919198765432"), ("11111111111", "IN", "+11111111111"),
      ("14155550123", "IN", "+14155550123"),
      ("971501234567", "IN", "+971501234567"), ("(415) 555-0123", "US", "+14155550123"),
      ("1-415-555-0123", "US", "+14155550123"), ("011919876543210", "US", "+919876543210"),
      ("07911 123456", "GB", "+447911123456"), ("447911123456", "GB", "+447911123456"),
      ("0501234567", "AE", "+971501234567"), ("501234567", "AE", "+971501234567"), ("81234567", "SG", "+6581234567"),
      ("6581234567", "SG", "+6581234567"), ("081234567890", "ID", "+6281234567890"),
      ("6281234567890", "ID", "+6281234567890"),
      ("11987654321", "BR", "+5511987654321"), ("5511987654321", "BR", "+5511987654321"),
      ("tel:+919876543210", "IN", "+919876543210"),
      ("919876543210", "ZZ", "+919876543210"),
    ])
  func e164(text: String, country: String, number: String) {
    #expect(Phone.e164(text, country: country) == number)
    #expect(Phone.normalised(number, country: country) == number)
  }

  @Test(
    "what cannot be read stays as it came",
    arguments: [
      "", "James Smith", "12345", "98765x43210", "+", "++919876543210", "+0123456789", "00", "9876543210123456789",
      "98765+43210",
    ])
  func unreadable(text: String) {
    #expect(Phone.e164(text, country: "IN") == nil)
    #expect(Phone.normalised(text, country: "IN") == text)
  }

  @Test("national numbers, digits and masks")
  func forms() {
    #expect(Phone.national("+919876543210", country: "US") == "9876543210")
    #expect(Phone.national("+14155550123", country: "IN") == "4155550123")
    #expect(Phone.national("+971501234567", country: "IN") == "501234567")
    #expect(Phone.national("James", country: "IN") == nil)
    #expect(Phone.digits("+91 98765-43210") == "919876543210")
    #expect(Phone.mask("+919876543210") == "+91******3210")
    #expect(Phone.mask("+6581234567") == "+65****4567")
    #expect(Phone.mask("James Smith") == "J. S." && Phone.mask("रोहन मेहता") == "रो. मे.")
    #expect(Phone.mask("James") == "J." && Phone.mask("cust-4711-77") == "********1-77")
    #expect(Phone.mask("") == "")
  }
}
