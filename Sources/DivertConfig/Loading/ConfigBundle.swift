// A configuration as texts: the main file and the files of `routes.d` and `presets.d` beside it. It is named, stored,
// checked and swapped as one.
import DivertCore

/// The texts of a configuration, before anything in them is understood.
package struct ConfigBundle: Sendable, Hashable {
  package struct File: Sendable, Hashable {
    /// From the main file's folder: `routes.yaml`, `routes.d/west.yaml`, `presets.d/acme.yaml`.
    package var name: String
    package var text: String

    /// The target type that a file of `presets.d` describes; nil for every other file.
    package var preset: String? {
      let folder = ConfigBundle.presetFolder + "/"
      guard name.hasPrefix(folder), name.hasSuffix(".yaml") else { return nil }
      return String(name.dropFirst(folder.count).dropLast(".yaml".count))
    }

    package init(name: String, text: String) {
      self.name = name
      self.text = text
    }
  }

  /// The main file, then the others by name (by the bytes of the names, so the same everywhere).
  package let files: [File]
  /// What stands before the names to make paths, with its last `/`: empty for the working folder. Nil: the texts come
  /// from the store, and the files that they name are not looked for.
  package let folder: String?

  package init(main: File, more: [File] = [], folder: String? = nil) {
    files = [main] + more.sorted { Array($0.name.utf8).lexicographicallyPrecedes(Array($1.name.utf8)) }
    self.folder = folder
  }

  package var main: File { files[0] }

  /// Where a file of the bundle lies, as diagnostics name it.
  package func path(of file: File) -> String { (folder ?? "") + file.name }

  /// The configuration's version: a hash over all names and texts but the main file's name, so that a copy elsewhere
  /// is the same configuration. Alone, it is the hash of the main file's text.
  package var version: String { ContentHash.short(encoded) }
}

// One text for the store: the main file's own where it is alone, else all of them behind a head line that no file of the
// language can begin with.
extension ConfigBundle {
  private static let mark = "%divert-bundle "

  /// All texts as one, from which `init(encoded:name:)` makes them again.
  package var encoded: String {
    if files.count == 1, !main.text.hasPrefix(Self.mark) { return main.text }
    let head = files.map { file in
      JSONValue.object([
        "name": file.name == main.name ? .null : .string(file.name), "bytes": .number(file.text.utf8.count),
      ])
    }
    return Self.mark + String(decoding: JSONValue.array(head).encoded(), as: UTF8.self) + "\n"
      + files.map(\.text).joined()
  }

  /// The bundle that `encoded` made. `name`: the main file's name from now on. A text that was not made so is the main
  /// file, alone.
  package init(encoded text: String, name: String) {
    self = Self.decode(text, name) ?? ConfigBundle(main: File(name: name, text: text))
  }

  private static func decode(_ text: String, _ name: String) -> ConfigBundle? {
    guard text.hasPrefix(mark), let end = text.utf8.firstIndex(of: 10) else { return nil }
    guard let head = try? JSONValue.parse(Array(text[..<end].utf8.dropFirst(mark.utf8.count))).array else { return nil }
    var rest = text.utf8[text.utf8.index(after: end)...]
    var files: [File] = []
    for entry in head {
      guard let bytes = entry["bytes"]?.integer.flatMap(Int.init(exactly:)), bytes >= 0, bytes <= rest.count,
        let part = String(validating: rest.prefix(bytes), as: UTF8.self)
      else { return nil }
      files.append(File(name: entry["name"]?.string ?? name, text: part))
      rest = rest.dropFirst(bytes)
    }
    guard let main = files.first, rest.isEmpty else { return nil }
    return ConfigBundle(main: main, more: Array(files.dropFirst()))
  }
}
