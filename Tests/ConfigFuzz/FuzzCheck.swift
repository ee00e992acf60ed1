// What must hold of every text that the loader is given, and of every configuration that it lets pass.
import DivertConfig
import DivertCore

package enum FuzzCheck {
  /// Loads the text and, where it is a configuration, runs its tests, resolves it, plans and explains events by it. What is wrong with the answer, as
  /// a sentence; nil: nothing.
  package static func fault(of text: String) -> String? {
    fault(of: ConfigBundle(main: .init(name: "routes.yaml", text: text)))
  }

  /// The same of a file of `presets.d`: alone, and with targets of it, one that gives what is asked for and one that does not.
  package static func fault(ofPreset text: String) -> String? {
    let main = """
      version: 1
      sources: { doubletick: { type: doubletick } }
      targets:
        a: { type: own, key: "{{ secrets.key }}", hook: "https://hook.example", limit: 1/s }
        b: { type: own }
      routes: { all: { send: [{ a.text: hello }, { a.alert: hello }, { a.event: {} }] } }

      """
    let preset = ConfigBundle.File(name: "presets.d/own.yaml", text: text)
    return ["version: 1\n", main].lazy
      .compactMap { fault(of: ConfigBundle(main: .init(name: "routes.yaml", text: $0), more: [preset])) }.first
  }

  private static func fault(of bundle: ConfigBundle) -> String? {
    let result = ConfigLoader.load(bundle: bundle)
    if (result.table == nil) != result.hasErrors { return "a table beside errors, or neither of them" }
    if let diagnostic = result.diagnostics.first(where: isMisplaced) { return "misplaced: \(diagnostic)" }
    let pairs = zip(result.diagnostics, result.diagnostics.dropFirst())
    if pairs.contains(where: { $0.file == $1.file && ($0.line, $0.column) > ($1.line, $1.column) }) {
      return "diagnostics out of order"
    }
    guard let table = result.table else { return nil }
    if ConfigTests.run(result.tests, table: table).results.count != result.tests.tests.count {
      return "a test was not run"
    }
    if let resolved = result.resolved, let fault = fault(ofResolved: resolved.yaml) { return fault }
    return fault(of: table)
  }

  /// What is printed as the configuration in force must itself be one.
  private static func fault(ofResolved text: String) -> String? {
    let errors = ConfigLoader.load(text: text, file: "resolved.yaml").diagnostics.filter { $0.severity == .error }
    return errors.first.map { "the resolved configuration is refused: \($0)" }
  }

  private static func isMisplaced(_ d: Diagnostic) -> Bool {
    if d.line < 1 || d.column < 1 || d.length < 1 || d.skipped < 0 { return true }
    if d.column - d.skipped > d.sourceLine.count + 1 { return true }
    if d.description.isEmpty || d.annotation.contains("\n") || d.json["line"] == nil { return true }
    return d.fix.map { $0.column < 1 || $0.endColumn < $0.column } ?? false
  }

  private static func fault(of table: RouteTable) -> String? {
    let moment = Timestamp(milliseconds: 1_768_473_025_000)
    let source = SourceDefinition(name: "doubletick", type: "doubletick")
    for sample in SampleEvent.allCases {
      let body = sample.body(callID: "call_1", phone: "919876543210", at: moment).encoded()
      let read = Normalizer.normalize(body, label: nil, source: source, country: "IN", receivedAt: moment)
      guard case .event(let fields, let raw, _) = read else { return "the sample was refused" }
      let event = Event(
        id: EventID(sequence: 1, tag: 1), source: source.name, receivedAt: moment, fields: fields, body: body, raw: raw)
      for delivery in table.plan(event).deliveries {
        if table.send(route: delivery.route, label: delivery.send) == nil { return "a delivery without its send" }
        if table.parts.targets[delivery.target]?.actions[delivery.action] == nil {
          return "a delivery without its action"
        }
      }
      if table.explain(event).count != table.parts.routes.count { return "a route without an explanation" }
    }
    return nil
  }
}
