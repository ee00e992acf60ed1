// `/in/<source>/<key>[/<label>]`, taken apart without a router.

/// The parts of an ingest address, percent-decoded; nil for every other address.
struct IngestPath {
  var source: String
  /// What follows the source: the key and the label, or only the label where the source has no key.
  var rest: [String]

  init?(_ target: String) {
    let path = target.prefix { $0 != "?" && $0 != "#" }
    var parts = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
    if parts.last?.isEmpty == true { parts.removeLast() }
    guard parts.first == "in", (2...4).contains(parts.count) else { return nil }
    let decoded = parts.dropFirst().compactMap { Self.decode($0) }
    guard decoded.count == parts.count - 1, !decoded.contains("") else { return nil }
    source = decoded[0]
    rest = Array(decoded.dropFirst())
  }

  private static func decode(_ text: Substring) -> String? {
    guard text.utf8.contains(UInt8(ascii: "%")) else { return String(text) }
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      guard rest.count >= 2, let value = UInt8(Substring(rest.prefix(2)), radix: 16) else { return nil }
      rest = rest.dropFirst(2)
      bytes.append(value)
    }
    return String(validating: bytes, as: UTF8.self)
  }
}
