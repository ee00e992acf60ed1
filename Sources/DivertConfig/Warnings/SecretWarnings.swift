// Secrets that stand in the file: by where they stand (what `auth` takes is one), by their header's name, by their shape.
// Which vendors' keys have which shape is data: Knowledge/secret_shapes.yaml.
import DivertCore

extension LoadContext {
  /// `fields`: those of the whole file. Asked of every file that is readable as YAML.
  func warnOfSecrets(_ fields: Fields) {
    for name in ["operator_key"] { fields["server"]?[name].map { warnOfLiteral($0, "'\(name)'") } }
    for source in fields["sources"]?.entries ?? [] {
      source.value["key"].map { warnOfLiteral($0, "a source's 'key'") }
      for header in source.value["header"]?.entries ?? [] {
        warnOfLiteral(header.value, "'\(header.key)'")
      }
    }
    for credential in fields["credentials"]?.entries ?? [] { warnOfSecrets(auth: credential.value) }
    for target in fields["targets"]?.entries ?? [] { warnOfSecrets(target: target.value) }
  }

  private func warnOfSecrets(target: YAMLNode) {
    let preset = target["type"]?.text.flatMap { presets[$0] }
    let ownKeys = Set(preset?.parameters.filter(\.secret).map(\.name) ?? [])
    for entry in target.entries ?? [] where !ownKeys.contains(entry.key) {
      if entry.key == "auth" { warnOfSecrets(auth: entry.value) } else { warnOfSecrets(entry) }
    }
  }

  private func warnOfSecrets(auth: YAMLNode) {
    for entry in auth.entries ?? [] {
      switch entry.key {
      case "bearer", "secret": for node in oneOrMore(entry.value) { warnOfLiteral(node, "'\(entry.key)'") }
      case "oauth2": warnOfSecrets(oauth2: entry.value)
      case "basic": entry.value["password"].map { warnOfLiteral($0, "'password'") }
      case "header", "query": for pair in entry.value.entries ?? [] { warnOfLiteral(pair.value, "'\(pair.key)'") }
      default: break
      }
    }
  }

  private func warnOfSecrets(oauth2: YAMLNode) {
    for name in ["client_secret", "refresh_token", "private_key"] {
      oauth2[name].map { warnOfLiteral($0, "'\(name)'") }
    }
    for pair in oauth2["form"]?.entries ?? [] { warnOfSecrets(pair) }
  }

  /// What stands anywhere else: by the name before it, or by its own shape.
  private func warnOfSecrets(_ entry: YAMLNode.Entry) {
    switch entry.value.content {
    case .mapping(let entries): for entry in entries { warnOfSecrets(entry) }
    case .sequence(let items):
      for item in items { warnOfSecrets(.init(key: "", keyPlace: entry.keyPlace, value: item)) }
    case .scalar(let text, _):
      if SecretShapes.isSecretName(entry.key), SecretShapes.mayBeValue(text) {
        warnOfLiteral(entry.value, "'\(entry.key)'")
      } else if let shape = SecretShapes.found(in: text) {
        let place = ScalarText.place(of: entry.value, offset: shape.offset, length: shape.length)
        warn("secret_in_file", place, "this looks like a secret: \(shape.what)", Self.secretHint)
      }
    }
  }

  /// A value that is a secret wherever it stands.
  private func warnOfLiteral(_ node: YAMLNode, _ what: String) {
    guard let text = node.text, !text.isEmpty, !text.contains("{{") else { return }
    warn("secret_in_file", node.place, "\(what) is a secret and stands in the file", Self.secretHint)
  }

  private static let secretHint = "keep it out of the file: \"{{ secrets.name }}\""
}
