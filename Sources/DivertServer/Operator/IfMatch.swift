// `If-Match` (RFC 9110, 13.1.1): the versions that an order may be carried out on.

import DivertConfig

enum IfMatch {
  /// Whatever lies there (`*`).
  case any
  case tags([String])

  /// Reads the header: `*`, or entity tags in quotes. Weak ones (`W/"…"`) are read and match nothing, since the comparison is
  /// strong. Throws with what is no such list.
  init(_ header: String) throws(OperatorFailure) {
    if header.trimmed == "*" {
      self = .any
      return
    }
    var tags: [String] = []
    for item in header.split(separator: ",", omittingEmptySubsequences: false).map({ String($0).trimmed }) {
      let isWeak = item.hasPrefix("W/")
      let tag = isWeak ? String(item.dropFirst(2)) : item
      guard tag.count >= 2, tag.hasPrefix("\""), tag.hasSuffix("\""), !tag.dropFirst().dropLast().contains("\"") else {
        throw .badRequest("If-Match must be `*`, or the ETag as it was answered, in its quotes: If-Match: \"0bc1d3…\"")
      }
      if !isWeak { tags.append(String(tag.dropFirst().dropLast())) }
    }
    self = .tags(tags)
  }

  /// The version that the files at `path` have, for the change to rest on; nil without the header. Throws 412 where it is not
  /// among those that are meant.
  static func base(_ header: String?, path: String) throws(OperatorFailure) -> String? {
    guard let header else { return nil }
    let match = try IfMatch(header)
    let there = ConfigBundle.read(path: path).bundle?.version
    guard case .tags(let tags) = match else { return there }
    if let there, tags.contains(there) { return there }
    throw OperatorFailure(
      412, "changed",
      "somebody else was first: the files are version \(there ?? "unreadable") by now. Read them again, then repeat it")
  }

  /// Whether a version is meant.
  func includes(_ version: String) -> Bool {
    switch self {
    case .any: true
    case .tags(let tags): tags.contains(version)
    }
  }
}

extension String {
  fileprivate var trimmed: String {
    String(drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
  }
}
