// The roots of a bundle's files → one: the sections that are maps of names, joined by name.
import DivertCore

/// What a file of a bundle says.
struct BundlePart {
  var start: Place
  var root: YAMLNode
}

extension LoadContext {
  /// The main file's fields, with those of the further files joined to them. Nil where the main file is no mapping.
  func merged(_ main: BundlePart, _ more: [BundlePart]) -> Fields? {
    let own = fields(main.root, .file, name: main.start)
    let others = more.compactMap { part -> Fields? in
      guard let entries = part.root.entries else { return fields(part.root, .routesFile) }
      let kept = entries.filter { isForRoutesFile($0) }
      return fields(YAMLNode(content: .mapping(kept), place: part.root.place), .routesFile)
    }
    guard let own, !others.isEmpty else { return own }
    var entries = own.entries
    for name in Language.routesFile.fields.map(\.name) {
      let given = ([own] + others).compactMap { $0.entry(name) }
      guard given.count > 1 || own[name] == nil, let section = section(given, name) else { continue }
      entries.removeAll { $0.key == name }
      entries.append(section)
    }
    return Fields(node: own.node, entries: entries)
  }

  private func isForRoutesFile(_ entry: YAMLNode.Entry) -> Bool {
    guard Language.file.field(entry.key) != nil, Language.routesFile.field(entry.key) == nil else { return true }
    error(
      "main_file_only", entry.keyPlace, "'\(entry.key)' cannot stand in a file of routes.d",
      "move it to the main file")
    return false
  }

  /// One section, given in several files. Nil where there is none.
  private func section(_ given: [YAMLNode.Entry], _ name: String) -> YAMLNode.Entry? {
    guard let first = given.first else { return nil }
    var entries: [YAMLNode.Entry] = []
    var places: [String: Place] = [:]
    for part in given {
      guard let names = part.value.entries else {
        error("not_a_mapping", part.value.place, "'\(name)' must be a mapping of names, not \(part.value.kindName)")
        continue
      }
      for entry in names {
        if let place = places[entry.key] {
          reportTwice(entry, name, place)
        } else {
          places[entry.key] = entry.keyPlace
          entries.append(entry)
        }
      }
    }
    let place = given.first { $0.value.entries != nil }?.value.place ?? first.value.place
    return .init(
      key: name, keyPlace: first.keyPlace, value: YAMLNode(content: .mapping(entries), place: place))
  }

  private func reportTwice(_ entry: YAMLNode.Entry, _ section: String, _ first: Place) {
    let message = "'\(entry.key)' stands in '\(section)' twice, in two files"
    error(
      "name_given_twice", entry.keyPlace, message, "remove or rename one of the two",
      notes: [.init(first, "the first is here")])
  }
}
