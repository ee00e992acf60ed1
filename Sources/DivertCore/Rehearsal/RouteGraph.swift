// The routes of a table drawn: as a tree of text, as a Mermaid flowchart, as JSON.

package struct RouteGraph: Sendable {
  package let table: RouteTable
  /// What the routes matched; nil: nobody counted.
  package let counts: RouteMatches.Counts?

  package init(_ table: RouteTable, counts: RouteMatches.Counts? = nil) {
    self.table = table
    self.counts = counts.flatMap { $0.routes.count == table.routeCount ? $0 : nil }
  }

  private func matched(_ route: Route) -> Int? { counts?.routes[route.place] }
}

// MARK: - A tree of text
extension RouteGraph {
  /// The tree, a line each.
  package var lines: [String] {
    var lines: [String] = []
    for route in table.parts.routes {
      draw(route, lead: "", below: "", into: &lines)
    }
    if !table.parts.alarms.isEmpty {
      lines.append("alarms (Divert's own)")
      for send in table.parts.alarms { lines.append("    → " + Self.words(send)) }
    }
    return lines
  }

  private func draw(_ route: Route, lead: String, below: String, into lines: inout [String]) {
    lines.append(lead + head(route))
    let bar = below + (route.children.isEmpty ? "    " : "│   ")
    lines.append(bar + "when " + route.when.words)
    if let once = route.once { lines.append(bar + once.words) }
    for send in route.sends {
      lines.append(bar + "→ " + Self.words(send) + (matched(route).map { "  \($0) planned" } ?? ""))
      lines += Self.otherwise(send).map { bar + "  " + $0 }
    }
    if let expect = route.expect {
      lines.append(bar + "expects " + expect.words)
      for send in route.otherwise {
        lines.append(bar + "  else → " + Self.words(send))
        lines += Self.otherwise(send).map { bar + "    " + $0 }
      }
    }
    for (place, child) in route.children.enumerated() {
      let isLast = place == route.children.count - 1
      draw(child, lead: below + (isLast ? "└─ " : "├─ "), below: below + (isLast ? "   " : "│  "), into: &lines)
    }
  }

  /// What goes out in the place of a send that expired.
  private static func otherwise(_ send: Send) -> [String] {
    send.timing.otherwise.flatMap { ["otherwise → " + words($0)] + otherwise($0).map { "  " + $0 } }
  }

  private func head(_ route: Route) -> String {
    let off = route.enabled ? "" : "  (switched off)"
    let count = matched(route).map { "  " + Self.events($0) } ?? ""
    return route.name + off + count + (route.description.map { "  # \($0)" } ?? "")
  }

  private static func events(_ count: Int) -> String { "\(count) \(count == 1 ? "event" : "events")" }

  private static func words(_ send: Send) -> String {
    let label = send.isLabelled ? " (as \(send.label))" : ""
    let asks = send.lookups.isEmpty ? "" : " (asks \(send.lookups.joined(separator: ", ")))"
    let timing = send.timing.words.map { ", " + $0 }.joined()
    return "\(send.target).\(send.action)" + label + (send.isMessage ? " (to a person)" : "") + asks + timing
  }
}

// MARK: - Mermaid
extension RouteGraph {
  /// A Mermaid flowchart (https://mermaid.js.org/syntax/flowchart.html): events, routes, targets.
  package var mermaid: String {
    var lines = ["flowchart LR", "  event([\"\(counts.map { Self.events($0.events) } ?? "event")\"])"]
    let targets = targetNodes
    for route in table.parts.routes { draw(route, from: "event", targets, into: &lines) }
    if !table.parts.alarms.isEmpty {
      lines.append("  alarms([\"Divert's own alarms\"])")
      for send in table.parts.alarms { lines.append(edge("alarms", send.action, targets[send.target] ?? "event")) }
    }
    for (name, node) in targets.sorted(by: { $0.key < $1.key }) {
      let isOff = table.parts.targets[name].map { !$0.enabled } ?? false
      lines.append("  \(node)[(\"\(Self.escaped(name))\")]" + (isOff ? ":::off" : ""))
    }
    lines.append("  classDef off stroke-dasharray: 4 4")
    return lines.joined(separator: "\n")
  }

