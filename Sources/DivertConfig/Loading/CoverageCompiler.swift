// The file's routes, the alternatives of their conditions and the actions they ask for, each with its line: what tests
// are to reach.
import DivertCore

extension CoveragePoint {
  /// The points of a file, in its order. What is switched off (`enabled: false`) is left out.
  static func all(in file: Fields, _ scope: TemplateScope) -> [CoveragePoint] {
    let context = LoadContext(conditions: scope)
    context.zone = file["timezone"]?.text ?? context.zone
    context.country = file["country"]?.text ?? context.country
    var finder = CoverageFinder(targets: file["targets"], context)
    for route in file["routes"]?.entries ?? [] { finder.add(route, above: nil) }
    return finder.actions + finder.points
  }
}

/// Walks a file that is without faults; of one with faults it may find less.
private struct CoverageFinder {
  let targets: YAMLNode?
  var points: [CoveragePoint] = []
  var actions: [CoveragePoint] = []
  private var seen: Set<String> = []
  /// Conditions are compiled a second time, alternative by alternative; what is wrong with them is reported elsewhere.
  private let context: LoadContext

  init(targets: YAMLNode?, _ context: LoadContext) {
    self.targets = targets
    self.context = context
  }

  /// - Parameter events: what an event's own fields decide of the conditions above.
  mutating func add(_ route: YAMLNode.Entry, above: String?, _ events: [Condition] = []) {
    if route.value["enabled"]?.plainText == "false" { return }
    let path = above.map { "\($0)/\(route.key)" } ?? route.key
    points.append(CoveragePoint(kind: .route, name: path, place: FileLine(route.keyPlace), route: path))
    let own = events + (route.value["when"].map { context.condition($0).eventParts } ?? [])
    if let when = route.value["when"] { addBranches(when, path, own) }
    addSends(route.value["send"], path)
    if let broken = route.value["expect"]?["else"] { addTurn(broken, "expect.else", "else", path) }
    for child in route.value["also"]?.entries ?? [] { add(child, above: path, own) }
  }

  /// - Parameter prefix: of the labels of those that have none of their own.
  private mutating func addSends(_ node: YAMLNode?, _ path: String, prefix: String = "") {
    for (place, send) in (node?.items ?? []).enumerated() {
      addAction(send)
      let label = Self.label(send, place, prefix)
      if let late = send["otherwise"] { addTurn(late, "\(label).otherwise", label + ".otherwise", path) }
    }
  }

  /// What follows in place of something else: reached when one of its sends goes out.
  private mutating func addTurn(_ node: YAMLNode, _ name: String, _ prefix: String, _ path: String) {
    let items = node.items ?? []
    let labels = items.enumerated().map { Self.label($0.element, $0.offset, prefix + ".") }
    var point = CoveragePoint(kind: .branch, name: "\(path): \(name)", place: FileLine(node.place), route: path)
    point.sends = Set(labels)
    points.append(point)
    addSends(node, path, prefix: prefix + ".")
  }

  private static func label(_ send: YAMLNode, _ place: Int, _ prefix: String) -> String {
    send["as"]?.text ?? prefix + String(place)
  }

  private mutating func addAction(_ send: YAMLNode) {
    let entry = send.entries?.first { $0.key.contains(".") }
    guard let name = send.text ?? entry?.key, seen.insert(name).inserted else { return }
    let parts = name.split(separator: ".", maxSplits: 1).map(String.init)
    let own = parts.count == 2 ? targets?[parts[0]]?["actions"]?.entries?.first { $0.key == parts[1] } : nil
    let target = targets?.entries?.first { $0.key == parts.first }
    let place = own?.keyPlace ?? target?.keyPlace ?? send.place
    actions.append(CoveragePoint(kind: .action, name: name, place: FileLine(place)))
  }

  /// An alternative is a point of its own where there are two or more; nothing under `not` is one.
  private mutating func addBranches(_ when: YAMLNode, _ path: String, _ events: [Condition]) {
    for entry in when.entries ?? [] {
      switch entry.key {
      case "not", "count", "suppressed": break
      case "any":
        for item in entry.value.items ?? [] {
          if (entry.value.items?.count ?? 0) > 1 { add(item, at: item.place, path, events) }
          addBranches(item, path, events + context.condition(item).eventParts)
        }
      default: addValues(entry, path)
      }
    }
  }

  /// `field: [a, b]` and `field: { contains: [a, b] }`.
  private mutating func addValues(_ entry: YAMLNode.Entry, _ path: String) {
    for item in alternatives(entry.value) { add(Self.mapping(entry, item), at: item.place, path) }
    for inner in entry.value.entries ?? [] where inner.key != "not" && inner.key != "between" {
      for item in alternatives(inner.value) {
        add(Self.mapping(entry, Self.mapping(inner, item)), at: item.place, path)
      }
    }
  }

  private func alternatives(_ node: YAMLNode) -> [YAMLNode] {
    guard let items = node.items, items.count > 1 else { return [] }
    return items
  }

  private static func mapping(_ entry: YAMLNode.Entry, _ value: YAMLNode) -> YAMLNode {
    YAMLNode(
      content: .mapping([YAMLNode.Entry(key: entry.key, keyPlace: entry.keyPlace, value: value)]), place: value.place)
  }

  private mutating func add(
    _ alternative: YAMLNode, at place: Place, _ path: String, _ events: [Condition] = []
  ) {
    let condition = context.counting(context.condition(alternative), above: events)
    let name = "\(path): \(condition.phrase)"
    points.append(
      CoveragePoint(kind: .branch, name: name, place: FileLine(place), route: path, condition: condition))
  }
}

extension Condition {
  /// The condition in one line.
  fileprivate var phrase: String {
    switch self {
    case .all(let conditions): conditions.map(\.phrase).joined(separator: " and ")
    case .any(let conditions): conditions.map(\.phrase).joined(separator: " or ")
    case .not(let condition): "not (\(condition.phrase))"
    case .value(let path, let comparison): "\(path) \(comparison)"
    case .count, .suppressed: words
    }
  }
}
