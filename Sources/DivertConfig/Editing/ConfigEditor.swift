// Order + bundle → the bundle with one text edited, checked as a whole; or the reason why nothing is written.
import DivertCore

/// An edited configuration, before it is written.
package struct EditedConfiguration: Sendable {
  package var bundle: ConfigBundle
  /// The file that changed; nil where all was so already.
  package var file: ConfigBundle.File?
  /// Its text before; empty where the file is new.
  package var before: String
  /// The file is not there yet: it has to be made.
  package var isNew = false
  /// A unified diff; empty where nothing changed.
  package var diff: String
  /// What else is to be done, and what was so already: whole sentences.
  package var notes: [String]
  /// Warnings that were not there before.
  package var warnings: [Diagnostic]
  /// The names of the file's tests that fail after the edit and did not before, in alphabetical order.
  package var brokenTests: [String] = []
}

/// Edits of a whole configuration; nothing is read from disk or written.
package enum ConfigEditor {
  /// Carries out orders, one after the other. All of them are made, or none.
  /// - Parameter file: the name of the file in which new names are put, one of the bundle's or a new one of `routes.d`;
  ///   the main file where it is nil.
  package static func edit(_ bundle: ConfigBundle, _ orders: [ConfigOrder], into file: String? = nil) throws(EditFault)
    -> EditedConfiguration
  {
    let home = try Placing.home(file, bundle.files)
    let isNew = !bundle.files.contains { $0.name == home }
    var texts = bundle.files + (isNew ? [.init(name: home, text: "")] : [])
    var notes: [String] = []
    var touched: Int?
    for order in orders {
      let placing = try Placing(bundle: bundle, files: texts, home: home)
      let step = try placing.change(order)
      notes += step.notes
      touched = try same(touched, step)
      guard let touched, !step.changes.isEmpty else { continue }
      let text = try Self.make(step, in: texts[touched].text, name: bundle.path(of: texts[touched]))
      texts[touched].text = text
      for placed in step.changes { notes += Self.omission(placed.change, text) }
    }
    guard let touched else { return unchanged(bundle, notes) }
    return try result(bundle, texts[touched], before: bundle.files.dropFirst(touched).first?.text, notes, orders)
  }

  /// The file that all steps concern.
  private static func same(_ touched: Int?, _ step: Placing.Step) throws(EditFault) -> Int? {
    var touched = touched
    for placed in step.changes {
      if let other = touched, other != placed.file {
        throw EditFault("two_files", "these edits concern two files: make them one by one")
      }
      touched = placed.file
    }
    return touched
  }

  private static func unchanged(_ bundle: ConfigBundle, _ notes: [String]) -> EditedConfiguration {
    EditedConfiguration(bundle: bundle, file: nil, before: "", diff: "", notes: notes, warnings: [])
  }

  /// - Parameter before: the file's text; nil for a new file.
  private static func result(
    _ bundle: ConfigBundle, _ file: ConfigBundle.File, before: String?, _ notes: [String], _ orders: [ConfigOrder]
  ) throws(EditFault) -> EditedConfiguration {
    if file.text == before { return unchanged(bundle, notes) }
    let files = bundle.files.filter { $0.name != file.name }
    let edited =
      file.name == bundle.main.name
      ? ConfigBundle(main: file, more: Array(files), folder: bundle.folder)
      : ConfigBundle(main: bundle.main, more: Array(files.dropFirst()) + [file], folder: bundle.folder)
    let (warnings, broken, left) = try check(bundle, edited)
    let made = (before == nil ? ["\(file.name) is a new file"] : []) + left
    return EditedConfiguration(
      bundle: edited, file: file, before: before ?? "", isNew: before == nil,
      diff: UnifiedDiff.make(before ?? "", file.text, file: file.name), notes: notes + made,
      warnings: warnings.filter { !isExpected($0, of: orders) }, brokenTests: broken)
  }

  /// A target that was just added is used by no route yet.
  private static func isExpected(_ warning: Diagnostic, of orders: [ConfigOrder]) -> Bool {
    warning.code == "unused_target" && orders.contains { if case .addTarget = $0 { true } else { false } }
  }

  /// The text with a step's changes made.
  private static func make(_ step: Placing.Step, in text: String, name: String) throws(EditFault) -> String {
    do throws(EditFault) {
      var result = text
      for placed in step.changes {
        result = try TextEdit.apply(placed.change, at: placed.path, to: result, file: name).text
      }
      return result
    } catch {
      guard let whole = step.instead else { throw error }
      return try TextEdit.apply(whole.change, at: whole.path, to: text, file: name).text
    }
  }

  /// Says so where the comments of what somebody wrote found no place, since it went into braces.
  private static func omission(_ change: YAMLChange, _ text: String) -> [String] {
    guard case .add(_, let written?) = change else { return [] }
    let comments = written.split(whereSeparator: \.isNewline).compactMap { line in
      line.firstRange(of: "# ").map { line[$0.lowerBound...] }
    }
    if comments.allSatisfy({ text.contains($0) }) { return [] }
    return ["the comments are left out: what this is added to is written in braces"]
  }

  /// Throws with the errors that were not there before; returns the warnings that were not, the names of the file's
  /// tests that fail and did not, and what is to be said of errors that were there.
  private static func check(
    _ old: ConfigBundle, _ new: ConfigBundle
  ) throws(EditFault) -> ([Diagnostic], [String], left: [String]) {
    let (before, after) = (ConfigLoader.load(bundle: old), ConfigLoader.load(bundle: new))
    var known: [String: Int] = [:]
    for diagnostic in before.diagnostics { known[key(diagnostic), default: 0] += 1 }
    let fresh = after.diagnostics.filter { diagnostic in
      known[key(diagnostic), default: 0] -= 1
      return (known[key(diagnostic)] ?? 0) < 0
    }
    let errors = fresh.filter { $0.severity == .error }
    guard errors.isEmpty else {
      let faults = errors.count == 1 ? "an error" : "\(errors.count) errors"
      throw EditFault("not_good", "nothing was written: the edited file would have \(faults)", errors)
    }
    let failing = Self.failing(after)
    let broken = failing.isEmpty ? [] : failing.subtracting(Self.failing(before)).sorted()
    return (fresh.filter { $0.severity == .warning }, broken, Self.left(after.diagnostics))
  }

  /// That the configuration cannot go into force as it is, for other reasons than this edit.
  private static func left(_ diagnostics: [Diagnostic]) -> [String] {
    let errors = diagnostics.filter { $0.severity == .error }
    guard let first = errors.first else { return [] }
    let count = errors.count == 1 ? "an error" : "\(errors.count) errors"
    let place = "\(first.file):\(first.line):\(first.column): \(first.message)"
    return [
      "the configuration had \(count) before this edit, and cannot go into force with it (\(place)); see `divert check`"
    ]
  }

  private static func failing(_ loaded: LoadResult) -> Set<String> {
    guard let table = loaded.table else { return [] }
    return Set(ConfigTests.run(loaded.tests, table: table).results.filter { !$0.passed }.map(\.name))
  }

  /// The same fault on another line is no new one; neither is one that names another line.
  private static func key(_ diagnostic: Diagnostic) -> String {
    "\(diagnostic.file) \(diagnostic.code) \(diagnostic.message.filter { !$0.isNumber })"
  }
}
