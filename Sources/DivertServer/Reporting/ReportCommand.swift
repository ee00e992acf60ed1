// `divert report`: reads what is asked for, makes the report from the store, and shows it in the form that is wanted.

import DivertCore

enum ReportCommand {
  enum Format: String, CaseIterable { case table, csv, json, html }

  private static let known = ["month", "from", "to", "by", "direction", "format", "limit", "full", "outcomes"]

  /// The whole report as an answer; `POST` for one with outcomes, which may be long.
  static func run(_ context: OperatorContext, _ input: OperatorInput) async throws -> OperatorResponse {
    try await Blocking.run {
      try input.expect(only: known)
      let order = try ReportOrder(context, input)
      if context.live == nil {
        // Nobody else does it, and it need not be done again next time.
        while try context.store.digest() {}
      }
      let report = try make(order.question, context.store)
      return answer(try ReportDocument(report, order, context), order.format)
    }
  }

  /// The report of a question.
  static func make(_ question: ReportQuestion, _ store: any Store) throws(StoreError) -> Report {
    let promises = try store.promises(openedFrom: question.from, to: question.to)
    var maker = ReportMaker(question, promises: promises)
    try store.reportBlocks(from: question.from, to: question.to) { maker.take($0) }
    for event in maker.missing { maker.settle(event, try store.event(event)?.event.fields) }
    return maker.finish()
  }

  private static func answer(_ document: ReportDocument, _ format: Format) -> OperatorResponse {
    switch format {
    case .table: .text(document.text)
    case .csv: .text(document.csv, contentType: "text/csv; charset=utf-8")
    case .json: .json(document.json)
    case .html: .text(ReportPage(document).html, contentType: "text/html; charset=utf-8")
    }
  }
}

/// What is asked for.
struct ReportOrder {
  var question: ReportQuestion
  /// `2026-10`, or `2026-10-01 to 2026-10-15`.
  var name: String
  var groupings: [ReportGrouping]
  var format: ReportCommand.Format
  /// Lines a table; nil: all.
  var limit: Int?
  var isFull: Bool
  var outcomes: OutcomeFile?

  init(_ context: OperatorContext, _ input: OperatorInput) throws {
    let (span, name) = try Self.time(context, input)
    self.name = name
    question = ReportQuestion(
      from: span.lowerBound, to: span.upperBound, zone: context.zone, direction: try Self.direction(input),
      now: context.now())
    format = try Self.choice("format", input, ReportCommand.Format.self) ?? .table
    groupings = try Self.groupings(input, format)
    let usual = format == .table || format == .html ? 25 : 0
    let limit = try input.number("limit", in: 0...10_000_000, or: usual)
    self.limit = limit == 0 ? nil : limit
    isFull = try input.flag("full")
    outcomes = try input.given("outcomes").map(OutcomeFile.init)
  }

  // MARK: Reading

  private static func time(
    _ context: OperatorContext, _ input: OperatorInput
  ) throws(OperatorFailure) -> (Range<Timestamp>, String) {
    let zone = context.zone
    let (month, from, to) = (try input.text("month"), try input.text("from"), try input.text("to"))
    if month != nil, from != nil || to != nil {
      throw .badRequest("a report is of a month, or from one day to another: leave out `month`, or `from` and `to`")
    }
    if month != nil || from == nil && to == nil {
      let text = month ?? zone.month(at: context.now())
      if let span = zone.month(text) { return (span, text) }
      throw .badRequest("`\(OperatorText.line(text, limit: 40))` is no month: write it as in 2026-10")
    }
    let start = try from.map { text throws(OperatorFailure) in try moment(text, context) }
    let end = try to.map { text throws(OperatorFailure) in try self.end(text, context) } ?? context.now()
    guard let start else { throw .badRequest("`from` is missing: write the first day, as in 2026-10-01") }
    guard start < end else { throw .badRequest("`from` must lie before `to`") }
    let last = zone.day(at: max(start, end - .milliseconds(1)))
    return (start..<end, "\(Zone.text(ofDay: zone.day(at: start))) to \(Zone.text(ofDay: last))")
  }

