// The address of a request (step 7 of the line). Event data never chooses where bytes go: scheme and host are literal
// or secret, and every value in a path or query is percent-encoded.

enum RequestURL {
  /// Base and path joined by one slash, then the query of the base, the path, the target and the action.
  static func render(_ job: RenderJob, _ context: RenderContext) throws(RenderFault) -> String {
    if let fixed = job.recipe.fixedURL, context.base == nil { return fixed }
    return try render(job.recipe.target, job.recipe.action, context)
  }

  /// The address of an action that has no expression in it; nil where there is one, or where it is at fault.
  static func fixed(_ target: TargetDefinition, _ action: ActionDefinition) -> String? {
    let templates = [target.base, action.path] + (target.query + action.query).map(\.value)
    guard templates.allSatisfy({ $0.literal != nil }) else { return nil }
    let nothing = RenderContext(event: nil, now: Timestamp(milliseconds: 0), secrets: .resolved { _ in nil })
    return try? render(target, action, nothing)
  }

  private static func render(
    _ target: TargetDefinition, _ action: ActionDefinition, _ context: RenderContext
  ) throws(RenderFault) -> String {
    var base: [UInt8] = []
    try append(base: target.base, to: &base, context)
    if let origin = context.base { replaceOrigin(of: &base, by: origin) }
    // Before anything is joined to it, so that a path can never become the host.
    if !context.isMasked { try checkHost(base, target.name) }
    var path: [UInt8] = []
    try append(path: action.path, to: &path, context)
    var url = join(base, path)
    for item in target.query { try append(item, to: &url, context) }
    for item in action.query { try append(item, most: action.maxLengths[item.name], to: &url, context) }
    let text = String(decoding: url, as: UTF8.self)
    if !context.isMasked { try check(url, target.name) }
    return text
  }

  private static func append(
    base: Template, to url: inout [UInt8], _ context: RenderContext
  ) throws(RenderFault) {
    for part in base.parts {
      if case .expression(let expression) = part, !expression.path.isSecret, !hostIsClosed(url), !context.isMasked {
        throw RenderFault(
          "host_from_event", "`{{ \(expression) }}` stands in the address's host: only literal text and secrets may")
      }
      try append(part, to: &url, context)
    }
  }

  private static func append(
    path: Template, to url: inout [UInt8], _ context: RenderContext
  ) throws(RenderFault) {
    for part in path.parts { try append(part, to: &url, context) }
  }

  /// A literal or secret as it stands, any other value percent-encoded.
  private static func append(
    _ part: Template.Part, to url: inout [UInt8], _ context: RenderContext
  ) throws(RenderFault) {
    switch part {
    case .literal(let text): PercentEncoding.append(address: text, to: &url)
    case .expression(let expression):
      guard let value = try context.evaluate(expression) else { throw .missing(expression) }
      if expression.path.isSecret || context.isShownByName(expression.path) {
        url.append(contentsOf: value.text.utf8)
      } else {
        PercentEncoding.append(value.text, to: &url)
      }
    }
  }

  private static func append(
    _ item: HeaderTemplate, most: Int? = nil, to url: inout [UInt8], _ context: RenderContext
  ) throws(RenderFault) {
    guard let value = try context.text(item.value) else { return }
    if let most { try RequestRenderer.check(value, item.name, most) }
    url.append(UInt8(ascii: url.contains(UInt8(ascii: "?")) ? "&" : "?"))
    PercentEncoding.append(item.name, to: &url)
    url.append(UInt8(ascii: "="))
    if item.value.paths.contains(where: context.isShownByName) {
      url.append(contentsOf: value.utf8)
    } else {
      PercentEncoding.append(value, to: &url)
    }
  }

