// May the ingest address be reached from outside? Only when every source has a key.

package import DivertCore

package enum ListenRule {
  /// The reason why `address` may not be listened on under this configuration, with the remedy; nil where it may.
  package static func objection(to address: ListenAddress, table: RouteTable) -> String? {
    if address.isLoopback { return nil }
    let open = table.parts.sources.values.filter { $0.key == nil }.map(\.name).sorted()
    guard let first = open.first else { return nil }
    let names = open.joined(separator: ", ")
    return """
      cannot listen on \(address): anybody who can reach it could post events to \(names), which \
      \(open.count == 1 ? "has" : "have") no key. Give sources.\(first).key a secret, or listen on 127.0.0.1
      """
  }
}