  private static func moment(_ text: String, _ context: OperatorContext) throws(OperatorFailure) -> Timestamp {
    try OperatorTime.read(text, now: context.now(), zone: context.zone)
  }

  /// A day that is named belongs to it.
  private static func end(_ text: String, _ context: OperatorContext) throws(OperatorFailure) -> Timestamp {
    let moment = try moment(text, context)
    return text.utf8.count == 10 && text.contains("-") ? context.zone.nextMidnight(after: moment) : moment
  }

  private static func direction(_ input: OperatorInput) throws(OperatorFailure) -> String? {
    guard let text = try input.text("direction") else { return nil }
    let upper = text.uppercased()
    if ["INCOMING", "OUTGOING"].contains(upper) { return upper }
    throw .badRequest("`direction` must be incoming or outgoing")
  }

  private static func choice<Choice: RawRepresentable & CaseIterable>(
    _ name: String, _ input: OperatorInput, _ type: Choice.Type
  ) throws(OperatorFailure) -> Choice? where Choice.RawValue == String {
    guard let text = try input.text(name) else { return nil }
    if let choice = Choice(rawValue: text) { return choice }
    let all = Choice.allCases.map(\.rawValue)
    let hint = NearestName.to(text, among: all).map { ": did you mean `\($0)`?" } ?? ""
    throw .badRequest("`\(name)` must be one of \(all.joined(separator: ", "))\(hint)")
  }

  /// CSV is one table: by agent, if nothing else is said.
  private static func groupings(
    _ input: OperatorInput, _ format: ReportCommand.Format
  ) throws(OperatorFailure) -> [ReportGrouping] {
    if let one = try choice("by", input, ReportGrouping.self) { return [one] }
    switch format {
    case .table: return [.agent, .customer, .promise, .rule]
    case .csv: return try input.given("outcomes") == nil ? [.agent] : []
    case .json, .html: return ReportGrouping.allCases
    }
  }
}

extension ReportDocument {
  init(_ report: Report, _ order: ReportOrder, _ context: OperatorContext) throws {
    let question = order.question
    let tables = ReportTables(report: report, question: question, isFull: order.isFull, limit: order.limit)
    title = "Rejection log of \(order.name)"
    lines = Self.lines(question)
    let zone = question.zone
    head = [
      ("period", .string(order.name)), ("from", .string(question.from.iso8601(in: zone))),
      ("to", .string(question.to.iso8601(in: zone))), ("timezone", .string(zone.identifier)),
      ("direction", question.direction.map { .string($0) }), ("made_at", .string(question.now.iso8601(in: zone))),
    ]
    totals = report.totals
    self.tables = order.groupings.map(tables.table)
    days = tables.everyDay
    guard let file = order.outcomes else { return }
    let hasAccounts = file.rows.contains { $0.phone == nil && $0.account != nil }
    let known = hasAccounts ? try AccountBook(report, context.store) : nil
    let outcomes = OutcomeTables(file, tables, known: known, country: context.table()?.parts.country ?? "IN")
    self.tables +=
      order.format == .csv && order.groupings.isEmpty ? [outcomes.patterns] : [outcomes.patterns, outcomes.list]
  }

  private static func lines(_ question: ReportQuestion) -> [String] {
    let zone = question.zone
    let from = question.from.iso8601(in: zone)
    let ways = question.direction.map { ", \($0.lowercased()) calls only" } ?? ""
    let isOver = question.now >= question.to
    return [
      "From \(from) to \(question.to.iso8601(in: zone)) (\(zone.identifier))\(ways)",
      "Made at \(question.now.iso8601(in: zone))\(isOver ? "" : ": this time is not over yet")",
    ]
  }
}
