// Which definitions hold for a delivery: its own version's routes, actions and arguments; the target's newest address and limits.

import DivertCore

/// What a delivery is rendered, sent and judged by.
final class Resolution: Sendable {
  /// The send and action of the delivery's version; the target's newest definition, or its version's where it is gone.
  let recipe: RequestRecipe
  /// The delivery's version.
  let table: RouteTable
  /// The target's secrets by name.
  let secretNames: Set<String>
  /// The secret that the target's address begins with (a hook's whole address, mostly); nil: it has its scheme in the file.
  let addressSecret: String?
  /// Rules for the answers: the action's, then the target's.
  let rules: [ResponseRule]
  /// One of the rules looks at an answer's headers, also at a good one's.
  let readsHeaders: Bool
  /// How long after an ambiguous attempt the target is asked whether it arrived; nil: it is not asked.
  let verifyAfter: Span?

  var send: Send { _read { yield recipe.send } }
  var action: ActionDefinition { _read { yield recipe.action } }
  var target: TargetDefinition { _read { yield recipe.target } }

  init(_ recipe: RequestRecipe, table: RouteTable) {
    self.recipe = recipe
    self.table = table
    rules = recipe.action.responses + recipe.target.responses
    readsHeaders = rules.contains(where: \.readsHeaders)
    verifyAfter = recipe.verify?.after
    secretNames = recipe.secretNames
    addressSecret = recipe.target.addressSecret
  }
}

/// Finds resolutions and remembers them. Owned by the engine.
struct ActionResolver: Sendable {
  private struct Recent: Sendable {
    var origin: PlannedSend
    var version: String
    var resolution: Resolution
  }

  private struct Key: Hashable, Sendable {
    var version: String
    var origin: PlannedSend
  }

  /// Versions kept compiled beside the current one.
  private static let keptTables = 32
  /// Resolutions kept at most.
  private static let keptResolutions = 4096

  private(set) var current: RouteTable
  private var tables: [String: RouteTable] = [:]
  /// The keys of `tables`, the longest kept first.
  private var tableOrder: [String] = []
  private var known: [Key: Resolution] = [:]
  /// The first few, found by identity: cheaper than hashing five strings.
  private var recent: [Recent] = []
  private let load: @Sendable (String) throws(StoreError) -> RouteTable?

  /// `load` compiles a stored configuration; nil when it is not stored or does not compile today. It throws when the store
  /// cannot be read now.
  init(current: RouteTable, load: @escaping @Sendable (String) throws(StoreError) -> RouteTable?) {
    self.current = current
    self.load = load
  }

  /// Another configuration is in force: targets are its own from now on, also for what an older one planned.
  mutating func swap(to next: RouteTable) {
    keep(current)
    current = next
    known = [:]
    recent = []
  }

  private mutating func keep(_ table: RouteTable) {
    if tables.updateValue(table, forKey: table.version) == nil { tableOrder.append(table.version) }
    if tableOrder.count > Self.keptTables { tables[tableOrder.removeFirst()] = nil }
  }

  /// The definitions for a delivery, or why there are none.
  mutating func resolve(_ delivery: Delivery) -> Result<Resolution, UnresolvedAction> {
    let origin = delivery.plan.origin
    for place in recent.indices where recent[place].origin === origin && recent[place].version == delivery.version {
      return .success(recent[place].resolution)
    }
    let key = Key(version: delivery.version, origin: origin)
    if let found = known[key] { return .success(found) }
    return find(delivery).map { found in
      if recent.count < 16, found.send.planned === origin {
        recent.append(Recent(origin: origin, version: delivery.version, resolution: found))
      } else {
        if known.count >= Self.keptResolutions { known = [:] }
        known[key] = found
      }
      return found
    }
  }

  private mutating func find(_ delivery: Delivery) -> Result<Resolution, UnresolvedAction> {
    let plan = delivery.plan
    let table: RouteTable?
    do throws(StoreError) { table = try self.table(delivery.version) } catch {
      let reason = Reason("version_unreadable", "configuration \(delivery.version): \(error.description)")
      return .failure(UnresolvedAction(reason: reason, isPassing: true))
    }
    guard let table else {
      let reason = Reason(
        "version_gone", "configuration \(delivery.version), which planned this delivery, cannot be loaded any more")
      return .failure(UnresolvedAction(reason: reason))
    }
    guard let recipe = table.recipe(for: plan, newest: current) else {
      let reason = Reason(
        "action_gone", "configuration \(delivery.version) has no action \(plan.target).\(plan.action)")
      return .failure(UnresolvedAction(reason: reason))
    }
    return .success(Resolution(recipe, table: table))
  }

  private mutating func table(_ version: String) throws(StoreError) -> RouteTable? {
    if version == current.version { return current }
    if let table = tables[version] { return table }
    let table = try load(version)
    if let table { keep(table) }
    return table
  }
}

extension ResponseRule {
  fileprivate var readsHeaders: Bool {
    let waitsByHeader =
      switch wait {
      case .retryAfter, .header: true
      case .json, .fixed, .midnight, nil: false
      }
    return waitsByHeader || conditions.contains(where: \.readsHeaders)
  }
}

extension ResponseCondition {
  fileprivate var readsHeaders: Bool {
    switch self {
    case .header: true
    case .oneOf(let conditions): conditions.contains(where: \.readsHeaders)
    case .status, .text, .json, .items: false
    }
  }
}

struct UnresolvedAction: Error {
  var reason: Reason
  /// It may be there when it is looked for again.
  var isPassing = false
  /// What the attempt counts as where it may be there later.
  var outcome = AttemptOutcome.retry
}
