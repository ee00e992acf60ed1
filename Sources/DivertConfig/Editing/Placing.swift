// Finds the file of the bundle in which a thing stands, and the change there that an order means.
import DivertCore

struct Placing {
  private let bundle: ConfigBundle
  private let files: [ConfigBundle.File]
  private let roots: [YAMLValue]
  /// Where new names go.
  private let home: Int

  struct Step {
    /// To be made one after the other.
    var changes: [PlacedChange]
    /// In their place where one of them cannot be made.
    var instead: PlacedChange?
    var notes: [String] = []
  }

  /// - Parameter home: the name of the one of `files` that new names go to.
  init(bundle: ConfigBundle, files: [ConfigBundle.File], home: String) throws(EditFault) {
    self.bundle = bundle
    self.files = files
    var roots: [YAMLValue] = []
    for file in files {
      // What a preset says is not the configuration's own.
      let isBare = file.preset != nil || TextEdit.isBare(file.text)
      roots.append(isBare ? .mapping([]) : try TextEdit.value(of: file.text, file: bundle.path(of: file)))
    }
    self.roots = roots
    self.home = files.firstIndex { $0.name == home } ?? 0
  }

  /// The name of the file that new names go to, by the name that somebody gave; it may be that of a file to be made.
  static func home(_ name: String?, _ all: [ConfigBundle.File]) throws(EditFault) -> String {
    guard let name else { return all[0].name }
    let files = all.filter { $0.preset == nil }
    let folder = ConfigBundle.folderName + "/"
    let full = name.hasPrefix(folder) ? name : folder + name
    if files.contains(where: { $0.name == name }) { return name }
    let own = full.dropFirst(folder.count)
    if own.hasSuffix(".yaml"), !own.hasPrefix("."), !own.contains("/"), own.count > 5 { return full }
    let names = files.map(\.name).joined(separator: ", ")
    throw EditFault(
      "not_found",
      "'\(name)' cannot be a file of this configuration: give one of \(names), or a new one such as routes.d/west.yaml")
  }

  func change(_ order: ConfigOrder) throws(EditFault) -> Step {
    switch order {
    case .set(let path, let value): return try set(path, value)
    case .unset(let path): return try unset(path)
    case .addRoutes(let entries, let written, let under): return try add(entries, written, under: under)
    case .removeRoute(let name): return try remove(route: name)
    case .enableRoute(let name): return try enable(name)
    case .disableRoute(let name): return try disable(name)
    case .addTarget(let type, let name, let with): return try addTarget(type, name, with)
    case .removeTarget(let name):
      return Step(changes: [PlacedChange(file: try file(target: name), path: ["targets", name], change: .remove)])
    }
  }

  // MARK: Where things stand

  /// The file with this name in this section; nil where none has it.
  private func file(_ section: String, _ name: String) -> Int? {
    roots.firstIndex { $0.at([section, name]) != nil }
  }

  private func names(_ section: String) -> [String] { roots.flatMap { ($0[section]?.entries ?? []).map(\.key) } }

  private func file(target name: String) throws(EditFault) -> Int {
    if let file = file("targets", name) { return file }
    let hint = NearestName.hintOrList(name, in: names("targets")).map { "; \($0)" } ?? ""
    throw EditFault("not_found", "there is no target '\(name)'\(hint)")
  }

  /// A route's file, steps and value.
  private func find(route path: String) throws(EditFault) -> (file: Int, steps: [String], value: YAMLValue) {
    let steps = EditPath.route(path)
    if steps.count > 1, let file = file("routes", steps[1]), let value = roots[file].at(steps) {
      return (file, steps, value)
    }
    let hint = NearestName.hintOrList(path, in: routePaths).map { "; \($0)" } ?? ""
    throw EditFault("not_found", "there is no route '\(path)'\(hint)")
  }

  private var routePaths: [String] {
    func paths(_ value: YAMLValue?, _ prefix: String) -> [String] {
      (value?.entries ?? []).flatMap { [prefix + $0.key] + paths($0.value["also"], prefix + $0.key + "/") }
    }
    return roots.flatMap { paths($0["routes"], "") }
  }

  /// The file that a path leads into, and its steps there.
  private func locate(_ path: String) throws(EditFault) -> (file: Int, steps: [String]) {
    for (index, root) in roots.enumerated() {
      let steps = try EditPath.steps(path, in: root)
      if root.at(steps.prefix(2)) != nil { return (index, steps) }
    }
    let steps = try EditPath.steps(path, in: roots[home])
    return (home, steps)
  }

  private static let sections: [(name: String, thing: String, maker: String)] = [
    ("routes", "route", "`divert routes add` makes a new one"),
    ("targets", "target", "`divert targets add` makes a new one"),
    ("sources", "source", "set 'sources.NAME' as a whole to make a new one"),
    ("tables", "table", "set 'tables.NAME' as a whole to make a new one"),
    ("tests", "test", "set 'tests.NAME' as a whole to make a new one"),
  ]

