// What an edit changed, as a unified diff.

package enum UnifiedDiff {
  /// The lines that differ with three lines around them, headed by the file's name; empty for equal texts.
  package static func make(_ old: String, _ new: String, file: String) -> String {
    if old == new { return "" }
    let (before, after) = (pieces(old), pieces(new))
    let steps = script(before, after)
    var text = "--- \(file)\n+++ \(file)\n"
    for hunk in hunks(steps) { text += show(Array(steps[hunk])) }
    return text
  }

  private enum Step {
    case same(old: Int, new: Int, String)
    case gone(old: Int, String)
    case come(new: Int, String)

    var isSame: Bool { if case .same = self { true } else { false } }
  }

  /// Lines with their breaks, so that another kind of break is a difference.
  private static func pieces(_ text: String) -> [String] {
    var pieces: [String] = []
    var piece = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      piece.append(scalar)
      guard scalar == "\n" else { continue }
      pieces.append(String(piece))
      piece = String.UnicodeScalarView()
    }
    return piece.isEmpty ? pieces : pieces + [String(piece)]
  }

  private static func script(_ old: [String], _ new: [String]) -> [Step] {
    let difference = new.difference(from: old)
    var removed: Set<Int> = []
    var inserted: Set<Int> = []
    for change in difference {
      switch change {
      case .remove(let offset, _, _): removed.insert(offset)
      case .insert(let offset, _, _): inserted.insert(offset)
      }
    }
    var steps: [Step] = []
    var (from, to) = (0, 0)
    while from < old.count || to < new.count {
      if removed.contains(from) {
        steps.append(.gone(old: from, old[from]))
        from += 1
      } else if inserted.contains(to) {
        steps.append(.come(new: to, new[to]))
        to += 1
      } else {
        steps.append(.same(old: from, new: to, old[from]))
        (from, to) = (from + 1, to + 1)
      }
    }
    return steps
  }

  private static func hunks(_ steps: [Step]) -> [Range<Int>] {
    var hunks: [Range<Int>] = []
    for (index, step) in steps.enumerated() where !step.isSame {
      let range = max(0, index - 3)..<min(steps.count, index + 4)
      if let last = hunks.last, last.upperBound >= range.lowerBound {
        hunks[hunks.count - 1] = last.lowerBound..<range.upperBound
      } else {
        hunks.append(range)
      }
    }
    return hunks
  }

  private static func show(_ steps: [Step]) -> String {
    var lines = ""
    var (old, new) = ((start: Int?.none, count: 0), (start: Int?.none, count: 0))
    for step in steps {
      switch step {
      case .same(let a, let b, let text):
        old = (old.start ?? a, old.count + 1)
        new = (new.start ?? b, new.count + 1)
        lines += " " + ended(text)
      case .gone(let a, let text):
        old = (old.start ?? a, old.count + 1)
        lines += "-" + ended(text)
      case .come(let b, let text):
        new = (new.start ?? b, new.count + 1)
        lines += "+" + ended(text)
      }
    }
    return "@@ -\(span(old)) +\(span(new)) @@\n" + lines
  }

  private static func span(_ side: (start: Int?, count: Int)) -> String {
    "\((side.start ?? -1) + 1)" + (side.count == 1 ? "" : ",\(side.count)")
  }

  private static func ended(_ line: String) -> String {
    if line.unicodeScalars.last != "\n" { return line + "\n\\ No newline at end of file\n" }
    return line.unicodeScalars.dropLast().last == "\r" ? String(line.unicodeScalars.dropLast(2)) + "\n" : line
  }
}
