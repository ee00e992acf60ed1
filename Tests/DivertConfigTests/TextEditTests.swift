// Edits of a text by value: each style, and what must be refused.
import Testing

@testable import DivertConfig

@Suite struct TextEditTests {
  private static func edit(_ change: YAMLChange, _ path: String, _ text: String) throws -> String {
    let root = try TextEdit.value(of: text, file: "f")
    return try TextEdit.apply(change, at: EditPath.steps(path, in: root), to: text, file: "f").text
  }

  private static func word(_ text: String) -> YAMLChange { .set(.scalar(text, plain: true)) }

  private static func fault(_ change: YAMLChange, _ path: String, _ text: String) -> EditFault? {
    do { _ = try edit(change, path, text) } catch { return error as? EditFault }
    return nil
  }

  /// Path, text, value, text.
  private static let sets: [(String, String, YAMLChange, String)] = [
    ("a.b", "a: { b: 1, c: 2 } # x\n", word("3"), "a: { b: 3, c: 2 } # x\n"),
    ("a.d", "a: { b: 1, c: 2 } # x\n", word("3"), "a: { b: 1, c: 2, d: 3 } # x\n"),
    ("a.d", "a: {}\n", word("3"), "a: { d: 3 }\n"),
    ("a.d.e", "a:\n  b: 1\n\nz: 1\n", word("3"), "a:\n  b: 1\n  d: { e: 3 }\n\nz: 1\n"),
    ("a", "a:   # none yet\nz: 1\n", word("3"), "a: 3   # none yet\nz: 1\n"),
    ("a.b", "a:   # none yet\n  # more\nz: 1\n", word("3"), "a:   # none yet\n  b: 3\n  # more\nz: 1\n"),
    ("a.b", "a: { b: \"x\" }", word("{{ y }}"), "a: { b: \"{{ y }}\" }"),
    ("a", "a: 1\r\nb: 2\r\n", word("+919876543210"), "a: \"+919876543210\"\r\nb: 2\r\n"),
    ("a", "a: 1\n", word("no"), "a: \"no\"\n"),
    ("a", "a: 1\n", word("200/min"), "a: 200/min\n"),
    ("a", "a: 1\n", .set(.text("12")), "a: \"12\"\n"),
    ("a", "a: |  # x\n  one\n  two\nb: 2\n", word("three"), "a: three  # x\nb: 2\n"),
    ("a", "a:  # x\n  - one\n  - two # y\nb: 2\n", word("three"), "a: three  # x\nb: 2\n"),
    (
      "a", "a: 1  # x\nb: 2\n", .set(.mapping([.init("c", .sequence([.mapping([.init("d", .text("e"))])]))])),
      "a:  # x\n  c:\n    - d: e\nb: 2\n"
    ),
    ("a.1", "a:\n- one  # x\n- two\nb: 2\n", word("three"), "a:\n- one  # x\n- three\nb: 2\n"),
    ("a.2", "a:\n- one  # x\n- two\nb: 2\n", word("three"), "a:\n- one  # x\n- two\n- three\nb: 2\n"),
    ("a.1", "a: [one]", word("two, three"), "a: [one, \"two, three\"]"),
    ("a.c", "a: {\n  b: 1  # x\n}\n", word("2"), "a: {\n  b: 1,  # x\n  c: 2\n}\n"),
    ("a.c", "a: {\n  b: 1,  # x\n}\n", word("2"), "a: {\n  b: 1,  # x\n  c: 2,\n}\n"),
    ("a.call.id", "a: { call.id: 1 }\n", word("2"), "a: { call.id: 2 }\n"),
    (
      "when.local.time.between", "when: { event: x }\n", word("08:00-18:00"),
      "when: { event: x, local.time: { between: \"08:00-18:00\" } }\n"
    ),
    ("when.\"a.b\"", "when: { event: x }\n", word("1"), "when: { event: x, a.b: 1 }\n"),
    ("/when/a.b", "when: { event: x }\n", word("1"), "when: { event: x, a.b: 1 }\n"),
  ]

  @Test("a value is set in the style of what is there", arguments: sets)
  func set(path: String, text: String, change: YAMLChange, wanted: String) throws {
    #expect(try Self.edit(change, path, text) == wanted)
    #expect(try Self.edit(change, path, "\u{FEFF}" + text) == "\u{FEFF}" + wanted)
  }

