// A rehearsed request as a curl command: quoted for any POSIX shell, secrets taken from the environment.

package enum CurlCommand {
  /// The command, over several lines. Run by a shell it sends what the router would send; a secret that the environment
  /// lacks ends it before anything is sent.
  /// - Parameter variable: the environment variable of a secret's name.
  package static func text(
    _ request: RenderedRequest, by recipe: RequestRecipe?, event: Event, variable: @escaping (String) -> String
  ) -> String {
    let quoting = Quoting(secrets: secrets(recipe, event), variable: variable)
    var lines: [String] = []
    var words = ["curl", "--request", request.method]
    // Brackets and braces in an address would mean several addresses.
    if request.url.contains(where: { "[]{}".contains($0) }) { words.append("--globoff") }
    lines.append((words + ["--url", quoting.word(request.url)]).joined(separator: " "))
    for header in request.headers {
      if let line = line(header, recipe, quoting) { lines.append(line) }
    }
    if !request.body.isEmpty {
      lines.append("--data-raw " + quoting.word(String(decoding: request.body, as: UTF8.self)))
    }
    return lines.joined(separator: " \\\n  ")
  }

  /// What the command cannot do by itself, a sentence each; empty for most.
  /// - Parameter open: it names what a lookup or a step before it gives.
  package static func remarks(
    _ request: RenderedRequest, by recipe: RequestRecipe?, event: Event, open: Bool = false
  ) -> [String] {
    var remarks: [String] = []
    if request.headers.contains(where: isSignature) {
      remarks.append(
        "the target's signature (webhook-signature) is made when the router sends it, and is left out here")
    }
    let body = String(decoding: request.body, as: UTF8.self)
    let texts = [request.url, body] + request.headers.map(\.value)
    if let credential = recipe?.target.credential, texts.contains(where: { $0.contains("{{ token }}") }) {
      remarks.append("fill in {{ token }} by hand: the router fetches it (credential \(credential))")
    }
    let known = secrets(recipe, event)
    if texts.contains(where: { Quoting.pieces(of: $0, known).contains(where: \.namesSecret) }) {
      remarks.append(
        "fill in what stands in {{ … }} by hand: it is no plain secret, or the event itself holds such text")
    }
    if open, texts.contains(where: { $0.contains("{{ ") && !$0.contains("{{ secrets.") }) {
      remarks.append("fill in what stands in {{ … }} by hand: a request before this one gives it")
    }
    return remarks
  }

  private static func isSignature(_ header: HTTPHeader) -> Bool { header.name == "webhook-signature" }

  private static func line(_ header: HTTPHeader, _ recipe: RequestRecipe?, _ quoting: Quoting) -> String? {
    if isSignature(header) { return nil }
    let isBasic = recipe?.target.basicAuth != nil && header.name == "Authorization"
    if isBasic, header.value.hasPrefix("Basic ") { return "--user " + quoting.word(String(header.value.dropFirst(6))) }
    // curl's way to say that a header has no value.
    let text = header.value.isEmpty ? header.name + ";" : "\(header.name): \(header.value)"
    return "--header " + quoting.word(text)
  }

  /// The secrets that may be filled in: the target's own; none where the event holds text that looks like one.
  private static func secrets(_ recipe: RequestRecipe?, _ event: Event) -> Set<String> {
    if event.raw.text.contains("{{ secrets.") { return [] }
    return recipe?.secretNames ?? []
  }
}

/// Text with `{{ secrets.name }}` in it → one word of a shell.
private struct Quoting {
  enum Piece: Equatable {
    case literal(Substring)
    case secret(String)

    /// Text that names a secret and is none that can be filled in.
    var namesSecret: Bool { if case .literal(let text) = self { text.contains("{{ secrets.") } else { false } }
  }

  let secrets: Set<String>
  /// The environment variable of a secret.
  let variable: (String) -> String

  init(secrets: Set<String>, variable: @escaping (String) -> String) {
    self.secrets = secrets
    self.variable = variable
  }

  func word(_ text: String) -> String {
    if text.isEmpty { return "''" }
    return Self.pieces(of: text, secrets).map { piece in
      switch piece {
      case .literal(let text): Self.quoted(text)
      case .secret(let name): "\"${\(variable(name)):?}\""
      }
    }.joined()
  }

  /// In single quotes nothing has a meaning but the quote itself.
  private static func quoted(_ text: Substring) -> String {
    "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
  }

  static func pieces(of text: String, _ secrets: Set<String>) -> [Piece] {
    var pieces: [Piece] = []
    var start = text.startIndex
    var rest = text[...]
    while let open = rest.firstRange(of: "{{ secrets."), let close = rest[open.upperBound...].firstRange(of: " }}") {
      let name = String(rest[open.upperBound..<close.lowerBound])
      rest = rest[close.upperBound...]
      if !secrets.contains(name) { continue }
      if start < open.lowerBound { pieces.append(.literal(text[start..<open.lowerBound])) }
      pieces.append(.secret(name))
      start = close.upperBound
    }
    if start < text.endIndex { pieces.append(.literal(text[start...])) }
    return pieces
  }
}
