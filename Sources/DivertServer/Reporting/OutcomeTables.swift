// Rejection patterns beside what became of the accounts: of those that declined so many calls, how many defaulted.

import DivertCore

struct OutcomeTables {
  private struct Account {
    var name: String
    var outcome: String
    var line: CustomerMeasures
  }

  private let accounts: [Account]
  private let outcomes: [String]
  private let tables: ReportTables

  /// - Parameter known: which customer an account is; nil where the file names none.
  init(_ file: OutcomeFile, _ tables: ReportTables, known: AccountBook?, country: String) {
    self.tables = tables
    let customers = tables.report.customers
    accounts = file.rows.map { row in
      let spelled = row.phone.map { Phone.normalised($0, country: country) }
      let phone = spelled ?? row.account.flatMap { known?.phone(of: $0) }
      let name = row.account ?? tables.phone(spelled) ?? ""
      return Account(
        name: name, outcome: row.outcome, line: phone.flatMap { customers[$0] } ?? CustomerMeasures())
    }
    var counts: [String: Int] = [:]
    for account in accounts { counts[account.outcome, default: 0] += 1 }
    outcomes = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map(\.key)
  }

  /// How many calls of the business an account's customer declined.
  private static let classes: [(name: String, holds: @Sendable (CustomerMeasures) -> Bool)] = [
    ("0", { $0.measures.outgoingRejected == 0 }), ("1", { $0.measures.outgoingRejected == 1 }),
    ("2", { $0.measures.outgoingRejected == 2 }), ("3 to 4", { 3...4 ~= $0.measures.outgoingRejected }),
    ("5 or more", { $0.measures.outgoingRejected >= 5 }), ("2 or more in 7 days", { $0.mostInSevenDays >= 2 }),
    ("the agent declined the customer", { $0.measures.incomingRejected > 0 }), ("all", { _ in true }),
  ]

  /// A line for each class, with the share of each outcome.
  var patterns: ReportTable {
    let columns = outcomes.flatMap { outcome -> [ReportTable.Column] in
      [.number(outcome, outcome), .number(outcome + " percent", "%")]
    }
    return ReportTable(
      name: "outcomes", title: "Rejections beside outcomes",
      note:
        "The accounts of the file by how many outgoing calls their customers declined in this time, and what became of them.",
      columns: [.text("outgoing_rejected", "declined"), .number("accounts", "accounts")] + columns,
      rows: Self.classes.map { one in
        let own = accounts.filter { one.holds($0.line) }
        return [.text(one.name), .number(own.count)]
          + outcomes.flatMap { outcome -> [ReportTable.Cell] in
            let count = own.count { $0.outcome == outcome }
            return [.number(count), .percent(count, of: own.count)]
          }
      })
  }

  /// The accounts with a rejected call, the most outgoing rejections first.
  var list: ReportTable {
    let lines = accounts.filter { $0.line.measures.rejected > 0 }.sorted {
      ($1.line.measures.outgoingRejected, $0.name) < ($0.line.measures.outgoingRejected, $1.name)
    }
    let shown = lines.prefix(tables.limit ?? lines.count)
    var table = ReportTable(
      name: "accounts", title: "Accounts of the file with a rejected call", note: "",
      columns: [
        .text("account"), .text("outcome"), .number("outgoing_rejected", "declined"),
        .number("most_in_7_days", "in 7 days"), .number("incoming_rejected", "by agents"),
        .number("broken", "broken promises"), .text("last_rejected_at", "last declined"),
      ],
      rows: shown.map { account in
        let line = account.line
        return [
          .text(account.name), .text(account.outcome), .number(line.measures.outgoingRejected),
          .number(line.mostInSevenDays), .number(line.measures.incomingRejected), .number(line.measures.broken),
          .init(optional: line.outgoingRejections.last.map { $0.iso8601(in: tables.question.zone) }),
        ]
      })
    table.hidden = lines.count - shown.count
    return table
  }
}