  /// The targets that something is sent to, each with its node's name.
  private var targetNodes: [String: String] {
    var used = Set(table.parts.alarms.map(\.target))
    func collect(_ route: Route) {
      used.formUnion((route.sends + route.otherwise).flatMap(\.graphed).map(\.target))
      route.children.forEach(collect)
    }
    table.parts.routes.forEach(collect)
    return Dictionary(used.sorted().enumerated().map { ($1, "t\($0)") }) { first, _ in first }
  }

  private func draw(_ route: Route, from parent: String, _ targets: [String: String], into lines: inout [String]) {
    let node = "r\(route.place)"
    let label = Self.escaped(route.name) + "<br/>when " + Self.escaped(route.when.words)
    lines.append("  \(node)[\"\(label)\"]" + (route.enabled ? "" : ":::off"))
    lines.append(edge(parent, matched(route).map(String.init), node))
    for send in route.sends.flatMap(\.graphed) {
      lines.append(edge(node, send.action, targets[send.target] ?? "event"))
    }
    for send in route.otherwise.flatMap(\.graphed) {
      lines.append(edge(node, "else \(send.action)", targets[send.target] ?? "event"))
    }
    for child in route.children { draw(child, from: node, targets, into: &lines) }
  }

  private func edge(_ from: String, _ label: String?, _ to: String) -> String {
    "  \(from) -->" + (label.map { "|\"\(Self.escaped($0))\"|" } ?? "") + " \(to)"
  }

  /// What has a meaning in Mermaid, in HTML or in Markdown, as a character's number.
  static func escaped(_ text: String) -> String {
    var out = ""
    for scalar in text.unicodeScalars {
      let isPlain =
        scalar.value > 0x7f || scalar.properties.isAlphabetic || "0123456789 .,:/()-_'".unicodeScalars.contains(scalar)
      if isPlain { out.unicodeScalars.append(scalar) } else { out += "#\(scalar.value);" }
    }
    return out
  }
}

// MARK: - JSON
extension RouteGraph {
  /// The tree for programs; the counts where somebody counted.
  package var json: JSONValue {
    var object = JSONObject()
    object["version"] = .string(table.version)
    if let counts {
      object["since"] = counts.since.map { .string($0.iso8601) }
      object["events"] = .number(counts.events)
    }
    object["routes"] = .array(table.parts.routes.map(json))
    object["alarms"] = .array(table.parts.alarms.map { json($0, planned: nil) })
    return .object(object)
  }

  private func json(_ route: Route) -> JSONValue {
    var object = JSONObject()
    object["route"] = .string(route.path)
    object["enabled"] = .bool(route.enabled)
    object["description"] = route.description.map { .string($0) }
    object["when"] = .string(route.when.words)
    object["matched"] = matched(route).map { .number($0) }
    object["once"] = route.once.map { .string($0.words) }
    object["expect"] = route.expect.map { .string($0.words) }
    if !route.otherwise.isEmpty { object["else"] = .array(route.otherwise.map { json($0, planned: nil) }) }
    object["sends"] = .array(route.sends.map { json($0, planned: matched(route)) })
    object["also"] = .array(route.children.map(json))
    return .object(object)
  }

  private func json(_ send: Send, planned: Int?) -> JSONValue {
    var object = JSONObject()
    object["send"] = .string(send.label)
    object["target"] = .string(send.target)
    object["action"] = .string(send.action)
    object["to_person"] = .bool(send.isMessage)
    if !send.lookups.isEmpty { object["lookups"] = .array(send.lookups.map { .string($0) }) }
    object["class"] = send.messageClass.map { .string($0.rawValue) }
    object.members += send.timing.json.members
    if !send.timing.otherwise.isEmpty {
      object["otherwise"] = .array(send.timing.otherwise.map { json($0, planned: nil) })
    }
    object["planned"] = planned.map { .number($0) }
    return .object(object)
  }
}

extension Send {
  /// It has a label of its own, and not its place's.
  fileprivate var isLabelled: Bool {
    let last = label.split(separator: ".").last.map(String.init) ?? label
    return Int(last) == nil
  }

  /// It, and what goes out in its place.
  fileprivate var graphed: [Send] { [self] + timing.otherwise.flatMap(\.graphed) }
}
