// A preset's parameters → a commented entry of `targets:`, and the secrets that somebody must put in place for it.
import DivertCore

/// The entry of a new target.
struct TargetDraft {
  private(set) var entry: YAMLValue.Entry
  /// As it is written, with what its fields are.
  private(set) var written: String
  /// Which secret belongs where, and what comes next.
  private(set) var notes: [String] = []

  /// - Parameter given: fields and parameters that the user gives; required ones that are secrets are named in place.
  init(type: String, name: String, given: [YAMLValue.Entry], presets: PresetSet) throws(EditFault) {
    let preset = presets[type]
    guard preset != nil || type == "http" else {
      if presets.broken.contains(type) {
        throw EditFault(
          "unknown_type",
          "presets.d/\(type).yaml cannot be read as a target type: `divert check` says what is wrong in it")
      }
      let hint = NearestName.hintOrList(type, in: presets.names + ["http"]).map { "; \($0)" } ?? ""
      throw EditFault("unknown_type", "there is no target type '\(type)'\(hint)")
    }
    let needed = preset.map { Self.needed($0, given) } ?? []
    try Self.require(type, preset == nil ? nil : needed, given)
    var lines: [String] = []
    if let preset { lines.append("# " + Self.sentence(preset)) }
    lines.append(ScalarWriter.key(name, inFlow: false) + ":")
    var fields: [YAMLValue.Entry] = preset == nil ? [] : [.init("type", .scalar(type, plain: true))]
    lines += fields.map { Self.line($0) }
    for parameter in preset?.parameters ?? [] where !given.contains(where: { $0.key == parameter.name }) {
      guard needed.contains(where: { $0.name == parameter.name }) else {
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
    notes += preset.map { Self.next($0, name) } ?? []
  }

  /// What only the user knows must be given; secrets are put in place by name.
  private static func require(
    _ type: String, _ needed: [Preset.Parameter]?, _ given: [YAMLValue.Entry]
  ) throws(EditFault) {
    let wanted =
      needed.map { $0.filter { !$0.secret }.map { ($0.name, oneLine($0.doc)) } }
      ?? [("url", "the base address, as in url=https://crm.example.com/api")]
    let missing = wanted.filter { name, _ in !given.contains { $0.key == name } }
    if missing.isEmpty { return }
    let parts = missing.map { name, doc in "\(name)=…" + (doc.isEmpty ? "" : " (\(doc))") }
    throw EditFault("missing_parameter", "\(type) needs \(parts.joined(separator: ", "))")
  }

  /// Required parameters that are not given and that the preset, as what is given makes it, names or takes for fields.
  private static func needed(_ preset: Preset, _ given: [YAMLValue.Entry]) -> [Preset.Parameter] {
    let entries = given.map { entry in
      YAMLNode.Entry(key: entry.key, keyPlace: preset.root.place, value: node(entry.value, at: preset.root.place))
    }
    let user = YAMLNode(content: .mapping(entries), place: preset.root.place)
    var merge = PresetMerge(preset, over: user)
    _ = merge.merged(with: user)
    let fields = Set(Language.target.fields.map(\.name))
    return preset.parameters.filter { parameter in
      let isField = parameter.required && fields.contains(parameter.name) && user[parameter.name] == nil
      return isField || merge.missing.contains { $0.name == parameter.name }
    }
  }

  private static func node(_ value: YAMLValue, at place: Place) -> YAMLNode {
    let content: YAMLNode.Content =
      switch value {
      case .scalar(let text, let plain): .scalar(text, plain: plain)
      case .sequence(let items): .sequence(items.map { node($0, at: place) })
      case .mapping(let entries):
        .mapping(entries.map { .init(key: $0.key, keyPlace: place, value: node($0.value, at: place)) })
      }
    return YAMLNode(content: content, place: place)
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
    return "put the secret '\(secret)'\(what) into the file secrets/\(secret) beside the routes file (or the folder of "
      + "--secrets), or into \(SecretStore.variable(secret))"
  }

  /// What is left to do with a target of this preset.
  private static func next(_ preset: Preset, _ name: String) -> [String] {
    let actions = preset.root["actions"]?.entries ?? []
    guard let first = actions.first else { return [] }
    let asks = preset.root["auth"]?["oauth2"]?["authorize_url"] != nil
    let main = first.value["arguments"]?.entries?.first { $0.value["main"]?.text == "true" }
    let send = "\(name).\(first.key)" + (main == nil ? "" : ": …")
    let others = actions.dropFirst().map { "\(name).\($0.key)" }.joined(separator: ", ")
    return (asks ? ["then `divert auth \(name)` leads to its refresh token"] : []) + [
      "then send to it from a route: - \(send)" + (others.isEmpty ? "" : " (also \(others))")
        + "; `divert preset show \(preset.name)` says what each takes"
    ]
  }
}
