// Over thousands of generated files and edits: the bytes around an edit stay, the comments stay, and the file means what
// it meant plus the edit.
import Testing

@testable import DivertConfig

/// A random edit of a file, and what it must make of the file's meaning.
private struct RandomEdit {
  var change: YAMLChange
  var path: [String]

  init(_ root: YAMLValue, _ random: inout Seeded) {
    var paths: [(path: [String], value: YAMLValue)] = []
    Self.collect(root, [], &paths)
    let picked = paths.randomElement(using: &random) ?? ([], root)
    path = picked.path
    switch Int.random(in: 0..<8, using: &random) {
    case 0, 1: change = .remove
    case 2: change = .set(Self.value(&random, depth: 0))
    case 3: change = .set(Self.scalar(&random))
    case 4:
      change = .add(Self.entries(&random))
      if Bool.random(using: &random) {
        change = .add(
          [.init("new0", .mapping([.init("a", .scalar("b", plain: true))]))], written: "# n1n\nnew0: # n2n\n   a: b\n")
      }
      if case .sequence = picked.value { change = .set(Self.value(&random, depth: 0)) }
      if case .scalar = picked.value, !picked.value.isNothing { change = .remove }
    case 5:
      change = .addFirst(Self.entries(&random))
      if case .mapping = picked.value {} else { change = .remove }
    default:
      change = .set(Self.value(&random, depth: 0))
      switch picked.value {
      case .mapping: path += ["new0"] + (Bool.random(using: &random) ? ["new1"] : [])
      case .sequence(let items): path += ["\(items.count)"]
      case .scalar: break
      }
    }
  }

  private static func collect(_ value: YAMLValue, _ path: [String], _ paths: inout [(path: [String], value: YAMLValue)])
  {
    if !path.isEmpty { paths.append((path, value)) }
    switch value {
    case .scalar: break
    case .mapping(let entries): for entry in entries { collect(entry.value, path + [entry.key], &paths) }
    case .sequence(let items): for (index, item) in items.enumerated() { collect(item, path + ["\(index)"], &paths) }
    }
  }

  private static func scalar(_ random: inout Seeded) -> YAMLValue {
    let texts = [
      "word", "+919876543210", "919876543210", "no", "{{ x }} text", "", " blank ", "a: b", "a # b", "12", "true",
      "null",
      "none", "08:00", "- x", "it's", "\"", "'\"", "*a", "&a", "tab\t", "line\nbreak", "नमस्ते 😀", "{", "]", "200/min",
      "a,b",
      "\\", "~", "<<", "=", "%", "@x", "`x", "trailing:", ":x", "?x", "--- x", "1e5", ".5", "0x1F", "\u{85}",
    ]
    let text = texts.randomElement(using: &random) ?? ""
    return .scalar(text, plain: !text.isEmpty && Bool.random(using: &random))
  }

  private static func entries(_ random: inout Seeded) -> [YAMLValue.Entry] {
    (0..<Int.random(in: 1...2, using: &random)).map { .init("new\($0)", value(&random, depth: 1)) }
  }

  private static func value(_ random: inout Seeded, depth: Int) -> YAMLValue {
    switch Int.random(in: 0..<(depth > 2 ? 2 : 4), using: &random) {
    case 0, 1:
      return scalar(&random)
    case 2:
      let names = ["a", "b.c", "no", "12", "a b", "{{ x }}", "x:", "#"].shuffled(using: &random)
      return .mapping(
        names.prefix(Int.random(in: 0...3, using: &random)).map { .init($0, value(&random, depth: depth + 1)) })
    default:
      return .sequence((0..<Int.random(in: 0...3, using: &random)).map { _ in value(&random, depth: depth + 1) })
    }
  }

