// What a lookup answers, as a command line writes it.
package import DivertCore

extension LookupMock {
  /// Reads `none`, or a mapping of fields in YAML's short form: `{stage: late, id: 7}`. Nil for anything else.
  package static func read(_ text: String) -> LookupMock? {
    if Language.mockedNone.contains(text) { return LookupMock.none }
    let source = SourceText(file: "--lookup", text: text)
    guard let root = YAMLReader.read(source).root else { return nil }
    let context = LoadContext()
    guard let fields = context.plainTree(root).object, context.diagnostics.isEmpty else { return nil }
    return .found(fields)
  }
}
