// A file of `routes.d` or `presets.d` that a command was given as if it were a whole configuration: told what it is a part of.
import FoundationEssentials

extension ConfigBundle {
  /// The error for a main file that is itself a part: it stands in one of the folders, beside which there is a file, and has no
  /// `version` of its own. Nil for every other.
  var partOfAnother: Diagnostic? {
    let found = Self.folders.compactMap { name in folder.flatMap { Self.above($0, name) }.map { (name, $0) } }.first
    guard let file = files.first, let (name, above) = found, !Self.hasVersion(file.text) else { return nil }
    let there = (try? FileManager.default.contentsOfDirectory(atPath: above.isEmpty ? "." : above)) ?? []
    let mains = there.filter { $0.hasSuffix(".yaml") && !$0.hasPrefix(".") }.sorted()
    guard let main = mains.contains("routes.yaml") ? "routes.yaml" : mains.first else { return nil }
    let source = SourceText(file: path(of: file), text: file.text)
    return Diagnostic(
      .error, "part_of_another", Place(source: source, line: 1, column: 1, length: 1),
      "this is a part of \(above)\(main): the files of '\(name)' are read with the file beside the folder",
      hint: "divert check \(above)\(main)")
  }

  /// The folder that one of this name stands in, as it was written; nil for another folder.
  private static func above(_ folder: String, _ name: String) -> String? {
    if folder.split(separator: "/").last == Substring(name) {
      return String(folder.dropLast(folder.hasSuffix("/") ? name.count + 1 : name.count))
    }
    let isHere = folder.split(separator: "/").allSatisfy { $0 == "." } && !folder.hasPrefix("/")
    let here = FileManager.default.currentDirectoryPath.split(separator: "/").last
    return isHere && here == Substring(name) ? "../" : nil
  }

  private static func hasVersion(_ text: String) -> Bool {
    text.split(whereSeparator: \.isNewline).contains { $0.hasPrefix("version") }
  }
}
