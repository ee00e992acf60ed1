// What changed between two configurations, file by file, as `diff -u` prints it.

import DivertConfig
import DivertStore

enum TextDiff {
  /// All files of both; empty where nothing differs. The first file of each is the main file, under the newer one's name.
  static func of(_ old: [ConfigText], _ new: [ConfigText]) -> String {
    var text = ""
    if let main = new.first { text += UnifiedDiff.make(old.first?.text ?? "", main.text, file: main.name) }
    let (before, after) = (byName(old), byName(new))
    for name in Set(before.keys).union(after.keys).sorted() {
      text += UnifiedDiff.make(before[name] ?? "", after[name] ?? "", file: name)
    }
    return text
  }

  private static func byName(_ texts: [ConfigText]) -> [String: String] {
    Dictionary(texts.dropFirst().map { ($0.name, $0.text) }) { first, _ in first }
  }
}