  /// What has a name must be there, or a misspelt name would make a second one beside it.
  /// - Parameter whole: the sections where that also goes for a path that ends at the name.
  private func requireHolders(_ steps: [String], whole: [String]) throws(EditFault) {
    guard let section = Self.sections.first(where: { $0.name == steps.first }), steps.count > 1 else { return }
    if steps.count == 2, !whole.contains(section.name) { return }
    if section.name == "routes" { return try requireRoutes(steps) }
    if file(section.name, steps[1]) != nil { return }
    throw missing(section.thing, steps[1], names(section.name), section.maker)
  }

  /// The route that the path leads into, with those above it.
  private func requireRoutes(_ steps: [String]) throws(EditFault) {
    var path: [String] = []
    var rest = steps[...]
    while rest.count > 1, rest.first == (path.isEmpty ? "routes" : "also") {
      path.append(rest[rest.startIndex + 1])
      rest = rest.dropFirst(2)
      let route = path.joined(separator: "/")
      if !routePaths.contains(route) { throw missing("route", route, routePaths, Self.sections[0].maker) }
    }
  }

  private func missing(_ thing: String, _ name: String, _ names: [String], _ maker: String) -> EditFault {
    let hint = NearestName.hintOrList(name, in: names).map { "; \($0)" } ?? ""
    return EditFault("not_found", "there is no \(thing) '\(name)'\(hint) (\(maker))")
  }

  // MARK: What orders mean

  private func set(_ path: String, _ value: YAMLValue) throws(EditFault) -> Step {
    if value.isNothing { throw EditFault("no_value", "nothing is given to '\(path)': write \"\" for an empty text") }
    let (file, steps) = try locate(path)
    try requireHolders(steps, whole: ["routes", "targets"])
    let whole = PlacedChange(file: file, path: steps, change: .set(value))
    guard let old = roots[file].at(steps) else { return Step(changes: [whole]) }
    if old.means(value) { return Step(changes: [], notes: ["'\(path)' is so already"]) }
    let changes = Reconciling.changes(from: old, to: value, at: steps).map { place, change in
      PlacedChange(file: file, path: place, change: change)
    }
    return Step(changes: changes, instead: whole)
  }

  private func unset(_ path: String) throws(EditFault) -> Step {
    let (file, steps) = try locate(path)
    try requireHolders(steps, whole: Self.sections.map(\.name))
    guard roots[file].at(steps) != nil else { throw EditFault("not_found", "there is no '\(path)' in the file") }
    return Step(changes: [PlacedChange(file: file, path: steps, change: .remove)])
  }

  private func add(_ entries: [YAMLValue.Entry], _ written: String?, under parent: String?) throws(EditFault) -> Step {
    var file = home
    var path = ["routes"]
    var siblings = names("routes")
    if let parent {
      let found = try find(route: parent)
      (file, path) = (found.file, found.steps + ["also"])
      siblings = (found.value["also"]?.entries ?? []).map(\.key)
    }
    for entry in entries where siblings.contains(entry.key) {
      let name = (parent.map { $0 + "/" } ?? "") + entry.key
      throw EditFault(
        "exists", "there is a route '\(name)' already: choose another name, or change it with 'routes set'")
    }
    return Step(changes: [PlacedChange(file: file, path: path, change: .add(entries, written: written))])
  }

  /// With the last route of `also` goes `also` itself.
  private func remove(route name: String) throws(EditFault) -> Step {
    let (file, steps, _) = try find(route: name)
    let parent = steps.dropLast()
    let isOnly = roots[file].at(parent)?.entries?.count == 1 && parent.last == "also"
    return Step(changes: [PlacedChange(file: file, path: isOnly ? Array(parent) : steps, change: .remove)])
  }

  private func enable(_ name: String) throws(EditFault) -> Step {
    let (file, steps, value) = try find(route: name)
    guard value["enabled"] == .scalar("false", plain: true) else {
      return Step(changes: [], notes: ["route '\(name)' is enabled already"])
    }
    return Step(changes: [PlacedChange(file: file, path: steps + ["enabled"], change: .remove)])
  }

  private func disable(_ name: String) throws(EditFault) -> Step {
    let (file, steps, value) = try find(route: name)
    let no = YAMLValue.scalar("false", plain: true)
    if value["enabled"] == no { return Step(changes: [], notes: ["route '\(name)' is disabled already"]) }
    if value["enabled"] != nil {
      return Step(changes: [PlacedChange(file: file, path: steps + ["enabled"], change: .set(no))])
    }
    return Step(changes: [PlacedChange(file: file, path: steps, change: .addFirst([.init("enabled", no)]))])
  }

  private func addTarget(_ type: String, _ name: String, _ given: [YAMLValue.Entry]) throws(EditFault) -> Step {
    if file("targets", name) != nil {
      throw EditFault(
        "exists", "there is a target '\(name)' already: choose another name, or change it with 'targets set'")
    }
    let draft = try TargetDraft(type: type, name: name, given: given, presets: PresetSet(bundle))
    let change = YAMLChange.add([draft.entry], written: draft.written)
    return Step(changes: [PlacedChange(file: home, path: ["targets"], change: change)], notes: draft.notes)
  }
}
