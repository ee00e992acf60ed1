// `server:` and `sources:`: how events come in.
import DivertCore
import FoundationEssentials

extension LoadContext {
  func server(_ node: YAMLNode) -> ServerSettings {
    var settings = ServerSettings()
    guard let fields = fields(node, .server) else { return settings }
    if let size = fields["max_body"].flatMap({ size($0, "'max_body'", most: Language.largestBody) }) {
      settings.maxBody = size
    }
    if let grace = fields["grace"].flatMap({ duration($0, "'grace'", .zero...Language.timeouts.upperBound) }) {
      settings.grace = grace
    }
    if let time = fields["request_timeout"].flatMap({ duration($0, "'request_timeout'", Language.timeouts) }) {
      settings.requestTimeout = time
    }
    settings.operatorKey = fields["operator_key"].flatMap(operatorKey)
    if let node = fields["quarantine"] { quarantine(node, &settings) }
    if let listen = fields["listen"].flatMap({ self.fields($0, .listen) }) { settings.tls = listen["tls"].flatMap(tls) }
    return settings
  }

  /// The key, with an error where it stands in the file and is too short: the router would not start with it.
  private func operatorKey(_ node: YAMLNode) -> Template? {
    if let text = node.text, !text.contains("{{"), text.utf8.count < 16 {
      error(
        "short_key", node.place, "'operator_key' is shorter than 16 characters and could be guessed",
        "use a random one, by name: operator_key: \"{{ secrets.operator_key }}\"")
    }
    return template(node, "'operator_key'", .secretsOnly)
  }

  private func quarantine(_ node: YAMLNode, _ settings: inout ServerSettings) {
    guard let fields = fields(node, .quarantine) else { return }
    if let files = fields["files"].flatMap({ whole($0, "'files'", Language.quarantineFiles) }) {
      settings.quarantineFiles = files
    }
    if let bytes = fields["bytes"].flatMap({ size($0, "'bytes'") }) { settings.quarantineBytes = bytes }
  }

  private func tls(_ node: YAMLNode) -> ServerSettings.TLS? {
    guard let fields = fields(node, .tls) else { return nil }
    let certificate = fields["certificate"].flatMap { file($0, "'certificate'") }
    let key = fields["key"].flatMap { file($0, "'key'") }
    guard let certificate, let key else { return nil }
    return ServerSettings.TLS(certificate: certificate, key: key)
  }

  /// The name of a file, with a warning where there is none.
  private func file(_ node: YAMLNode, _ what: String) -> String? {
    guard let name = text(node, what) else { return nil }
    if let folder, !FileManager.default.fileExists(atPath: name.hasPrefix("/") ? name : folder + name) {
      warn("absent_file", node.place, "\(what): there is no file '\(name)'", "paths start at this file's folder")
    }
    return name
  }

  func sources(_ node: YAMLNode) -> [String: SourceDefinition] {
    var sources: [String: SourceDefinition] = [:]
    for entry in named(node, "'sources'") { sources[entry.key] = source(entry) }
    return sources
  }

  private func source(_ entry: YAMLNode.Entry) -> SourceDefinition? {
    guard let fields = fields(entry.value, .source, name: entry.keyPlace) else { return nil }
    let type = fields["type"].flatMap { choice($0, "a source's 'type'", Language.sourceTypes) }
    var source = SourceDefinition(name: entry.key, type: type ?? "")
    source.key = fields["key"].flatMap { template($0, "'key'", .secretsOnly) }
    source.requiredHeader = fields["header"].flatMap(requiredHeader)
    source.allow = fields["allow"].map(addresses) ?? []
    if let span = fields["dedupe"].flatMap({ duration($0, "'dedupe'") }) { source.dedupe = span }
    source.silentAfter = fields["silent_after"].flatMap { duration($0, "'silent_after'") }
    return source
  }

  private func requiredHeader(_ node: YAMLNode) -> HeaderTemplate? {
    let headers = headers(node, "'header'", .secretsOnly)
    guard let entries = node.entries, entries.count == 1 else {
      if node.entries != nil {
        error("one_header", node.place, "'header' asks for exactly one header", "{ Name: value }")
      }
      return nil
    }
    return headers.first
  }

  private func addresses(_ node: YAMLNode) -> [String] {
    oneOrMore(node).compactMap { item in
      guard let text = text(item, "'allow'") else { return nil }
      if AddressBlock.isValid(text) { return text }
      error("bad_address", item.place, "'\(text)' is neither an address nor a block of them", "such as 203.0.113.0/24")
      return nil
    }
  }
}

/// Whether a text is an IPv4 or IPv6 address, or a CIDR block of them.
enum AddressBlock {
  static func isValid(_ text: String) -> Bool {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard let address = parts.first, parts.count <= 2 else { return false }
    let isV6 = address.contains(":")
    guard isV6 ? isIPv6(address) : isIPv4(address) else { return false }
    guard parts.count == 2 else { return true }
    guard let bits = Int(parts[1]), String(bits) == parts[1] else { return false }
    return bits >= 0 && bits <= (isV6 ? 128 : 32)
  }

  private static func isIPv4(_ text: Substring) -> Bool {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4
      && parts.allSatisfy { part in
        guard let number = Int(part), String(number) == part else { return false }
        return (0...255).contains(number)
      }
  }

  private static func isIPv6(_ text: Substring) -> Bool {
    let halves = text.split(separator: "::", omittingEmptySubsequences: false)
    guard halves.count <= 2 else { return false }
    var groups = 0
    for (index, half) in halves.enumerated() where !half.isEmpty {
      let parts = half.split(separator: ":", omittingEmptySubsequences: false)
      for (place, part) in parts.enumerated() {
        let isLast = index == halves.count - 1 && place == parts.count - 1
        if isLast, part.contains(".") {
          guard isIPv4(part) else { return false }
          groups += 2
        } else {
          guard (1...4).contains(part.count), part.allSatisfy(\.isHexDigit) else { return false }
          groups += 1
        }
      }
    }
    return halves.count == 2 ? groups < 8 : groups == 8
  }
}
