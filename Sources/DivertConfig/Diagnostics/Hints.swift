// "Did you mean …": the nearest of the names that would have been right, as a hint.
import DivertCore

extension NearestName {
  /// `did you mean 'x'?`, or nil.
  static func hint(_ typo: String, in names: some Sequence<String>) -> String? {
    to(typo, among: names.sorted()).map { "did you mean '\($0)'?" }
  }

  /// `did you mean 'x'?`, else the names there are (at most twelve), else nil.
  static func hintOrList(_ typo: String, in names: some Sequence<String>) -> String? {
    let all = names.sorted()
    if let hint = hint(typo, in: all) { return hint }
    guard !all.isEmpty else { return nil }
    let shown = all.prefix(12).joined(separator: ", ")
    return "there are: \(shown)\(all.count > 12 ? " …" : "")"
  }
}
