// The report as one HTML page that needs nothing else: no script, no other file, plots as inline SVG; it prints on paper, too.

import DivertCore

struct ReportPage {
  private let document: ReportDocument

  init(_ document: ReportDocument) { self.document = document }

  var html: String {
    """
    <!doctype html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
    <title>\(Self.escaped(document.title))</title>
    <style>\(Self.style)</style>
    </head>
    <body>
    <main>
    <h1>\(Self.escaped(document.title))</h1>
    <p class="of">\(document.lines.map(Self.escaped).joined(separator: "<br>"))</p>
    \(figures)
    \(plots)
    \(document.tables.map(section).joined(separator: "\n"))
    </main>
    </body>
    </html>

    """
  }

  // MARK: Figures

  private var figures: String {
    let m = document.totals
    let all: [(Int, String, String)] = [
      (m.incomingRejected, "incoming calls declined by agents", "of \(m.incomingCalls)"),
      (m.outgoingRejected, "outgoing calls declined by customers", "of \(m.outgoingCalls)"),
      (m.broken, "promises broken", "of \(m.promises); \(m.keptLate) kept, reported late"),
      (m.sent, "messages sent", "\(m.withheld) withheld, \(m.failed) failed"),
    ]
    let figures = all.map { number, words, more in
      "<div><b>\(number)</b><span>\(words)</span><small>\(more)</small></div>"
    }
    return "<section class=\"figures\" aria-label=\"Totals\">\(figures.joined())</section>"
  }

  // MARK: Plots

  private var plots: String {
    if document.days.isEmpty { return "" }
    let all: [(String, String, (ReportMeasures) -> Int)] = [
      ("Incoming calls declined", "a", \.incomingRejected), ("Outgoing calls declined", "b", \.outgoingRejected),
      ("Promises broken", "c", \.broken), ("Promises kept", "d", { $0.kept + $0.keptLate }),
      ("Messages sent", "d", \.sent), ("Messages withheld", "e", \.withheld),
    ]
    let figures = all.map { title, tone, value in
      plot(title, tone, document.days.map { ($0.label, value($0.measures)) })
    }
    return "<section class=\"plots\" aria-label=\"Trends by day\">\(figures.joined())</section>"
  }

  private static let plotWidth = 300
  private static let plotHeight = 72

  /// A bar a day; each tells its day and number where the pointer rests.
  private func plot(_ title: String, _ tone: String, _ values: [(label: String, value: Int)]) -> String {
    let most = max(1, values.map(\.value).max() ?? 1)
    let step = Double(Self.plotWidth) / Double(values.count)
    let bars = values.enumerated().map { place, day -> String in
      let height = day.value == 0 ? 0 : max(1.5, Double(day.value) / Double(most) * Double(Self.plotHeight))
      let x = Self.short(Double(place) * step)
      let bar =
        "<rect x=\"\(x)\" y=\"\(Self.short(Double(Self.plotHeight) - height))\" width=\"\(Self.short(max(0.5, step * 0.8)))\" "
        + "height=\"\(Self.short(height))\"/>"
      let space = "<rect class=\"day\" x=\"\(x)\" y=\"0\" width=\"\(Self.short(step))\" height=\"\(Self.plotHeight)\"/>"
      return "<g><title>\(day.label): \(day.value)</title>\(space)\(bar)</g>"
    }
    let sum = values.reduce(0) { $0 + $1.value }
    let ends = [values.first?.label, values.last?.label].compactMap { $0 }
    return """
      <figure class="\(tone)"><figcaption>\(title) <b>\(sum)</b></figcaption>\
      <svg viewBox="0 0 \(Self.plotWidth) \(Self.plotHeight)" preserveAspectRatio="none" role="img" \
      aria-label="\(title) by day: \(sum) in all, at most \(values.map(\.value).max() ?? 0) a day">\(bars.joined())</svg>\
      <div class="ends"><span>\(ends.first ?? "")</span><span>at most \(values.map(\.value).max() ?? 0) a day</span>\
      <span>\(ends.last ?? "")</span></div></figure>
      """
  }

  /// With one place.
  private static func short(_ number: Double) -> String {
    let tenths = Int((number * 10).rounded())
    return tenths % 10 == 0 ? String(tenths / 10) : "\(tenths / 10).\(tenths % 10)"
  }

  // MARK: Tables