  /// Whether scheme and host are complete: a slash or question mark follows them.
  private static func hostIsClosed(_ url: [UInt8]) -> Bool {
    guard let host = hostStart(url) else { return false }
    return url[host...].contains { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") }
  }

  /// Where the host begins: behind `://`.
  private static func hostStart(_ url: [UInt8]) -> Int? {
    guard let colon = url.firstIndex(of: UInt8(ascii: ":")), colon + 2 < url.count,
      url[colon + 1] == UInt8(ascii: "/"), url[colon + 2] == UInt8(ascii: "/")
    else { return nil }
    return colon + 3
  }

  private static func join(_ base: [UInt8], _ path: [UInt8]) -> [UInt8] {
    if path.isEmpty { return base }
    let slash = UInt8(ascii: "/")
    let question = UInt8(ascii: "?")
    let baseQuery = base.firstIndex(of: question) ?? base.endIndex
    var url = Array(base[..<baseQuery])
    if path.first == question {
      url += path
    } else {
      if url.last == slash { url.removeLast() }
      if path.first != slash { url.append(slash) }
      url += path
    }
    let query = base[baseQuery...].dropFirst()
    if query.isEmpty { return url }
    url.append(UInt8(ascii: url.contains(question) ? "&" : "?"))
    return url + query
  }

  /// What a base must be, whatever its secrets hold: http or https, a host, nobody's name before it.
  private static func checkHost(_ base: [UInt8], _ target: String) throws(RenderFault) {
    guard let start = hostStart(base), isWeb(base[..<(start - 3)]) else {
      throw fault(target, "must begin with https:// or http://")
    }
    let host = base[start..<hostEnd(base, start)]
    guard !host.isEmpty, host.first != UInt8(ascii: ":") else { throw fault(target, "has no host") }
    guard !host.contains(UInt8(ascii: "@")) else {
      throw fault(target, "has a user name in it: use `auth: { basic: … }`")
    }
  }

  /// What a whole address must be beyond its host.
  private static func check(_ url: [UInt8], _ target: String) throws(RenderFault) {
    guard !url.contains(where: isRefused) else {
      throw fault(target, "has a blank, a control character, `#`, `\\` or a letter beyond ASCII in it")
    }
    let path = url[hostEnd(url, hostStart(url) ?? 0)...].prefix { $0 != UInt8(ascii: "?") }
    guard !path.split(separator: UInt8(ascii: "/")).contains(where: isDots) else {
      throw fault(target, "has a path with a step `.` or `..`, which would lead elsewhere")
    }
  }

  /// Refuses an address written by hand that is none, or whose scheme, host or port are not those of the target's own.
  static func check(_ url: String, within target: TargetDefinition, _ context: RenderContext) throws(RenderFault) {
    var base: [UInt8] = []
    try append(base: target.base, to: &base, context)
    let bytes = Array(url.utf8)
    try checkHost(bytes, target.name)
    try check(bytes, target.name)
    guard origin(bytes) == origin(base) else {
      throw fault(target.name, "has another scheme, host or port than the target's own: change the target instead")
    }
  }

  /// A token request's address: http or https, a host, and nothing that leads elsewhere.
  static func check(token url: String) throws(RenderFault) {
    let bytes = Array(url.utf8)
    guard let start = hostStart(bytes), isWeb(bytes[..<(start - 3)]), hostEnd(bytes, start) > start,
      !bytes[start..<hostEnd(bytes, start)].contains(UInt8(ascii: "@")), !bytes.contains(where: isRefused)
    else { throw RenderFault("url_invalid", "the token_url is no plain http or https address") }
  }

  /// The same for an address that was written by hand.
  static func moved(_ url: String, to origin: String) -> String {
    var bytes = Array(url.utf8)
    replaceOrigin(of: &bytes, by: origin)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// `url` with another scheme, host and port, and what that has of a path before its own.
  static func replaceOrigin(of url: inout [UInt8], by origin: String) {
    guard let start = hostStart(url) else { return }
    url.replaceSubrange(..<hostEnd(url, start), with: origin.utf8)
  }

  private static func origin(_ url: [UInt8]) -> String {
    String(decoding: url[..<hostEnd(url, hostStart(url) ?? 0)], as: UTF8.self).lowercased()
  }

  private static func hostEnd(_ url: [UInt8], _ start: Int) -> Int {
    url[start...].firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") } ?? url.endIndex
  }

  private static func fault(_ target: String, _ what: String) -> RenderFault {
    RenderFault("url_invalid", "the address of target `\(target)` \(what)")
  }

  private static func isRefused(_ byte: UInt8) -> Bool {
    byte <= 0x20 || byte >= 0x7f || byte == UInt8(ascii: "#") || byte == UInt8(ascii: "\\")
  }

  private static func isWeb(_ scheme: ArraySlice<UInt8>) -> Bool {
    let text = String(decoding: scheme, as: UTF8.self)
    return text.equalsIgnoringCase("https") || text.equalsIgnoringCase("http")
  }

  private static func isDots(_ step: ArraySlice<UInt8>) -> Bool {
    guard step.count <= 6 else { return false }
    let text = String(decoding: step, as: UTF8.self).lowercased()
    return [".", "..", "%2e", "%2e%2e", ".%2e", "%2e."].contains(text)
  }
}

extension ValuePath {
  var isSecret: Bool { if case .secret = self { true } else { false } }
}
