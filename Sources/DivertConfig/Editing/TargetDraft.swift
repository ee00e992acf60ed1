// A preset's parameters → a commented entry of `targets:`, and the secrets that somebody must put in place for it.
import DivertCore

/// The entry of a new target.
struct TargetDraft {
  private(set) var entry: YAMLValue.Entry
  /// As it is written, with what its fields are.
  private(set) var written: String
  /// Which secret belongs where.
  private(set) var notes: [String] = []

  /// - Parameter given: fields and parameters that the user gives; required ones that are secrets are named in place.
  init(type: String, name: String, given: [YAMLValue.Entry]) throws(EditFault) {
    let preset = Preset.all[type]
    guard preset != nil || type == "http" else {
      let hint = NearestName.hintOrList(type, in: Preset.all.keys + ["http"]).map { "; \($0)" } ?? ""
      throw EditFault("unknown_type", "there is no target type '\(type)'\(hint)")
    }
    try Self.require(type, preset, given)
    var lines: [String] = []
    if let preset { lines.append("# " + Self.sentence(preset)) }
    lines.append(ScalarWriter.key(name, inFlow: false) + ":")
    var fields: [YAMLValue.Entry] = preset == nil ? [] : [.init("type", .scalar(type, plain: true))]
    lines += fields.map { Self.line($0) }
    for parameter in preset?.parameters ?? [] where !given.contains(where: { $0.key == parameter.name }) {
      guard parameter.required else {
        let value = parameter.fallback.map(YAMLValue.init) ?? .text("")
        lines.append("  # " + Self.line(.init(parameter.name, value)).dropFirst(2) + Self.remark(parameter.doc))
        continue
      }
      let secret = Self.secret(name, parameter.name)
      let field = YAMLValue.Entry(parameter.name, .text("{{ secrets.\(secret) }}"))
      fields.append(field)
      lines.append(Self.line(field) + Self.remark(parameter.doc))
      notes.append(Self.note(secret, parameter.doc))
    }
    fields += given
    lines += given.flatMap { ValueWriter(step: 2).lines($0, column: 2) }
    entry = .init(name, .mapping(fields))
    written = lines.joined(separator: "\n") + "\n"
  }

  /// What only the user knows must be given; secrets are put in place by name.
  private static func require(_ type: String, _ preset: Preset?, _ given: [YAMLValue.Entry]) throws(EditFault) {
    let needed =
      preset.map { $0.parameters.filter { $0.required && !$0.secret }.map { ($0.name, oneLine($0.doc)) } }
      ?? [("url", "the base address, as in url=https://crm.example.com/api")]
    let missing = needed.filter { name, _ in !given.contains { $0.key == name } }
    if missing.isEmpty { return }
    let parts = missing.map { name, doc in "\(name)=…" + (doc.isEmpty ? "" : " (\(doc))") }
    throw EditFault("missing_parameter", "\(type) needs \(parts.joined(separator: ", "))")
  }

  private static func line(_ field: YAMLValue.Entry) -> String {
    ValueWriter(step: 2).lines(field, column: 2).joined(separator: "\n")
  }

  private static func sentence(_ preset: Preset) -> String {
    let name = preset.root["name"]?.text ?? preset.name
    let doc = preset.root["doc"]?.text ?? ""
    return oneLine("\(name): \(doc.prefix(1).lowercased())\(doc.dropFirst())")
  }

  private static func remark(_ doc: String) -> String { doc.isEmpty ? "" : "  # " + oneLine(doc) }

  private static func oneLine(_ text: String) -> String {
    text.split(whereSeparator: \.isNewline).joined(separator: " ")
  }

  /// The name of a target's secret: the target's and the parameter's.
  private static func secret(_ target: String, _ parameter: String) -> String {
    String("\(target)_\(parameter)".map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
  }

  private static func note(_ secret: String, _ doc: String) -> String {
    let what = doc.isEmpty ? "" : " (\(oneLine(doc)))"
    return "the secret '\(secret)'\(what) belongs into a file of that name in the secrets folder, or into "
      + SecretStore.variable(secret)
  }
}