  private func section(_ table: ReportTable) -> String {
    var out = "<section><h2>\(Self.escaped(table.title))</h2>"
    if !table.note.isEmpty { out += "<p>\(Self.escaped(table.note))</p>" }
    if table.rows.isEmpty { return out + "<p class=\"none\">None in this time.</p></section>" }
    out += "<div class=\"wide\"><table><thead><tr>"
    for column in table.columns {
      out += "<th scope=\"col\"\(column.isNumber ? " class=\"n\"" : "")>\(Self.escaped(column.head))</th>"
    }
    out += "</tr></thead><tbody>"
    for row in table.rows {
      out += "<tr>" + zip(table.columns, row).map { cell($1, $0) }.joined() + "</tr>\n"
    }
    out += "</tbody></table></div>"
    if table.hidden > 0 { out += "<p class=\"none\">And \(table.hidden) more: --limit 0 shows all.</p>" }
    return out + "</section>"
  }

  private func cell(_ cell: ReportTable.Cell, _ column: ReportTable.Column) -> String {
    // Noughts are quiet, so that the others are seen.
    let isZero = cell == .number(0) || cell.shown == "0.0%"
    let names = [column.isNumber ? "n" : nil, isZero ? "zero" : nil].compactMap { $0 }
    let attribute = names.isEmpty ? "" : " class=\"\(names.joined(separator: " "))\""
    return "<td\(attribute)>\(Self.escaped(cell.shown))</td>"
  }

  /// Safe as text and within quotes.
  static func escaped(_ text: String) -> String {
    var out = ""
    for character in OperatorText.line(text, limit: 2000) {
      switch character {
      case "&": out += "&amp;"
      case "<": out += "&lt;"
      case ">": out += "&gt;"
      case "\"": out += "&quot;"
      case "'": out += "&#39;"
      default: out.append(character)
      }
    }
    return out
  }

  private static let style = """
    :root { color-scheme: light dark; --line: #d5d9e0; --quiet: #667085; --back: #fff; --text: #1d2433;
      --a: #c2410c; --b: #b42318; --c: #9f1239; --d: #2563a8; --e: #8a6d0b; }
    @media (prefers-color-scheme: dark) { :root { --line: #3a4252; --quiet: #98a2b3; --back: #12161f; --text: #e6e9ef;
      --a: #fb923c; --b: #f97066; --c: #fb7185; --d: #7cb3ee; --e: #e0c04c; } }
    * { box-sizing: border-box; }
    body { margin: 0; background: var(--back); color: var(--text); font: 15px/1.45 system-ui, sans-serif; }
    main { max-width: 1200px; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
    h1 { font-size: 1.6rem; margin: 0 0 .25rem; } h2 { font-size: 1.1rem; margin: 2.25rem 0 .25rem; }
    p { margin: .25rem 0 .75rem; max-width: 75ch; } .of, .none, section > p { color: var(--quiet); }
    .figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(210px, 1fr)); gap: .75rem; margin: 1.5rem 0; }
    .figures div { border: 1px solid var(--line); border-radius: 8px; padding: .75rem 1rem; }
    .figures b { display: block; font-size: 1.7rem; line-height: 1.2; font-variant-numeric: tabular-nums; }
    .figures span { display: block; } .figures small { color: var(--quiet); }
    .plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(260px, 1fr)); gap: 1.25rem 1.5rem; }
    figure { margin: 0; } figcaption { margin-bottom: .25rem; } svg { display: block; width: 100%; height: 72px;
      border-bottom: 1px solid var(--line); }
    .day { fill: transparent; } .a svg { fill: var(--a); } .b svg { fill: var(--b); } .c svg { fill: var(--c); }
    .d svg { fill: var(--d); } .e svg { fill: var(--e); }
    .ends { display: flex; justify-content: space-between; color: var(--quiet); font-size: .8rem; }
    .wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: .87rem; }
    th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid var(--line); white-space: nowrap; }
    th { color: var(--quiet); font-weight: 600; } .n { text-align: right; font-variant-numeric: tabular-nums; }
    .zero { color: var(--quiet); opacity: .55; }
    @media print { main { max-width: none; padding: 0; } section { break-inside: avoid-page; } .wide { overflow: visible; }
      table { font-size: .62rem; } th, td { padding: .15rem .3rem; } }
    """
}
