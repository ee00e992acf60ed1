// `--outcomes`: what became of accounts, from a CSV file, to be set beside what was rejected.

import DivertCore

/// The file's rows.
struct OutcomeFile {
  struct Row: Equatable {
    /// As it was written.
    var phone: String?
    var account: String?
    var outcome: String
  }

  var rows: [Row]

  /// Reads a file with a head: `outcome`, and `phone` or `account` or both; in any order, other columns beside them are passed
  /// over. Columns are parted by commas, semicolons or tabs.
  init(_ text: String) throws(OperatorFailure) {
    let bare = text.hasPrefix("\u{feff}") ? String(text.dropFirst()) : text
    let line = bare.prefix { !$0.isNewline }
    let separator = [",", ";", "\t"].max { a, b in count(of: a, in: line) < count(of: b, in: line) } ?? ","
    var lines = Self.lines(bare, separator: Character(separator)).filter { $0 != [""] }
    guard !lines.isEmpty else { throw .badRequest("the file of outcomes is empty: \(Self.wanted)") }
    let head = lines.removeFirst().map { Self.trimmed($0).lowercased() }
    let outcome = head.firstIndex(of: "outcome")
    let phone = head.firstIndex { ["phone", "customer", "customer_phone", "mobile"].contains($0) }
    let account = head.firstIndex { ["account", "account_id", "customer_id"].contains($0) }
    guard let outcome, phone != nil || account != nil else {
      throw .badRequest(
        "the file of outcomes has the columns \(head.map { "`\(OperatorText.line($0, limit: 40))`" }.joined(separator: ", "))"
          + ": \(Self.wanted)")
    }
    rows = lines.compactMap { fields in
      func field(_ place: Int?) -> String? {
        guard let place, place < fields.count else { return nil }
        let text = Self.trimmed(fields[place])
        return text.isEmpty ? nil : text
      }
      guard let outcome = field(outcome) else { return nil }
      return Row(phone: field(phone), account: field(account), outcome: outcome)
    }
  }

  private static let wanted = "its first line names the columns, `outcome` and `phone` or `account`"

  private static func trimmed(_ text: String) -> String {
    var text = text[...]
    while text.first?.isWhitespace == true { text.removeFirst() }
    while text.last?.isWhitespace == true { text.removeLast() }
    return String(text)
  }

  /// RFC 4180; quotes hold separators and ends of lines.
  private static func lines(_ text: String, separator: Character) -> [[String]] {
    var lines: [[String]] = []
    var line: [String] = []
    var field = ""
    var isQuoted = false
    var wasQuote = false
    for character in text {
      if isQuoted, character == "\"" {
        (isQuoted, wasQuote) = (false, true)
        continue
      }
      if !isQuoted, character == "\"" {
        // Two within quotes are one.
        if wasQuote { field.append(character) }
        isQuoted = true
      } else if !isQuoted, character == separator {
        line.append(field)
        field = ""
      } else if !isQuoted, character.isNewline {
        lines.append(line + [field])
        (line, field) = ([], "")
      } else {
        field.append(character)
      }
      wasQuote = false
    }
    if !field.isEmpty || !line.isEmpty { lines.append(line + [field]) }
    return lines
  }
}

private func count(of separator: String, in line: Substring) -> Int { line.count { String($0) == separator } }

/// Which customer an account is, as far as events and lookups' answers say.
struct AccountBook {
  /// Phones by whatever may be an account's number.
  private var phones: [String: String] = [:]

  /// Looks at an event of each customer with a rejected call: the customer's id at the source, and every text and number in the
  /// lookups' answers.
  init(_ report: Report, _ store: any Store) throws {
    for (phone, line) in report.customers where line.measures.rejected > 0 && !phone.isEmpty {
      guard let record = try store.event(EventID(sequence: line.lastEvent, tag: store.tag)) else { continue }
      if let id = record.event.fields.customerID { phones[id] = phone }
      for delivery in record.deliveries {
        for answer in delivery.memo.lookups.values { note(answer, phone) }
      }
    }
  }

  private mutating func note(_ value: JSONValue, _ phone: String) {
    switch value {
    case .string(let text), .number(let text): if phones[text] == nil { phones[text] = phone }
    case .array(let items): for item in items { note(item, phone) }
    case .object(let object): for member in object.members { note(member.value, phone) }
    case .null, .bool: break
    }
  }

  func phone(of account: String) -> String? { phones[account] }
}
