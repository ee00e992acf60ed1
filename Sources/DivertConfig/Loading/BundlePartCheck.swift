// A file of `routes.d` that a command was given as if it were a whole configuration: told what it is a part of.
import FoundationEssentials

extension ConfigBundle {
  /// The error for a main file that is itself a part: it stands in `routes.d`, beside which there is a file, and has no
  /// `version` of its own. Nil for every other.
  var partOfAnother: Diagnostic? {
    guard let file = files.first, let above = folder.flatMap(Self.folderAbove), !Self.hasVersion(file.text) else {
      return nil
    }
    let there = (try? FileManager.default.contentsOfDirectory(atPath: above.isEmpty ? "." : above)) ?? []
    let mains = there.filter { $0.hasSuffix(".yaml") && !$0.hasPrefix(".") }.sorted()
    guard let name = mains.contains("routes.yaml") ? "routes.yaml" : mains.first else { return nil }
    let source = SourceText(file: path(of: file), text: file.text)
    return Diagnostic(
      .error, "part_of_another", Place(source: source, line: 1, column: 1, length: 1),
      "this is a part of \(above)\(name): the files of 'routes.d' are read with the file beside the folder",
      hint: "divert check \(above)\(name)")
  }

  /// The folder that a `routes.d` stands in, as it was written; nil for another folder.
  private static func folderAbove(_ folder: String) -> String? {
    if folder.split(separator: "/").last == Substring(folderName) {
      return String(folder.dropLast(folder.hasSuffix("/") ? folderName.count + 1 : folderName.count))
    }
    let isHere = folder.split(separator: "/").allSatisfy { $0 == "." } && !folder.hasPrefix("/")
    let here = FileManager.default.currentDirectoryPath.split(separator: "/").last
    return isHere && here == Substring(folderName) ? "../" : nil
  }

  private static func hasVersion(_ text: String) -> Bool {
    text.split(whereSeparator: \.isNewline).contains { $0.hasPrefix("version") }
  }
}
