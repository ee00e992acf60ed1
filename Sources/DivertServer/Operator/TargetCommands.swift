// `divert cancel`, `targets pause|resume` and `backup`: the orders that need few words.

import DivertCore
import FoundationEssentials

enum TargetCommands {
  /// Ends waiting deliveries as skipped. At least one condition must be given.
  static func cancel(_ context: OperatorContext, _ input: OperatorInput) async throws -> JSONValue {
    let route = try input.text("route")
    let target = try input.text("target")
    let named = try input.text("event")
    let event = named.flatMap { EventID($0) ?? DeliveryID($0)?.event }
    if let named, event == nil { throw OperatorFailure.badRequest("`\(named)` is no event id (evt_…)") }
    if route == nil, target == nil, event == nil {
      throw OperatorFailure.badRequest("say what to cancel: --route, --target or --event")
    }
    if let target { try await Blocking.run { try KnownNames(context).require(target: target) } }
    let why = try input.text("reason") ?? "cancelled by hand"
    let cancel = Cancel(
      route: route, target: target, event: event, reason: Reason("cancelled", why), limit: 1000)
    let ended = try await context.cancel(cancel)
    if ended == 0 {
      try await Blocking.run {
        try route.map(KnownNames(context).require(route:))
        if let event, try context.store.event(event) == nil {
          throw OperatorFailure.notFound(
            "there is no event `\(event)`; `divert find` looks for one by phone or call id")
        }
      }
    }
    return ["cancelled": .number(ended)]
  }

  static func pause(_ context: OperatorContext, _ input: OperatorInput) async throws -> JSONValue {
    let target = try await known(context, input)
    let reason = Reason("paused", try input.text("reason") ?? "paused by hand")
    try await context.rule(target, TargetRuling(kind: .paused, reason: reason, since: context.now()))
    return ["target": .string(target), "state": "paused"]
  }

  static func resume(_ context: OperatorContext, _ input: OperatorInput) async throws -> JSONValue {
    let target = try await known(context, input)
    try await context.rule(target, nil)
    return ["target": .string(target), "state": "open"]
  }

  /// The target that is meant, if there is one.
  private static func known(_ context: OperatorContext, _ input: OperatorInput) async throws -> String {
    let target = try input.requiredText("target")
    try await Blocking.run { try KnownNames(context).require(target: target) }
    return target
  }
}

enum BackupCommand {
  /// Copies the store into a new file.
  static func run(_ context: OperatorContext, _ input: OperatorInput) throws -> JSONValue {
    let path = try input.requiredText("path")
    guard path.hasPrefix("/") else {
      throw OperatorFailure.badRequest("give an absolute path: `\(path)` would be taken from the router's own folder")
    }
    let folder = "/" + path.split(separator: "/").dropLast().joined(separator: "/")
    guard FileManager.default.isWritableFile(atPath: folder) else {
      throw OperatorFailure.badRequest("there is no folder \(folder) that the router may write to")
    }
    if FileManager.default.fileExists(atPath: path) {
      throw OperatorFailure.conflict("exists", "\(path) is there already: choose another name, or move it away first")
    }
    try context.store.backup(to: path)
    let size = try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int
    return ["path": .string(path), "bytes": .number(size ?? 0)]
  }
}
