// Files of `presets.d` → target types beside the built-in ones. What is wrong in one is reported at its own place, also
// where no target uses it.
import DivertCore

extension LoadContext {
  /// Takes a file of `presets.d` as the target type `name`, as far as it can be read.
  func add(preset name: String, _ source: SourceText) {
    let start = Place(source: source, line: 1, column: 1, length: 1)
    guard isFree(preset: name, start) else { return }
    let (root, faults) = YAMLReader.read(source)
    add(faults)
    guard let root else {
      if faults.isEmpty {
        error(
          "empty", start, "the file is empty", "begin with 'name:' and 'url:'; `divert preset show` prints examples")
      }
      presets.broken.insert(name)
      return
    }
    guard let fields = fields(root, .preset) else {
      presets.broken.insert(name)
      return
    }
    let kept = fields.entries.filter { isFor(preset: $0) }
    let tree = YAMLNode(content: .mapping(kept), place: root.place)
    presets.own[name] = Preset(name: name, source: source, root: tree)
    check(parameters: tree)
  }

  /// A name that is taken, or is none, is reported.
  private func isFree(preset name: String, _ place: Place) -> Bool {
    if name == "http" || Preset.all[name] != nil {
      let message = "there is a target type '\(name)' already: it is built in"
      let remedy = name == "http" ? "" : "; `divert preset show \(name)` prints the built-in one"
      error("preset_exists", place, message, "give the file another name, such as my_\(name).yaml\(remedy)")
      return false
    }
    let node = YAMLNode(content: .mapping([]), place: place)
    let entry = YAMLNode.Entry(key: name, keyPlace: place, value: node)
    if named(YAMLNode(content: .mapping([entry]), place: place), "presets.d").count == 1 { return true }
    presets.broken.insert(name)
    return false
  }

  private func isFor(preset entry: YAMLNode.Entry) -> Bool {
    switch entry.key {
    case "type":
      error("contradictory", entry.keyPlace, "a preset is a type of its own and has no 'type'", "remove it")
    case "name", "doc": return text(entry.value, "'\(entry.key)'") != nil
    default: return true
    }
    return false
  }

  private func check(parameters tree: YAMLNode) {
    var names: Set<String> = []
    defer { check(cases: tree["cases"], parameters: names) }
    guard let node = tree["parameters"] else { return check(references: tree, to: []) }
    for entry in named(node, "'parameters'") {
      names.insert(entry.key)
      guard let fields = fields(entry.value, .parameter) else { continue }
      for name in ["required", "secret"] { _ = fields[name].flatMap { boolean($0, "'\(name)'") } }
      _ = fields["doc"].flatMap { text($0, "'doc'") }
      if fields["required"]?.text == "true", let place = fields.entry("default")?.keyPlace {
        error("contradictory", place, "a parameter with a default is not required", "remove one of the two")
      }
    }
    check(references: tree, to: names)
  }

  /// Every `{{ target.name }}` names a parameter.
  private func check(references node: YAMLNode, to names: Set<String>) {
    for entry in node.entries ?? [] { check(references: entry.value, to: names) }
    for item in node.items ?? [] { check(references: item, to: names) }
    guard let text = node.text, text.contains("target.") else { return }
    var rest = Substring(text)
    while let reference = PresetMerge.reference(in: rest) {
      if !names.contains(reference.name) {
        let offset = text[..<reference.range.lowerBound].unicodeScalars.count
        let length = rest[reference.range].unicodeScalars.count
        let hint = NearestName.hintOrList(reference.name, in: names.sorted()) ?? "declare it under 'parameters:'"
        error(
          "unknown_parameter", ScalarText.place(of: node, offset: offset, length: length),
          "there is no parameter '\(reference.name)'", hint)
      }
      rest = rest[reference.range.upperBound...]
    }
  }

  /// Compiles each preset of the user's that no target uses, as a target with nothing but its defaults: what it says is
  /// checked before the first target needs it.
  func checkPresets() {
    for preset in presets.own.values.sorted(by: { $0.name < $1.name }) where !isUsed(preset) {
      let other = LoadContext(folder: folder)
      (other.zone, other.country, other.tables, other.lookups) = (zone, country, tables, lookups)
      (other.defaults, other.presets) = (defaults, presets)
      let start = Place(source: preset.source, line: 1, column: 1, length: 1)
      let user = YAMLNode(content: .mapping([]), place: start)
      _ = other.target(.init(key: preset.name, keyPlace: start, value: user), preset)
      let needed = ["missing_parameter", "missing_field"]
      add(
        other.diagnostics.filter {
          $0.file == preset.source.file && !(needed.contains($0.code) && $0.line == 1 && $0.column == 1)
        })
    }
  }

  private func isUsed(_ preset: Preset) -> Bool { usedPresets.contains(preset.name) }
}

extension PresetSet {
  /// The target types of a bundle, as far as its files can be read; nothing is reported.
  init(_ bundle: ConfigBundle) {
    let context = LoadContext()
    for file in bundle.files {
      guard let name = file.preset else { continue }
      context.add(preset: name, SourceText(file: bundle.path(of: file), text: file.text, name: file.name))
    }
    self = context.presets
  }
}