  /// The model: the tree with the edit made.
  func model(_ value: YAMLValue, _ path: ArraySlice<String>) -> YAMLValue {
    guard let step = path.first else {
      switch change {
      case .set(let new): return new
      case .add(let new, _): return .mapping(Self.own(value) + new)
      case .addFirst(let new): return .mapping(new + Self.own(value))
      case .remove: return value
      }
    }
    let isLast = path.count == 1
    if case .sequence(var items) = value, let index = Int(step) {
      if isLast, case .remove = change {
        items.remove(at: index)
      } else if index == items.count {
        items.append(model(.mapping([]), path.dropFirst()))
      } else {
        items[index] = model(items[index], path.dropFirst())
      }
      return .sequence(items)
    }
    var entries = Self.own(value)
    if let place = entries.firstIndex(where: { $0.key == step }) {
      if isLast, case .remove = change {
        entries.remove(at: place)
      } else {
        entries[place].value = model(entries[place].value, path.dropFirst())
      }
    } else {
      entries.append(.init(step, model(.mapping([]), path.dropFirst())))
    }
    return .mapping(entries)
  }

  private static func own(_ value: YAMLValue) -> [YAMLValue.Entry] {
    if case .mapping(let entries) = value { entries } else { [] }
  }

  /// The comments that the edit may take with it.
  func losses(_ file: GeneratedFile) -> Set<Int> {
    switch change {
    case .remove: file.owned[path] ?? []
    case .set: file.inside[path] ?? []
    case .add, .addFirst: []
    }
  }
}

@Suite struct EditPropertyTests {
  private static func endsOpen(_ text: String) -> Bool { text.unicodeScalars.last != "\n" }

  private static func comments(_ text: String) -> Set<Int> {
    Set(
      text.split(separator: "# c", omittingEmptySubsequences: false).dropFirst().compactMap {
        Int($0.prefix { $0.isNumber })
      })
  }

  private static func check(_ edited: EditedText, of text: String, _ label: String) throws {
    // Going through both texts: between the splices they are equal.
    let old = Array(TextEdit.split(text).bare.unicodeScalars)
    var new = Array(TextEdit.split(edited.text).bare.unicodeScalars)[...]
    var from = 0
    for splice in edited.splices.sorted(by: { $0.range.lowerBound < $1.range.lowerBound }) {
      #expect(splice.range.lowerBound >= from, "splices overlap; \(label)")
      let same = old[from..<splice.range.lowerBound]
      #expect(Array(new.prefix(same.count)) == Array(same), "\(label)")
      new = new.dropFirst(same.count + splice.text.unicodeScalars.count)
      from = splice.range.upperBound
    }
    #expect(Array(new) == Array(old[from...]), "\(label)")
    #expect(TextEdit.split(edited.text).mark == TextEdit.split(text).mark)
  }

  @Test("an edit keeps every byte and every comment around it, and means itself", arguments: UInt64(1)...20)
  func edits(block: UInt64) throws {
    var made = 0
    for number in 0..<120 {
      let seed = block * 1000 + UInt64(number)
      var (file, random) = EditGenerator.make(seed: seed)
      guard let before = try? TextEdit.value(of: file.text, file: "f") else { continue }
      for _ in 0..<3 {
        let edit = RandomEdit(before, &random)
        let label = "seed \(seed): \(edit.change) at \(edit.path) of\n\(file.text)"
        guard let edited = Self.attempt(edit, file.text, before, label) else { continue }
        made += 1
        let after = try TextEdit.value(of: edited.text, file: "f")
        #expect(after.means(edit.model(before, edit.path[...])), "\(label)\ngave\n\(edited.text)")
        try Self.check(edited, of: file.text, label)
        let kept = Self.comments(file.text).subtracting(edit.losses(file))
        let lost = kept.subtracting(Self.comments(edited.text))
        #expect(lost.isEmpty, "lost \(lost); \(label)\ngave\n\(edited.text)")
        if case .remove = edit.change {
          let left = Self.comments(edited.text).intersection(edit.losses(file))
          #expect(left.isEmpty, "left \(left); \(label)\ngave\n\(edited.text)")
        }
      }
    }
    #expect(made > 300, "only \(made) edits were made")
  }

