// `divert sandbox requests|faults`: what the sandbox's targets received, and how they are to fail.

import DivertCore

/// What operators can ask of a running sandbox.
package struct SandboxDesk: Sendable {
  let emulator: Emulator
  let faults: SandboxFaults
  /// The secrets that the configuration names.
  let secrets: @Sendable () -> [String]

  package init(emulator: Emulator, faults: SandboxFaults, secrets: @escaping @Sendable () -> [String]) {
    self.emulator = emulator
    self.faults = faults
    self.secrets = secrets
  }
}

enum SandboxCommands {
  /// Of longer bodies only this much is shown.
  private static let longestBody = 64 << 10

  /// The last requests, the newest last.
  static func requests(_ context: OperatorContext, _ input: OperatorInput) throws -> JSONValue {
    let desk = try desk(context)
    let target = try input.text("target")
    let limit = try input.number("limit", in: 1...1000, or: 20)
    if let target { try expect(target, context) }
    let seen = desk.emulator.seen(target: target)
    let secrets = desk.secrets()
    return [
      "answered": .number(desk.emulator.count), "kept": .number(seen.count),
      "requests": .array(seen.suffix(limit).map { json($0, secrets) }),
    ]
  }

  private static func expect(_ target: String, _ context: OperatorContext) throws {
    let names = try context.requireTable().parts.targets.keys.sorted()
    if names.contains(target) || context.sandbox?.emulator.seen(target: target).isEmpty == false { return }
    let near =
      NearestName.to(target, among: names).map { "did you mean \($0)?" } ?? "there are \(names.joined(separator: ", "))"
    throw OperatorFailure.notFound("there is no target `\(target)`; \(near)")
  }

  private static func json(_ seen: Emulator.Seen, _ secrets: [String]) -> JSONValue {
    let headers = seen.headers.filter { !ownHeaders.contains($0.name.lowercased()) }.map { header in
      JSONValue.object([
        "name": .string(header.name), "value": .string(value(of: header, secrets)),
      ])
    }
    return [
      "at": .string(seen.at.iso8601), "target": .string(seen.target), "action": .string(seen.action),
      "method": .string(seen.method), "path": .string(named(seen.path, secrets)), "headers": .array(headers),
      "body": body(seen.body, secrets), "bytes": .number(seen.body.count),
      "answer": [
        "status": seen.status == 0 ? .null : .number(seen.status), "body": body(seen.answer, secrets),
        "fault": seen.fault.map { .string($0) } ?? .null,
      ],
    ]
  }

  /// What libcurl and the redirection to the emulator add.
  private static let ownHeaders: Set = [
    "host", "accept", "accept-encoding", "connection", "content-length", "user-agent", "x-divert-action",
  ]
  private static let keyHeaders: Set = [
    "authorization", "proxy-authorization", "cookie", "x-api-key", "api-key", "x-auth-token",
  ]

  /// A secret by its name; what else stands where a key belongs is starred behind its first word.
  private static func value(of header: HTTPHeader, _ secrets: [String]) -> String {
    let named = named(header.value, secrets)
    guard keyHeaders.contains(header.name.lowercased()), !named.contains("{{ secrets.") else { return named }
    let words = named.split(separator: " ", maxSplits: 1)
    return words.count == 2 ? "\(words[0]) ***" : "***"
  }

  /// In the sandbox every secret has a stand-in (`RequestMaker`), which is shown as the secret's name.
  private static func named(_ text: String, _ secrets: [String]) -> String {
    var text = text
    // The longest first: a name can begin another.
    for name in secrets.sorted(by: { $0.utf8.count > $1.utf8.count }) where text.contains("sandbox-" + name) {
      text = text.split(separator: "sandbox-" + name, omittingEmptySubsequences: false)
        .joined(separator: "{{ secrets.\(name) }}")
    }
    return text
  }

  /// JSON as it is, other text as a text; null for none.
  private static func body(_ bytes: [UInt8], _ secrets: [String]) -> JSONValue {
    if bytes.isEmpty { return .null }
    if bytes.count > longestBody {
      return .string(named(String(decoding: bytes.prefix(longestBody), as: UTF8.self), secrets) + "…")
    }
    let text = named(String(decoding: bytes, as: UTF8.self), secrets)
    return (try? JSONValue.parse(Array(text.utf8))) ?? .string(text)
  }

  // MARK: Faults

  static func faults(_ context: OperatorContext) throws -> JSONValue { json(try desk(context).faults.rules) }

  /// Puts `faults` (`crm: 429 5%`; `none` or nothing for none) in the place of those in force.
  static func setFaults(_ context: OperatorContext, _ input: OperatorInput) throws -> JSONValue {
    let desk = try desk(context)
    try input.expect(only: ["faults"])
    do { try desk.faults.set(try input.given("faults") ?? "", called: "faults") } catch let fault as ServeFailure {
      throw OperatorFailure.badRequest(fault.description)
    }
    return json(desk.faults.rules)
  }

  private static func json(_ rules: [FaultRule]) -> JSONValue { ["faults": .array(rules.map { .string($0.text) })] }

  private static func desk(_ context: OperatorContext) throws -> SandboxDesk {
    if let desk = context.sandbox { return desk }
    guard context.live == nil else {
      throw OperatorFailure(409, "no_sandbox", "the router here is no sandbox: its targets are real")
    }
    throw OperatorFailure(503, "not_running", "no sandbox is running: start one with `divert serve --sandbox`")
  }
}
