// A target with its preset merged in and everything that it and its actions inherit.
import DivertCore

extension Resolver {
  /// The target as a plain one: no `type`, and what actions and sends inherit stands with them.
  func target(_ node: YAMLNode) -> YAMLNode {
    let own = expanded(node)
    let inherited = ["type", "retry", "order_by", "ambiguous"]
    return Self.mapping(node.place, Language.target.fields.filter { !inherited.contains($0.name) }) { field in
      let value = own[field.name]
      switch field.name {
      case "concurrency", "limit": return value ?? defaults?[field.name] ?? Self.standard(field)
      case "timeout": return timeout(value)
      case "responses": return responses(value)
      case "actions": return value.map { Self.named($0) { action($0, of: own) } }
      default: return value.map { Self.filled($0, field.kind) } ?? Self.standard(field)
      }
    }
  }

  private func expanded(_ node: YAMLNode) -> YAMLNode {
    guard let type = node["type"]?.text, let preset = presets[type] else { return node }
    var merge = PresetMerge(preset, over: node)
    return merge.merged(with: node)
  }

  /// The target's rules before those of all targets.
  private func responses(_ own: YAMLNode?) -> YAMLNode? {
    let lists = [own, defaults?["responses"]].compactMap { $0 }
    guard let first = lists.first else { return nil }
    return YAMLNode(content: .sequence(lists.flatMap { $0.items ?? [] }), place: first.place)
  }

  /// Both times, from the nearest level; connecting never takes longer than all.
  private func timeout(_ own: YAMLNode?) -> YAMLNode? {
    func nearest(_ name: String) -> YAMLNode? {
      for level in [own, defaults?["timeout"]].compactMap({ $0 }) {
        if let value = level.entries == nil ? (name == "total" ? level : nil) : level[name] { return value }
      }
      return Language.timeout.field(name).flatMap(Self.standard)
    }
    guard var connect = nearest("connect"), let total = nearest("total") else { return nil }
    func span(_ node: YAMLNode) -> Span { node.text.flatMap(SmallGrammar.duration) ?? .zero }
    if span(connect) > span(total) { connect = total }
    let values = ["connect": connect, "total": total]
    return Self.mapping(total.place, Language.timeout.fields) { values[$0.name] }
  }

  private func action(_ node: YAMLNode, of target: YAMLNode) -> YAMLNode {
    Self.mapping(node.place, Language.action.fields) { field in
      let own = node[field.name]
      switch field.name {
      case "retry": return Self.retry([own, target["retry"], defaults?["retry"]])
      case "order_by": return own ?? target["order_by"] ?? defaults?["order_by"]
      case "ambiguous": return own ?? ambiguous(node, of: target)
      case "class": return own ?? (node["to_person"]?.text == "true" ? Self.standard(field) : nil)
      default: return own.map { Self.filled($0, field.kind) } ?? Self.standard(field)
      }
    }
  }

  /// What levels above the action say. `verify` only for those that can; messages to persons are verified or parked, whatever
  /// `defaults` says.
  private func ambiguous(_ action: YAMLNode, of target: YAMLNode) -> YAMLNode? {
    let canAsk = action["verify"] != nil || target["verify"] != nil
    let toPerson = action["to_person"]?.text == "true"
    let said = target["ambiguous"] ?? (toPerson ? nil : defaults?["ambiguous"])
    if let said, said.text != AmbiguousPolicy.verify.rawValue || canAsk { return said }
    let standard: AmbiguousPolicy = toPerson ? (canAsk ? .verify : .park) : .retry
    return Self.standard(.init("ambiguous", .choice([]), standard: standard.rawValue, ""))
  }
}
