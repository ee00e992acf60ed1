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

  init(bundle: ConfigBundle, files: [ConfigBundle.File], newNames: String?) throws(EditFault) {
    self.bundle = bundle
    self.files = files
    var roots: [YAMLValue] = []
    for file in files {
      let isBare = TextEdit.isBare(file.text)
      roots.append(isBare ? .mapping([]) : try TextEdit.value(of: file.text, file: bundle.path(of: file)))
    }
    self.roots = roots
    home = try Self.home(newNames, files)
  }

  private static func home(_ name: String?, _ files: [ConfigBundle.File]) throws(EditFault) -> Int {
    guard let name else { return 0 }
    if let place = files.firstIndex(where: { $0.name == name || $0.name == "routes.d/\(name)" }) { return place }
    let names = files.map(\.name).joined(separator: ", ")
    throw EditFault("not_found", "'\(name)' is no file of this configuration; there are: \(names)")
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

  // MARK: What orders mean

  private func set(_ path: String, _ value: YAMLValue) throws(EditFault) -> Step {
    if value.isNothing { throw EditFault("no_value", "nothing is given to '\(path)': write \"\" for an empty text") }
    let (file, steps) = try locate(path)
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
    let draft = try TargetDraft(type: type, name: name, given: given)
    let change = YAMLChange.add([draft.entry], written: draft.written)
    return Step(changes: [PlacedChange(file: home, path: ["targets"], change: change)], notes: draft.notes)
  }
}
