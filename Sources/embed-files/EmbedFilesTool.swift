// Writes text files as Swift: a step of the build, run by the plugin EmbedFiles. Nothing of it is in the product.
import FoundationEssentials

/// `embed-files OUTPUT FILE…`
@main enum EmbedFilesTool {
  static func main() throws {
    let paths = CommandLine.arguments.dropFirst().map(Path.init)
    guard let output = paths.first else { throw Fault.usage }
    var folders: [String: [Path]] = [:]
    for path in paths.dropFirst() { folders[path.folder, default: []].append(path) }
    var text =
      "// Made by embed-files of the files in \(folders.keys.sorted().joined(separator: ", ")): edit those.\n\n"
    text += "/// The texts of each folder's files, by their names without what follows the dot.\nenum EmbeddedFiles {\n"
    for folder in folders.sorted(by: { $0.key < $1.key }) {
      text += "  static let \(folder.key.lowercased()): [String: String] = [\n"
      for path in folder.value { text += "    \(literal(path.name)): \(literal(try path.contents())),\n" }
      text += "  ]\n"
    }
    try (text + "}\n").write(toFile: output.whole, atomically: true, encoding: .utf8)
  }

  enum Fault: Error, CustomStringConvertible {
    case usage
    case notText(String)
    var description: String {
      switch self {
      case .usage: "usage: embed-files OUTPUT FILE…"
      case .notText(let path): "\(path) is not UTF-8: only text can be embedded"
      }
    }
  }

  /// A file's path and its parts.
  struct Path {
    let whole: String
    init(_ whole: String) { self.whole = whole }
    private var parts: [Substring] { whole.split(separator: "/") }
    /// The last folder's name.
    var folder: String { parts.dropLast().last.map(String.init) ?? "" }
    var name: String { parts.last?.split(separator: ".").first.map(String.init) ?? "" }

    func contents() throws -> String {
      let bytes = try Data(contentsOf: URL(filePath: whole))
      guard let text = String(validating: bytes, as: UTF8.self) else { throw Fault.notText(whole) }
      return text
    }
  }

  /// A text as a literal of one line: nothing in it can end it, and line ends stay as they are.
  static func literal(_ text: String) -> String {
    var literal = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\": literal += "\\\\"
      case "\"": literal += "\\\""
      case "\n": literal += "\\n"
      case _
      where scalar.value < 32 || (127..<160).contains(scalar.value) || [0x2028, 0x2029, 0xFEFF].contains(scalar.value):
        literal += "\\u{\(String(scalar.value, radix: 16))}"
      default: literal.unicodeScalars.append(scalar)
      }
    }
    return literal + "\""
  }
}
