// Whether a text looks like a key: by a beginning that is known (data), or by letters and digits that no word has.

enum SecretShapes {
  struct Found {
    /// In Unicode scalars of the text.
    var offset: Int
    var length: Int
    var what: String
  }

  private struct Shape {
    var begins: [UInt8]
    var more: Int
    var what: String
  }

  private static let shapes: [Shape] = {
    let text = EmbeddedFiles.knowledge["secret_shapes"] ?? ""
    let root = YAMLReader.read(SourceText(file: "secret shapes", text: text)).root
    return (root?["shapes"]?.items ?? []).compactMap { item in
      guard let begins = item["begins"]?.text, let more = item["more"]?.text.flatMap({ Int($0) }) else { return nil }
      return Shape(begins: Array(begins.utf8), more: more, what: item["what"]?.text ?? "a key")
    }
  }()

  /// Whether what stands behind such a name is a secret: Authorization, X-Api-Key, access_token …
  static func isSecretName(_ name: String) -> Bool {
    let plain = name.lowercased().filter { $0 != "-" && $0 != "_" }
    let words = ["authorization", "password", "passwd", "secret", "apikey", "accesskey", "accesstoken", "authtoken"]
    return words.contains { plain.hasSuffix($0) } || plain == "token" || plain == "cookie" || plain == "xtoken"
  }

  /// Whether a text could be a secret at all: no template, and longer than a word like `none`.
  static func mayBeValue(_ text: String) -> Bool { text.utf8.count >= 8 && !text.contains("{{") }

  /// The first stretch of the text that looks like a key.
  static func found(in text: String) -> Found? {
    let bytes = Array(text.utf8)
    guard bytes.count >= 12, bytes.count <= 65_536 else { return nil }
    return known(bytes) ?? random(bytes)
  }

  private static func known(_ bytes: [UInt8]) -> Found? {
    for start in bytes.indices where start == 0 || !isWord(bytes[start - 1]) {
      for shape in shapes where bytes[start...].starts(with: shape.begins) {
        let rest = bytes[(start + shape.begins.count)...].prefix { isWord($0) || $0 == 46 || $0 == 47 || $0 == 61 }
        if rest.count >= shape.more { return found(bytes, start, shape.begins.count + rest.count, shape.what) }
      }
    }
    return nil
  }

  /// Twenty letters and digits or more in a row that change between small, capital and digit as no name does.
  private static func random(_ bytes: [UInt8]) -> Found? {
    var start = 0
    while start < bytes.count {
      let run = bytes[start...].prefix { isAlphanumeric($0) }
      if run.count >= 20, isRandom(Array(run)) {
        return found(bytes, start, run.count, "\(run.count) letters and digits as if by chance")
      }
      start += run.count + 1
    }
    return nil
  }

  private static func isRandom(_ run: [UInt8]) -> Bool {
    guard run.contains(where: isDigit), run.contains(where: { !isDigit($0) }) else { return false }
    let changes = zip(run, run.dropFirst()).count { kind($0) != kind($1) }
    return changes * 4 >= run.count && Set(run).count >= 8
  }

  private static func found(_ bytes: [UInt8], _ start: Int, _ length: Int, _ what: String) -> Found {
    let before = String(decoding: bytes[..<start], as: UTF8.self).unicodeScalars.count
    return Found(offset: before, length: length, what: what)
  }

  private static func kind(_ byte: UInt8) -> Int { isDigit(byte) ? 0 : byte >= 97 ? 1 : 2 }
  private static func isDigit(_ byte: UInt8) -> Bool { byte >= 48 && byte <= 57 }
  private static func isAlphanumeric(_ byte: UInt8) -> Bool {
    isDigit(byte) || (byte >= 65 && byte <= 90) || (byte >= 97 && byte <= 122)
  }
  private static func isWord(_ byte: UInt8) -> Bool { isAlphanumeric(byte) || byte == 95 || byte == 45 }
}
