// Names that an operator filters by: one that nothing is called is refused with the nearest right one. What is gone from the
// configuration is known as long as something of it is in hand, on file or counted.

import DivertCore
import DivertStore

/// Judges names. Blocking; called from `Blocking.run`.
struct KnownNames {
  private let context: OperatorContext

  init(_ context: OperatorContext) { self.context = context }

  /// Refuses a target that is neither configured nor known to the store.
  func require(target name: String) throws {
    var names = Set(context.table()?.parts.targets.keys.map { $0 } ?? [])
    if names.contains(name) { return }
    names.formUnion(try context.store.totals().targets.keys)
    names.formUnion(try context.store.standing().keys)
    names.formUnion(try context.store.targetStates().keys)
    try require(name, "target", among: names, "`divert targets list` names them")
  }

  /// Refuses a source that is neither configured nor ever heard of.
  func require(source name: String) throws {
    var names = Set(context.table()?.parts.sources.keys.map { $0 } ?? [])
    if names.contains(name) { return }
    names.formUnion(try context.store.totals().sources.keys)
    try require(name, "source", among: names, "`divert sources list` names them")
  }

  /// Refuses a source that today's file does not have.
  func require(configuredSource name: String) throws {
    guard let names = context.table()?.parts.sources.keys else { return }
    try require(name, "source", among: Set(names), "`divert sources list` names them")
  }

  /// Refuses a route that today's file does not have. Ask only where nothing of it was found: an older file's is known by
  /// what it planned.
  func require(route name: String) throws {
    guard let table = context.table() else { return }
    let names = Set(table.routePaths.map(\.path))
    if names.contains(name) { return }
    try require(
      name, "route", among: names, "`divert routes list` names them; a child is `parent/child`", besides: ["alarms"])
  }

  /// Refuses what is no reason's code. Ask only where nothing of it was found.
  func require(reason code: String) throws {
    try require(code, "reason", among: KnownReasons.codes, "docs/reasons.md lists the codes")
  }

  /// Refuses what nothing is called of that which dead letters were chosen by; for where nothing was found.
  func require(_ choice: DeadLetterChoice) throws {
    try choice.filter.target.map(require(target:))
    try choice.filter.route.map(require(route:))
    try choice.filter.reason.map(require(reason:))
    if let phone = choice.phones.last, Phone.digits(phone).isEmpty {
      throw OperatorFailure.badRequest(
        "`\(OperatorText.line(phone, limit: 80))` is no phone number: write it with its country code, as in +919876543210"
      )
    }
  }

  private func require(
    _ name: String, _ kind: String, among names: Set<String>, _ others: String, besides: Set<String> = []
  ) throws {
    if names.contains(name) || besides.contains(name) { return }
    let nearest = NearestName.to(name, among: names.sorted()).map { ": did you mean `\($0)`? " } ?? "; "
    throw OperatorFailure.notFound("there is no \(kind) `\(OperatorText.line(name, limit: 80))`\(nearest)\(others)")
  }
}
