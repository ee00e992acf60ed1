// A report → its tables: who rejected, which promises were kept, which messages went out or were withheld.

import DivertCore

/// By what a report is broken down.
enum ReportGrouping: String, CaseIterable {
  case agent, customer, waba, day, promise, rule
}

/// Makes tables of one report.
struct ReportTables {
  let report: Report
  let question: ReportQuestion
  /// Phones stand whole.
  let isFull: Bool
  /// So many lines a table at most; nil: all.
  let limit: Int?

  func table(_ grouping: ReportGrouping) -> ReportTable {
    switch grouping {
    case .agent: agents
    case .customer: customers
    case .waba: wabas
    case .day: days
    case .promise: promises
    case .rule: rules
    }
  }

  func phone(_ text: String?) -> String? { text.flatMap { $0.isEmpty ? nil : isFull ? $0 : Phone.mask($0) } }

  /// An agent's number like a customer's; a name stays.
  private func agent(_ text: String?) -> String? {
    guard let text, !text.isEmpty else { return nil }
    let isPhone = Phone.digits(text).count >= 7 && !text.contains { $0.isLetter }
    return isPhone ? phone(text) : text
  }

  /// A table of the first lines.
  private func table<Line>(
    _ name: String, _ title: String, note: String = "", _ columns: [ReportTable.Column], _ lines: [Line],
    _ row: (Line) -> [ReportTable.Cell]
  ) -> ReportTable {
    let shown = lines.prefix(limit ?? lines.count)
    var table = ReportTable(name: name, title: title, note: note, columns: columns, rows: shown.map(row))
    table.hidden = lines.count - shown.count
    return table
  }

  // MARK: Groupings

  private var agents: ReportTable {
    let lines = report.agents.sorted {
      ($1.value.incomingRejected, $1.value.broken, $1.value.incomingCalls, $0.key)
        < ($0.value.incomingRejected, $0.value.broken, $0.value.incomingCalls, $1.key)
    }
    return table(
      "agents", "By agent",
      note:
        "Incoming calls rejected are those that the agent declined; outgoing ones, those of the agent's calls that the "
        + "customer declined. Promises are those that the agent's calls opened.",
      [.text("agent")] + MeasureColumns.all, lines
    ) { [.text(agent($0.key) ?? "(no agent)")] + MeasureColumns.cells($0.value) }
  }

  private var customers: ReportTable {
    let lines = report.customers.filter { $0.value.measures.rejected > 0 }.sorted {
      let (a, b) = ($0.value.measures, $1.value.measures)
      return (b.outgoingRejected, b.incomingRejected, $0.key) < (a.outgoingRejected, a.incomingRejected, $1.key)
    }
    return table(
      "customers", "By customer",
      note:
        "Customers with a rejected call, the most outgoing rejections first. In 7 days: the most outgoing calls that "
        + "the customer declined within seven days.",
      [.text("customer")] + MeasureColumns.all + [
        .number("most_in_7_days", "in 7 days"), .text("last_rejected_at", "last declined"),
      ], lines
    ) { phone, line in
      [.text(self.phone(phone) ?? "(no number)")] + MeasureColumns.cells(line.measures) + [
        .number(line.mostInSevenDays), .init(optional: line.outgoingRejections.last.map(moment)),
      ]
    }
  }

  private var wabas: ReportTable {
    table(
      "wabas", "By business number", [.text("waba", "number")] + MeasureColumns.all,
      report.wabas.sorted { $0.key < $1.key }
    ) { [.text($0.key.isEmpty ? "(no number)" : $0.key)] + MeasureColumns.cells($0.value) }
  }

  private var days: ReportTable {
    ReportTable(
      name: "days", title: "By day", note: "", columns: [.text("day")] + MeasureColumns.all,
      rows: everyDay.map { [.text($0.label)] + MeasureColumns.cells($0.measures) })
  }

  /// Of the whole time, up to now where it goes on; more than ten years' worth are those on which something happened.
  var everyDay: [(label: String, measures: ReportMeasures)] {
    let last = max(question.from, min(question.to - .milliseconds(1), question.now))
    let range = question.zone.day(at: question.from)...question.zone.day(at: last)
    let isLong = range.count > 3660
    let days = isLong ? report.days.keys.sorted() : Set(range).union(report.days.keys).sorted()
    return days.map { (Zone.text(ofDay: $0), report.days[$0] ?? ReportMeasures()) }
  }

  // MARK: Promises and rules

  private var promises: ReportTable {
    table(
      "promises", "Promises",
      note:
        "What was promised to a customer, and whether it came in time. Kept, reported late: it happened in time, and was "
        + "reported after the promise had been given up.",
      [
        .text("opened_at", "opened"), .text("route"), .text("customer"), .text("agent"), .text("deadline"),
        .text("standing"), .text("kept_at", "kept at"), .number("kept_after_seconds", "after s"),
        .text("reported_at", "reported at"), .text("event"), .text("kept_by", "kept by"),
      ], report.promises.sorted { $0.order < $1.order }, row)
  }

  private func row(_ line: PromiseLine) -> [ReportTable.Cell] {
    let promise = line.promise
    return [
      .text(moment(promise.openedAt)), .text(promise.route), .init(optional: phone(line.phone)),
      .init(optional: agent(line.agent)), .text(moment(promise.deadline)), .text(line.standing.rawValue),
      .init(optional: promise.keptAt.map(moment)),
      promise.keptAfter.map { .number(Int($0.milliseconds / 1000)) } ?? .none,
      .init(optional: promise.reportedAt.map(moment)), .text(promise.event.description),
      .init(optional: promise.keeper?.description),
    ]
  }

  private var rules: ReportTable {
    ReportTable(
      name: "messages", title: "Messages, and by which rule they were withheld",
      note:
        "Messages to a person that were sent, withheld or given up in this time. Held: waited for allowed hours on the way.",
      columns: [
        .text("route"), .text("send"), .text("action"), .text("outcome"), .text("reason"),
        .number("count", "messages"), .number("held_by_hours", "held"),
      ],
      rows: report.rules.map { line in
        let outcome =
          switch line.state {
          case .delivered: "sent"
          case .skipped: "withheld"
          case .dead, .waiting, .sending: "failed"
          }
        let reason: ReportTable.Cell = line.state == .delivered ? .none : .text(line.code)
        return [
          .text(line.route), .text(line.send), .text(line.action), .text(outcome), reason, .number(line.count),
          .number(line.held),
        ]
      })
  }

  /// In the zone of the report.
  private func moment(_ time: Timestamp) -> String { time.iso8601(in: question.zone) }
}

extension PromiseLine {
  /// Broken ones first, then as they were opened.
  fileprivate var order: (Int, Timestamp) {
    let place =
      switch standing {
      case .broken: 0
      case .keptReportedLate: 1
      case .open: 2
      case .kept: 3
      }
    return (place, promise.openedAt)
  }
}
