// What a piece of YAML means, without places: the value of an edit, and what files are compared by before and after.

/// A value of a file: text in an order of its own, with nothing said about where or how it was written.
package indirect enum YAMLValue: Sendable, Hashable {
  /// `plain`: written without quotes, so that the language may read a number, `true`, `false`, `null` or `none`.
  case scalar(String, plain: Bool)
  case mapping([Entry])
  case sequence([YAMLValue])

  /// A name and what it holds.
  package struct Entry: Sendable, Hashable {
    package var key: String
    package var value: YAMLValue

    package init(_ key: String, _ value: YAMLValue) {
      self.key = key
      self.value = value
    }
  }

  /// Text that the language must read as text.
  package static func text(_ text: String) -> YAMLValue { .scalar(text, plain: false) }

  init(_ node: YAMLNode) {
    switch node.content {
    case .scalar(let text, let plain): self = .scalar(text, plain: plain)
    case .mapping(let entries): self = .mapping(entries.map { Entry($0.key, YAMLValue($0.value)) })
    case .sequence(let items): self = .sequence(items.map(YAMLValue.init))
    }
  }

  /// Nothing was written: `key:` and no more.
  var isNothing: Bool { self == .scalar("", plain: true) }

  /// Whether a plain scalar is more than its text: a value of JSON, `none`, or nothing.
  static func isWord(_ text: String) -> Bool {
    text.isEmpty || text == "none" || PlainScalar.value(text) != nil
  }

  /// Whether the language reads the same here and there.
  func means(_ other: YAMLValue) -> Bool {
    switch (self, other) {
    case (.scalar(let a, let plainA), .scalar(let b, let plainB)):
      a == b && (plainA && Self.isWord(a)) == (plainB && Self.isWord(b))
    case (.mapping(let a), .mapping(let b)):
      a.count == b.count && zip(a, b).allSatisfy { $0.key == $1.key && $0.value.means($1.value) }
    case (.sequence(let a), .sequence(let b)):
      a.count == b.count && zip(a, b).allSatisfy { $0.means($1) }
    default: false
    }
  }

  /// No collection within a collection, and nothing but single-line text: fits a line as `{ a: b }`.
  var isSimple: Bool {
    switch self {
    case .scalar(let text, _): !text.unicodeScalars.contains("\n")
    case .mapping(let entries): entries.allSatisfy { $0.value.isLeaf && $0.value.isSimple }
    case .sequence(let items): items.allSatisfy { $0.isLeaf && $0.isSimple }
    }
  }

  /// A scalar, or an empty collection.
  var isLeaf: Bool {
    switch self {
    case .scalar: true
    case .mapping(let entries): entries.isEmpty
    case .sequence(let items): items.isEmpty
    }
  }
}

// What an edit means.
extension YAMLValue {
  /// This value with the change made at `path`; nil where the path leads nowhere that the change could be made.
  func changed(at path: ArraySlice<String>, _ change: YAMLChange) -> YAMLValue? {
    guard let step = path.first else { return changed(change) }
    switch self {
    case .mapping(var entries):
      guard let place = entries.firstIndex(where: { $0.key == step }) else {
        guard let value = Self.created(path.dropFirst(), change) else { return nil }
        return .mapping(entries + [Entry(step, value)])
      }
      if path.count == 1, case .remove = change {
        entries.remove(at: place)
      } else {
        guard let value = entries[place].value.changed(at: path.dropFirst(), change) else { return nil }
        entries[place].value = value
      }
      return .mapping(entries)
    case .sequence(var items):
      guard let place = Int(step), place >= 0, place <= items.count else { return nil }
      if place == items.count {
        guard let value = Self.created(path.dropFirst(), change) else { return nil }
        return .sequence(items + [value])
      }
      if path.count == 1, case .remove = change {
        items.remove(at: place)
      } else {
        guard let value = items[place].changed(at: path.dropFirst(), change) else { return nil }
        items[place] = value
      }
      return .sequence(items)
    case .scalar: return isNothing ? Self.created(path, change) : nil
    }
  }

  private func changed(_ change: YAMLChange) -> YAMLValue? {
    switch change {
    case .set(let value): return value
    case .remove: return nil
    case .add(let more, _), .addFirst(let more):
      let entries: [Entry]
      switch self {
      case .mapping(let own): entries = own
      case .scalar where isNothing: entries = []
      default: return nil
      }
      if more.contains(where: { new in entries.contains { $0.key == new.key } }) { return nil }
      if case .addFirst = change { return .mapping(more + entries) }
      return .mapping(entries + more)
    }
  }

  /// What a change makes where nothing was: mappings along the path, one within the other.
  static func created(_ path: ArraySlice<String>, _ change: YAMLChange) -> YAMLValue? {
    let value: YAMLValue
    switch change {
    case .set(let given): value = given
    case .add(let entries, _), .addFirst(let entries): value = .mapping(entries)
    case .remove: return nil
    }
    return path.reversed().reduce(value) { .mapping([Entry($1, $0)]) }
  }
}

/// One change of a file at one path.
package enum YAMLChange: Sendable {
  /// In place of what is there, or in addition where nothing is: at the end of its mapping or list.
  case set(YAMLValue)
  /// New entries at the end of the mapping at the path. `written`: their text as somebody wrote it, to be kept with its
  /// comments where the mapping is written in lines.
  case add([YAMLValue.Entry], written: String? = nil)
  /// New entries in front of all others of the mapping at the path.
  case addFirst([YAMLValue.Entry])
  /// The entry or the item at the path, with the comments that belong to it.
  case remove
}

/// Why an edit is not made; nothing was written.
package struct EditFault: Error, Sendable, Hashable, CustomStringConvertible {
  /// A stable name, lower-case words joined by `_`.
  package var code: String
  /// The place, the reason and the remedy.
  package var message: String
  /// What the file would have been at fault with.
  package var diagnostics: [Diagnostic]

  package init(_ code: String, _ message: String, _ diagnostics: [Diagnostic] = []) {
    self.code = code
    self.message = message
    self.diagnostics = diagnostics
  }

  package var description: String { diagnostics.map(\.description).joined() + message }
}
