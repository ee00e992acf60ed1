// The seam to DivertCore's template parser: scalars and trees → templates, faults → diagnostics at their column.
import DivertCore

extension LoadContext {
  /// What a target's address, headers and actions may name.
  func targetScope(_ arguments: TemplateScope.Arguments) -> TemplateScope {
    .target(arguments: arguments, tables: Set(tables.keys))
  }

  /// What a route's sends, and `order_by`, may name.
  var sendScope: TemplateScope {
    var scope = TemplateScope.send(tables: Set(tables.keys))
    scope.lookups = lookups
    return scope
  }

  /// What alarms may name.
  var alarmScope: TemplateScope {
    var scope = TemplateScope.alarm
    scope.secrets = true
    scope.tables = Set(tables.keys)
    return scope
  }

  /// What the sends of the record's head may name.
  var recordScope: TemplateScope {
    var scope = alarmScope
    scope.record = true
    return scope
  }

  /// The template of a scalar; nil when it is none or is at fault, which is reported.
  func template(_ node: YAMLNode, _ what: String, _ scope: TemplateScope) -> Template? {
    guard let text = text(node, what) else { return nil }
    return template(text, of: node, scope)
  }

  /// A path that stands without braces, as in `order_by: customer.phone`; a missing value is none.
  func pathTemplate(_ node: YAMLNode, _ what: String, _ scope: TemplateScope) -> Template? {
    guard let text = text(node, what) else { return nil }
    if text.contains("{{") { return template(text, of: node, scope) }
    return template("{{ \(text)? }}", of: node, scope, shift: 3)
  }

  /// Parses `text`, the value of `node` or made from it with `shift` more characters before it.
  private func template(_ text: String, of node: YAMLNode, _ scope: TemplateScope, shift: Int = 0) -> Template? {
    switch Template.parse(text, in: scope) {
    case .success(let template):
      for name in template.secretNames { self.name(secret: name, at: place(of: "secrets." + name, in: text, node)) }
      return template
    case .failure(let faults):
      for fault in faults.faults { report(fault, text, node, shift, scope) }
      return nil
    }
  }

  private func report(
    _ fault: TemplateFault, _ text: String, _ node: YAMLNode, _ shift: Int, _ scope: TemplateScope
  ) {
    let bytes = Array(text.utf8)
    let offset = String(decoding: bytes.prefix(fault.offset), as: UTF8.self).unicodeScalars.count - shift
    let meant = String(decoding: bytes.dropFirst(fault.offset).prefix(fault.length), as: UTF8.self)
    let place = ScalarText.place(of: node, offset: max(0, offset), length: meant.unicodeScalars.count)
    if let lookup = meant.split(separator: ".").first, scope.lookups[String(lookup)] == nil,
      lookups[String(lookup)] != nil
    {
      let message = "'\(meant)': a lookup is asked for a delivery, and this is none's"
      error("lookup_not_here", place, message, "lookups can be named in actions, and in what routes send")
      return
    }
    let own = meant.split(separator: ".").first.flatMap { ownLookup(String($0)) }
    let hint = own.map { "lookups: { \(meant.prefix { $0 != "." }): { from: \($0) } }" }
    error("bad_template", place, fault.reason, fault.suggestion.map { "did you mean '\($0)'?" } ?? hint)
  }

  /// The full name of a target's own lookup.
  private func ownLookup(_ name: String) -> String? {
    lookupPlaces.keys.sorted().first { $0.hasSuffix(".\(name)") }
  }

  func place(of part: String, in text: String, _ node: YAMLNode) -> Place {
    guard let range = text.firstRange(of: part) else { return node.place }
    let offset = text[..<range.lowerBound].unicodeScalars.count
    return ScalarText.place(of: node, offset: offset, length: part.unicodeScalars.count)
  }

  /// A tree whose leaves are templates. Plain scalars are JSON only where they are exactly JSON. Nil for a leaf at
  /// fault, which is reported; within a mapping or a list, `Template.placeholder` stands in its place.
  func tree(_ node: YAMLNode, _ scope: TemplateScope) -> BodyTemplate? {
    switch node.content {
    case .sequence(let items):
      return .array(items.map { tree($0, scope) ?? .template(.placeholder) })
    case .mapping(let entries):
      return .object(entries.map { .init($0.key, branch($0, scope) ?? .template(.placeholder)) })
    case .scalar(let text, let plain):
      if plain, let value = PlainScalar.value(text) { return .literal(value) }
      guard let template = template(text, of: node, scope) else { return nil }
      return template.literal.map { .literal(.string($0)) } ?? .template(template)
    }
  }

  /// The tree behind a key; nil where there is none or it is at fault, which is reported.
  func branch(_ entry: YAMLNode.Entry, _ scope: TemplateScope) -> BodyTemplate? {
    guard !entry.value.isEmpty else {
      error("no_value", entry.keyPlace, "nothing stands after '\(entry.key):'", "write \"\" or null")
      return nil
    }
    return tree(entry.value, scope)
  }

  /// Names with templates: headers, query items, form fields. One for each entry, also for those at fault.
  func pairs(_ node: YAMLNode, _ what: String, _ scope: TemplateScope) -> [HeaderTemplate] {
    named(node, what, strict: false).map { entry in
      HeaderTemplate(entry.key, template(entry.value, "'\(entry.key)'", scope) ?? .placeholder)
    }
  }

  /// Headers: as `pairs`, with names that HTTP allows and Divert does not set itself.
  func headers(_ node: YAMLNode, _ what: String, _ scope: TemplateScope) -> [HeaderTemplate] {
    for entry in node.entries ?? [] { check(header: entry.key, at: entry.keyPlace) }
    let headers = pairs(node, what, scope)
    for (header, entry) in zip(headers, node.entries ?? []) {
      checkLine(header.value, entry.value)
    }
    return headers
  }

  func check(header name: String, at place: Place) {
    let special = Array("!#$%&'*+-.^_`|~".utf8)
    let isToken =
      !name.isEmpty
      && name.utf8.allSatisfy { byte in
        (byte >= 48 && byte <= 57) || (byte >= 65 && byte <= 90) || (byte >= 97 && byte <= 122)
          || special.contains(byte)
      }
    if !isToken { error("bad_header", place, "'\(name)' cannot be the name of a header") }
    if Language.ownHeaders.contains(name.lowercased()) {
      error("bad_header", place, "Divert sets '\(name)' itself", "remove it")
    }
  }

  private func checkLine(_ template: Template, _ node: YAMLNode) {
    for case .literal(let text) in template.parts
    where text.unicodeScalars.contains(where: { $0 == "\r" || $0 == "\n" }) {
      error("bad_header", node.place, "a header's value cannot hold a line break", "write it on one line, in quotes")
    }
  }
}

extension Template {
  /// Stands for what is at fault and reported, so that the rest can be read; a table is never made with it.
  static let placeholder = Template(literal: "")
}
