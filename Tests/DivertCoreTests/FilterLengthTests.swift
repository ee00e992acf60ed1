// Filters whose bounds and forms have edges: lengths in characters, bytes and UTF-16 units; moments in a form.

import DivertCore
import Testing

@Suite struct FilterLengthTests {
  private func evaluate(_ text: String, _ value: String) throws -> String? {
    var context = try context(nil)
    context.arguments = JSONObject([.init(key: "v", value: .string(value))])
    return try context.text(try template(text))
  }

  @Test(
    "a text is cut within its bound, between characters, its ending counted",
    arguments: [
      ("truncate: 3", "aé👍🏽z", "aé👍🏽"), ("truncate_bytes: 3", "aé👍🏽z", "aé"), ("truncate_bytes: 2", "aé👍🏽z", "a"),
      ("truncate_bytes: 10", "aé👍🏽z", "aé"), ("truncate_bytes: 11", "aé👍🏽z", "aé👍🏽"),
      ("truncate_bytes: 12", "aé👍🏽z", "aé👍🏽z"), ("truncate_utf16: 5", "aé👍🏽z", "aé"),
      ("truncate_utf16: 6", "aé👍🏽z", "aé👍🏽"), ("truncate_utf16: 7", "aé👍🏽z", "aé👍🏽z"),
      ("truncate_bytes: 5, '…'", "Rohan Mehta", "Ro…"), ("truncate_bytes: 2, '…'", "Rohan", "Ro"),
      ("truncate: 4, '...'", "Rohan", "R..."), ("truncate: 2, '...'", "Rohan", "Ro"), ("truncate_bytes: 0", "a", ""),
      ("truncate_utf16: 5, '…'", "Rohan", "Rohan"), ("base64", "a é", "YSDDqQ=="), ("base64", "ab", "YWI="),
    ])
  func lengths(filter: String, value: String, wanted: String) throws {
    #expect(try evaluate("{{ arguments.v | \(filter) }}", value) == wanted)
  }

  @Test(
    "a moment is written in the form asked for",
    arguments: [
      ("2026-01-05T00:07:09.004Z", "YYYY-MM-DD HH:mm:ss.SSS", "2026-01-05 00:07:09.004"),
      ("2026-01-05T00:07:09Z", "D/M/YY h:m:s a", "5/1/26 12:7:9 am"),
      ("2026-12-31T12:00:00+05:30", "dddd, DD MMMM YYYY hh:mm A", "Thursday, 31 December 2026 06:30 AM"),
      ("2026-02-28T23:59:59Z", "YYYYMMDDTHHmmss[Z]", "20260228T235959Z"), ("2026-02-28T13:00:00Z", "hA", "1PM"),
      ("2026-02-28T13:00:00Z", "Z ZZ", "+00:00 +0000"), ("2026-02-28T13:00:00Z", "[it is] H", "it is 13"),
    ])
  func forms(moment: String, form: String, wanted: String) throws {
    #expect(try evaluate("{{ arguments.v | format: '\(form)' }}", moment) == wanted)
  }

  @Test("the zone before it decides, else UTC")
  func zones() throws {
    let form = "format: 'YYYY-MM-DDTHH:mm:ssZ'"
    #expect(try evaluate("{{ arguments.v | \(form) }}", "2026-07-01T10:00:00+05:30") == "2026-07-01T04:30:00+00:00")
    #expect(
      try evaluate("{{ arguments.v | in_zone: Europe/Berlin | \(form) }}", "2026-07-01T10:00:00Z")
        == "2026-07-01T12:00:00+02:00")
    #expect(
      try evaluate("{{ arguments.v | in_zone: America/St_Johns | format: ZZ }}", "2026-01-01T10:00:00Z") == "-0330")
  }

  @Test("a form that stands for nothing is refused when it is read", arguments: ["yyyy", "''", "DD.mmm", "Q", "'[x'"])
  func faults(form: String) {
    #expect(throws: TemplateFaults.self) { try template("{{ at | format: \(form) }}") }
  }
}
