// `retention:` and `record:`: how long what is kept, and where the record's head is published.
import DivertCore

extension LoadContext {
  func retention(_ node: YAMLNode) -> Retention {
    var retention = Retention()
    guard let fields = fields(node, .retention) else { return retention }
    retention.record = fields["record"].flatMap { duration($0, "'record'", Language.retentions) }
    retention.payloads = part("payloads", fields, retention.record)
    retention.attempts = part("attempts", fields, retention.record)
    return retention
  }

  private func part(_ name: String, _ fields: Fields, _ record: Span?) -> Span? {
    guard let node = fields[name], let span = duration(node, "'\(name)'", Language.retentions) else { return nil }
    if let record, span > record {
      error(
        "contradictory", node.place, "'\(name)' are kept no longer than the record itself, which is \(record.duration)",
        "write at most \(record.duration), or keep the record longer")
    }
    return span
  }

  /// The sends of `record: { publish: … }`, and how often they go out.
  func record(_ node: YAMLNode) -> (sends: [Send], every: Span?) {
    guard let fields = fields(node, .record), let publish = fields["publish"] else { return ([], nil) }
    let every = fields["every"].flatMap { duration($0, "'every'", Language.publications) } ?? .days(1)
    let sends = sends(oneOrMore(publish), SendPlace(route: "record", scope: recordScope, isRoute: false))
    return (sends, every)
  }
}