  /// The edit made; nil where it would say the same (which is no edit), or take the file's last entry.
  private static func attempt(_ edit: RandomEdit, _ text: String, _ before: YAMLValue, _ label: String) -> EditedText? {
    do { return try TextEdit.apply(edit.change, at: edit.path, to: text, file: "f") } catch {
      if case .mapping(let entries) = before, entries.count == 1, edit.path.count == 1 { return nil }
      if endsOpen(text) { return nil }
      Issue.record("\(error); \(label)")
      return nil
    }
  }

  @Test("what is added and removed again leaves the file as it was", arguments: UInt64(1)...10)
  func thereAndBack(block: UInt64) throws {
    for number in 0..<60 {
      let file = EditGenerator.make(seed: block * 7919 + UInt64(number)).file
      guard (try? TextEdit.value(of: file.text, file: "f")) != nil else { continue }
      let entry = YAMLValue.Entry(
        "added", .mapping([.init("a", .sequence([.text("b"), .mapping([.init("c", .text("d"))])]))]))
      // Behind a block's text nothing can be added where the file's last line has no break.
      if Self.endsOpen(file.text) { continue }
      let more = try TextEdit.apply(.add([entry]), at: [], to: file.text, file: "f")
      let back = try TextEdit.apply(.remove, at: ["added"], to: more.text, file: "f")
      #expect(back.text == file.text, "\(more.text)")
    }
  }

  private static let pieces = [
    "{{", "}}", "{", "}", "[", "]", ":", ": ", "\n", "\n  ", "- ", "\"", "'", "|", ">", "&a ", "*a", "? ", "#", " # ",
    "\t", "\n\t", ", ", "---\n", "...\n", "\u{85}", "\u{2028}", "\u{feff}", "\r", "\\", "|+\n", "key0", "😀",
  ]

  @Test(
    "of hostile texts, too, an edit is made as it is meant or refused; fmt mends them once or not at all",
    arguments: UInt64(1)...10)
  func hostile(block: UInt64) throws {
    for number in 0..<50 {
      var (file, random) = EditGenerator.make(seed: block * 104_729 + UInt64(number))
      var scalars = Array(file.text.unicodeScalars)
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        let place = Int.random(in: 0...scalars.count, using: &random)
        if Bool.random(using: &random) { scalars.removeSubrange(place..<min(scalars.count, place + 3)) }
        let piece = Self.pieces.randomElement(using: &random) ?? ""
        scalars.insert(contentsOf: piece.unicodeScalars, at: min(place, scalars.count))
      }
      var view = String.UnicodeScalarView()
      view.append(contentsOf: scalars)
      file.text = String(view)
      try Self.attack(file.text, &random)
    }
  }

  private static func attack(_ text: String, _ random: inout Seeded) throws {
    let bundle = ConfigBundle(main: .init(name: "f", text: text))
    let formatted = ConfigFormatter.format(bundle)[0]
    guard let before = try? TextEdit.value(of: text, file: "f") else {
      guard let mended = formatted.text else { return }
      #expect((try? TextEdit.value(of: mended, file: "f")) != nil, "\(text)")
      #expect(ConfigFormatter.format(ConfigBundle(main: .init(name: "f", text: mended)))[0].text == nil, "\(text)")
      return
    }
    #expect(formatted.text == nil, "\(text)")
    for _ in 0..<3 {
      let edit = RandomEdit(before, &random)
      guard let edited = try? TextEdit.apply(edit.change, at: edit.path, to: text, file: "f") else { continue }
      let after = try TextEdit.value(of: edited.text, file: "f")
      #expect(after.means(edit.model(before, edit.path[...])), "\(edit) of\n\(text)")
      try check(edited, of: text, text)
    }
  }
}
