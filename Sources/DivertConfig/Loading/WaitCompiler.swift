// `wait:` of a response rule → where the wait is read from, and its bounds.
import DivertCore

/// How long a rule waits: what its source says, within bounds.
struct CompiledWait {
  var source: WaitSource?
  var atLeast: Span?
  var atMost: Span?
}

extension LoadContext {
  func wait(_ node: YAMLNode) -> CompiledWait? {
    guard node.entries != nil else {
      if let text = node.text, Language.waitHeader.contains(text) { return CompiledWait(source: .retryAfter) }
      return duration(node, "'wait'").map { CompiledWait(source: .fixed($0)) }
    }
    guard let fields = fields(node, .wait) else { return nil }
    let wait = CompiledWait(
      source: source(fields), atLeast: fields["at_least"].flatMap { duration($0, "'at_least'", Language.waits) },
      atMost: fields["at_most"].flatMap { duration($0, "'at_most'", Language.waits) })
    check(wait, fields)
    return wait
  }

  private func check(_ wait: CompiledWait, _ fields: Fields) {
    let sources = fields.entries.filter { Language.waitSources.contains($0.key) }
    if fields.isWhole, sources.count > 1 || sources.isEmpty && fields["at_least"] == nil {
      error(
        "contradictory", fields.node.place, "'wait' takes one of header, json and midnight",
        "or 'at_least' alone: the backoff, but at least that")
    }
    if let least = wait.atLeast, let most = wait.atMost, least > most {
      error("contradictory", fields.node.place, "'at_least' is more than 'at_most'")
    }
    if sources.isEmpty, fields["at_least"] != nil, let entry = fields.entry("unit") ?? fields.entry("at_most") {
      error("contradictory", entry.keyPlace, "'\(entry.key)' needs 'header' or 'json' beside it", "remove it")
    }
  }

  private func source(_ fields: Fields) -> WaitSource? {
    let unit = fields["unit"].flatMap { choice($0, "'unit'", Language.waitUnits) }.flatMap(WaitSource.WaitUnit.init)
    if let node = fields["header"] {
      guard let name = text(node, "'header'")?.lowercased() else { return nil }
      return name == "retry-after" && fields["unit"] == nil ? .retryAfter : .header(name, unit ?? .seconds)
    }
    if let node = fields["json"] {
      return text(node, "'json'").flatMap { path($0, node.place) }.map { .json($0, unit ?? .seconds) }
    }
    return fields["midnight"].flatMap { zone($0, "'midnight'") }.map { .midnight(zone: $0) }
  }
}