  private static let removals: [(String, String, String)] = [
    ("b", "a: 1\n# of b\nb: 2  # b\n# of c\nc: 3\n", "a: 1\n# of c\nc: 3\n"),
    ("b", "a: 1\n\n# of b\nb:\n  c: 2\n  # in b\n   # in b\n\nd: 3\n", "a: 1\n\nd: 3\n"),
    ("b", "a: 1\n\nb: 2", "a: 1"),
    ("a", "# the head\na: 1\nb: 2\n", "# the head\nb: 2\n"),
    ("a.b", "a:\n  # of b\n  b: 1 # b\nc: 2\n", "a: {}\nc: 2\n"),
    ("a.0", "a:\n- b: 1\n  c: 2\n- d\n", "a:\n- d\n"),
    ("a.0.b", "a:\n- b: 1\n  c: 2\n- d\n", "a:\n- c: 2\n- d\n"),
    ("a.0.b", "a:\n- b: 1 # b\n  # of c\n  c: 2\n", "a:\n-\n  # of c\n  c: 2\n"),
    ("a.b", "a: { b: 1, c: 2 }\n", "a: { c: 2 }\n"),
    ("a.c", "a: { b: 1, c: 2 }\n", "a: { b: 1 }\n"),
    ("a.b", "a: { b: 1 }\n", "a: {}\n"),
    ("a.0", "a: [b,   # of b\n    c]\n", "a: [c]\n"),
    ("a.0", "a: [b,   # of b\n    # of c\n    c]\n", "a: [\n    # of c\n    c]\n"),
    ("a.1", "a: [b, c,  # of both\n    d]\n", "a: [b,   # of both\n    d]\n"),
    ("a.0", "a: [b,   # of b\n]\n", "a: [\n]\n"),
    ("a.b", "a: { b: 1,   # of b\n  c: 2 }  # of a\n", "a: { c: 2 }  # of a\n"),
    ("a.c", "a: {\n  b: 1,\n  # of c\n  c: 2, # c\n  d: 3\n}\n", "a: {\n  b: 1,\n  d: 3\n}\n"),
  ]

  @Test("what is removed takes its own comments along and nothing else", arguments: removals)
  func remove(path: String, text: String, wanted: String) throws {
    #expect(try Self.edit(.remove, path, text) == wanted)
  }

  @Test("lines that somebody wrote are put in place with their comments")
  func written() throws {
    let entry = YAMLValue.Entry("k", .mapping([.init("a", .text("b"))]))
    let change = YAMLChange.add([entry], written: "\n   # of n\n   k:   # n\n      a: b\n\n")
    #expect(
      try Self.edit(change, "r", "r:\n    m: 1\nz: 1\n")
        == "r:\n    m: 1\n    # of n\n    k:   # n\n       a: b\nz: 1\n")
    #expect(try Self.edit(change, "r", "r: {}\nz: 1\n") == "r:\n  # of n\n  k:   # n\n     a: b\nz: 1\n")
    #expect(try Self.edit(change, "r", "z: 1\n") == "z: 1\nr:\n  # of n\n  k:   # n\n     a: b\n")
    let inline = try Self.edit(change, "r", "r: { m: 1 }\r\n")
    #expect(inline == "r: { m: 1, k: { a: b } }\r\n")
    let begun = try TextEdit.apply(change, at: ["r"], to: "# nothing yet", file: "f").text
    #expect(begun == "# nothing yet\nr:\n  # of n\n  k:   # n\n     a: b\n")
  }

  @Test("a text that would be another value elsewhere keeps its meaning where it is added")
  func snippetsOfAnotherMeaning() throws {
    let entry = YAMLValue.Entry("k", .text("b"))
    let lie = YAMLChange.add([entry], written: "k: c\n")
    #expect(Self.fault(lie, "r", "r:\n  m: 1\n")?.code == "not_spliceable")
  }

  @Test("what an alias repeats is not edited, and no anchor that is named goes")
  func aliases() throws {
    let text = "a: &x { b: 1 }\nc: *x\nd: &y 1\n"
    #expect(Self.fault(Self.word("2"), "a.b", text)?.code == "aliased")
    #expect(Self.fault(Self.word("2"), "c.b", text)?.code == "aliased")
    #expect(Self.fault(Self.word("2"), "a", text)?.code == "aliased")
    #expect(Self.fault(.remove, "a", text)?.code == "aliased")
    #expect(try Self.edit(Self.word("2"), "c", text) == "a: &x { b: 1 }\nc: 2\nd: &y 1\n")
    #expect(try Self.edit(.remove, "c", text) == "a: &x { b: 1 }\nd: &y 1\n")
    #expect(try Self.edit(Self.word("2"), "d", text) == "a: &x { b: 1 }\nc: *x\nd: 2\n")
  }

  @Test("keys with '?' or an anchor of their own, broken files and paths to nowhere are refused with the reason")
  func refusals() {
    #expect(Self.fault(Self.word("2"), "a", "? a\n: 1\nb: 2\n")?.code == "unusual_yaml")
    #expect(Self.fault(Self.word("2"), "b", "&k a: 1\nb: 2\n")?.code == "unusual_yaml")
    #expect(Self.fault(Self.word("2"), "a.b", "a: 1\n")?.code == "not_found")
    #expect(Self.fault(.remove, "a.b", "a: { c: 1 }\n")?.code == "not_found")
    #expect(Self.fault(Self.word("2"), "a.7", "a: [1]\n")?.code == "not_found")
    #expect(Self.fault(Self.word("2"), "a..b", "a: 1\n")?.code == "bad_path")
    let broken = Self.fault(Self.word("2"), "a", "a: [1\n")
    #expect(broken?.code == "unreadable")
    #expect(broken?.diagnostics.count == 1)
  }

  @Test("the diff shows each place with three lines around it")
  func diff() {
    let old = (1...20).map { "line \($0)\n" }.joined()
    let new = old.replacing("line 3\n", with: "").replacing("line 18\n", with: "line 18\nmore") + "end"
    let diff = UnifiedDiff.make(old, new, file: "f")
    #expect(diff.hasPrefix("--- f\n+++ f\n@@ -1,6 +1,5 @@\n line 1\n line 2\n-line 3\n line 4\n"))
    #expect(diff.hasSuffix("+end\n\\ No newline at end of file\n"))
    #expect(UnifiedDiff.make(old, old, file: "f") == "")
  }
}
