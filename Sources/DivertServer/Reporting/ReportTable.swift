// A report's tables before anybody says how they are shown: text, CSV, JSON and the page are made of the same ones.

import DivertCore

/// A table with a name for programs and a title for people.
struct ReportTable {
  struct Column {
    /// For programs: `incoming_rejected`.
    var name: String
    /// For people: `incoming rejected`.
    var head: String
    var isNumber = true

    static func text(_ name: String, _ head: String? = nil) -> Column {
      Column(name: name, head: head ?? name, isNumber: false)
    }
    static func number(_ name: String, _ head: String) -> Column { Column(name: name, head: head) }
  }

  enum Cell: Equatable {
    case text(String)
    case number(Int)
    /// Of a hundred, with one place.
    case percent(Int, of: Int)
    case none
  }

  var name: String
  var title: String
  /// What the numbers mean, in a sentence or two.
  var note: String
  var columns: [Column]
  var rows: [[Cell]]
  /// So many rows more are not shown.
  var hidden = 0
}

extension ReportTable.Cell {
  init(optional text: String?) { self = text.map { .text($0) } ?? .none }

  /// As people read it.
  var shown: String {
    switch self {
    case .text(let text): text
    case .number(let n): String(n)
    case .percent(let part, let whole): whole == 0 ? "" : Self.share(part, whole) + "%"
    case .none: ""
    }
  }

  var json: JSONValue {
    switch self {
    case .text(let text): .string(text)
    case .number(let n): .number(n)
    case .percent(let part, let whole): whole == 0 ? .null : .number(Self.share(part, whole))
    case .none: .null
    }
  }

  /// `12.5`, rounded to the nearest.
  private static func share(_ part: Int, _ whole: Int) -> String {
    let tenths = (part * 1000 + whole / 2) / whole
    return "\(tenths / 10).\(tenths % 10)"
  }
}

/// A report as it is shown: its head, its tables, and the days for the plots.
struct ReportDocument {
  /// `Rejection log of 2026-10`.
  var title: String
  /// Of what, by which clock, made when.
  var lines: [String]
  /// The same for programs.
  var head: [(String, JSONValue?)]
  var totals: ReportMeasures
  var tables: [ReportTable]
  /// Every day of the time, in order, also those on which nothing happened.
  var days: [(label: String, measures: ReportMeasures)]
}

extension ReportDocument {
  /// `{"month": …, "totals": {…}, "agents": [{…}], …}`.
  var json: JSONValue {
    var members = head.compactMap { key, value in value.map { JSONObject.Member(key: key, value: $0) } }
    members.append(.init(key: "totals", value: Self.json(totals)))
    for table in tables {
      let rows = table.rows.map { row in
        JSONValue.object(
          JSONObject(
            zip(table.columns, row).compactMap { column, cell in
              cell == .none ? nil : JSONObject.Member(key: column.name, value: cell.json)
            }))
      }
      members.append(.init(key: table.name, value: .array(rows)))
    }
    return .object(JSONObject(members))
  }

  private static func json(_ measures: ReportMeasures) -> JSONValue {
    .object(
      JSONObject(
        zip(MeasureColumns.all, MeasureColumns.cells(measures)).map { .init(key: $0.name, value: $1.json) }))
  }

  /// RFC 4180, one table after another with an empty line between.
  var csv: String { tables.map(\.csv).joined(separator: "\r\n") }

  /// Tables whose columns line up.
  var text: String {
    var out = ([title] + lines).joined(separator: "\n") + "\n"
    for table in tables { out += "\n" + table.text }
    return out
  }
}

extension ReportTable {
  var csv: String {
    var out = columns.map { Self.field($0.name) }.joined(separator: ",") + "\r\n"
    for row in rows { out += row.map { Self.field($0.csv) }.joined(separator: ",") + "\r\n" }
    return out
  }

  /// Quoted where it must be; what a spreadsheet would take for a formula stands behind a `'`. Phones begin with `+`, and stay.
  private static func field(_ text: String) -> String {
    var text = text
    if let first = text.first, "=+-@\t\r".contains(first), !text.dropFirst().allSatisfy({ $0.isNumber || $0 == "*" }) {
      text = "'" + text
    }
    let isPlain = !text.contains { $0 == "," || $0 == "\"" || $0.isNewline }
    return isPlain ? text : "\"" + text.replacing("\"", with: "\"\"") + "\""
  }

  var text: String {
    var out = title + "\n"
    if rows.isEmpty { return out + "  none\n" }
    let all = [columns.map(\.head)] + rows.map { $0.map { OperatorText.line($0.shown, limit: 120) } }
    let widths = columns.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
    for row in all {
      let cells = row.enumerated().map { place, cell in
        let pad = String(repeating: " ", count: widths[place] - cell.count)
        return columns[place].isNumber ? pad + cell : cell + pad
      }
      var line = "  " + cells.joined(separator: "  ")
      while line.last == " " { line.removeLast() }
      out += line + "\n"
    }
    return hidden == 0 ? out : out + "  and \(hidden) more (--limit 0 shows all)\n"
  }
}

extension ReportTable.Cell {
  /// A share without its sign.
  fileprivate var csv: String { if case .percent = self { String(shown.dropLast()) } else { shown } }
}

/// The columns that every grouping has.
enum MeasureColumns {
  static let all: [ReportTable.Column] = [
    .number("incoming_calls", "incoming"), .number("incoming_rejected", "rejected"),
    .number("incoming_rejected_percent", "%"), .number("incoming_missed", "missed"),
    .number("outgoing_calls", "outgoing"), .number("outgoing_rejected", "rejected"),
    .number("outgoing_rejected_percent", "%"), .number("promises", "promises"), .number("kept", "kept"),
    .number("kept_reported_late", "late"), .number("broken", "broken"), .number("open", "open"),
    .number("sent", "sent"), .number("withheld", "withheld"), .number("failed", "failed"),
  ]

  static func cells(_ m: ReportMeasures) -> [ReportTable.Cell] {
    [
      .number(m.incomingCalls), .number(m.incomingRejected), .percent(m.incomingRejected, of: m.incomingCalls),
      .number(m.incomingMissed), .number(m.outgoingCalls), .number(m.outgoingRejected),
      .percent(m.outgoingRejected, of: m.outgoingCalls), .number(m.promises), .number(m.kept), .number(m.keptLate),
      .number(m.broken), .number(m.open), .number(m.sent), .number(m.withheld), .number(m.failed),
    ]
  }
}
