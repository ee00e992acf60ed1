// The routes as the files have them, with their places: what `divert routes list` shows, also of files with errors.

/// One route of the files.
package struct ListedRoute: Sendable, Hashable {
  /// Its name behind its parents': `agent-declined/by-day`.
  package var path: String
  /// Neither it nor a parent says `enabled: false`.
  package var isEnabled: Bool
  package var file: String
  /// Counted from 1.
  package var line: Int
  /// Its own condition, on one line; empty where it has none.
  package var when: String
  /// `target.action` of each send.
  package var sends: [String]
  package var description: String?
}

/// Reads the routes of a bundle without compiling it.
package enum RouteListing {
  /// Every route in the order in which they are asked, parents before their children; what is wrong with the YAML and
  /// does not keep it from being read, as a doubled key, is left out.
  package static func make(_ bundle: ConfigBundle) throws(EditFault) -> [ListedRoute] { try read(bundle).routes }

  /// The routes, and what is wrong with the YAML that they stand in.
  package static func read(_ bundle: ConfigBundle) throws(EditFault) -> (routes: [ListedRoute], faults: [Diagnostic]) {
    var routes: [ListedRoute] = []
    var known: [Diagnostic] = []
    for file in bundle.files where file.preset == nil {
      let name = bundle.path(of: file)
      let source = SourceText(file: name, text: TextEdit.split(file.text).bare)
      let (root, faults) = YAMLReader.read(source)
      guard root != nil || faults.isEmpty else {
        throw EditFault("unreadable", "\(name) cannot be read as it is: mend it first (`divert check`)", faults)
      }
      known += faults
      routes += list(root?["routes"], under: nil, file: file.name)
    }
    return (routes, known)
  }

  private static func list(_ node: YAMLNode?, under parent: ListedRoute?, file: String) -> [ListedRoute] {
    (node?.entries ?? []).flatMap { entry -> [ListedRoute] in
      let isOff = entry.value["enabled"]?.plainText == "false"
      let when = entry.value["when"].map { ValueWriter(step: 2).inline(YAMLValue($0), inFlow: false) }
      let route = ListedRoute(
        path: (parent.map { $0.path + "/" } ?? "") + entry.key, isEnabled: parent?.isEnabled != false && !isOff,
        file: file, line: entry.keyPlace.line, when: when ?? "",
        sends: (entry.value["send"]?.items ?? []).map(send), description: entry.value["description"]?.text)
      return [route] + list(entry.value["also"], under: route, file: file)
    }
  }

  private static func send(_ node: YAMLNode) -> String {
    node.text ?? node.entries?.first { $0.key.contains(".") }?.key ?? "?"
  }
}
