// What a lookup answers, as a command line writes it.
package import DivertCore

extension LookupMock {
  /// Reads `none`, a mapping of fields in YAML's short form (`{stage: late, id: 7}`), or what is created where nothing is found
  /// (`{created: {id: 7}}`). Nil for anything else.
  /// - Parameter lookup: the lookup, where it is known: one with a field `created` means that.
  package static func read(_ text: String, of lookup: LookupDefinition? = nil) -> LookupMock? {
    if Language.mockedNone.contains(text) { return LookupMock.none }
    let source = SourceText(file: "--lookup", text: text)
    guard let root = YAMLReader.read(source).root else { return nil }
    let context = LoadContext()
    guard let fields = context.plainTree(root).object, context.diagnostics.isEmpty else { return nil }
    return LookupMock(fields, of: lookup)
  }

  /// Fields that are found, or `created: {…}`.
  init(_ fields: JSONObject, of lookup: LookupDefinition?) {
    let isField = lookup?.fields.contains { $0.name == Language.mockedCreation } ?? false
    if !isField, fields.members.count == 1, let created = fields[Language.mockedCreation]?.object {
      self = .created(created)
    } else {
      self = .found(fields)
    }
  }

  /// Why a lookup cannot answer so: a field that it has not, or nothing that it would create; nil: it can.
  package func fault(of lookup: LookupDefinition) -> String? {
    switch self {
    case .none: return nil
    case .found(let fields):
      return odd(fields, among: lookup.fields).map { "the lookup `\(lookup.name)` has no field `\($0)`" }
    case .created(let fields):
      guard case .create(let action) = lookup.none else {
        return "the lookup `\(lookup.name)` creates nothing: its `none` names no action"
      }
      let name = "\(lookup.target).\(action.name)"
      return odd(fields, among: action.fields)
        .map { "`\(name)`, which creates `\(lookup.name)`, gives no field `\($0)`" }
    }
  }

  /// The fields that a mock may give.
  package func known(of lookup: LookupDefinition) -> [String] {
    if case .created = self, case .create(let action) = lookup.none { return action.fields.map(\.name) }
    return lookup.fields.map(\.name)
  }

  private func odd(_ fields: JSONObject, among known: [AnswerField]) -> String? {
    fields.members.first { field in !known.contains { $0.name == field.key } }?.key
  }
}
