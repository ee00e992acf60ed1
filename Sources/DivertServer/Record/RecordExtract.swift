// `divert record export | check`: one customer's history with its seals, signed; and whether such a file is as it was signed.

import Crypto
package import DivertCore

/// The document: what `record show` tells, the seals with what was hashed for them, the chain's entries that have them, the key,
/// and last the signature of all before it, as compact JSON.
package enum RecordExtract {
  static let format = "divert-record-1"

  static func signed(
    _ history: RecordHistory, _ proof: RecordProof, by key: RecordKey, now: Timestamp
  ) throws -> JSONValue {
    var document = JSONObject()
    document["format"] = .string(format)
    document["made_by"] = .string("divert \(Version.number)")
    for member in history.json(now: now).object?.members ?? [] { document[member.key] = member.value }
    document["head"] = .string(proof.head.description)
    document["published_head"] = proof.published.map { .string($0.head.description) }
    document["seals"] = .array(proof.things.map(seal))
    document["chain"] = .array(proof.entries.map(entry))
    document["key"] = .string(key.publicText)
    document["signature"] = .string(try key.sign(JSONValue.object(document).encoded()))
    return .object(document)
  }

  private static func seal(_ thing: RecordProof.SealedThing) -> JSONValue {
    [
      "kind": .string(thing.kind), "id": .string(thing.id), "entry": .number(thing.entry),
      "leaf": .string(HexBytes.text(thing.leaf)), "content": .string(HexBytes.text(thing.content)),
      "parts": .array(thing.parts.map { .string(HexBytes.text($0)) }),
    ]
  }

  private static func entry(_ entry: RecordProof.Entry) -> JSONValue {
    [
      "entry": .number(entry.n), "at": .number(entry.at.milliseconds),
      "previous": .string(HexBytes.text(entry.previous)),
      "leaves": .string(HexBytes.text(entry.leaves)), "head": .string(HexBytes.text(entry.head)),
    ]
  }

  /// What speaks against a document, in words; empty: it is as it was signed, and its seals hold together.
  /// - Parameter key: the signer's, as it is known elsewhere; nil: the document's own is taken at its word.
  package static func faults(_ document: JSONValue, key expected: String?) -> [String] {
    guard var object = document.object, object["format"]?.string == format,
      let signature = object["signature"]?.string, let key = object["key"]?.string
    else { return ["the file is no extract of a record (format \(format))"] }
    object["signature"] = nil
    var faults: [String] = []
    if let expected, expected != key { faults.append("it is signed by \(key), not by the key given") }
    if !RecordKey.isValid(signature, of: JSONValue.object(object).encoded(), by: key) {
      faults.append("the signature is not that of its content: it was changed after it was signed")
    }
    var check = SealCheck(document)
    check.run()
    return faults + check.faults
  }
}

extension RecordExtract {
  /// What an extract tells without a seal: what came before the record began.
  package static func unsealed(_ document: JSONValue) -> [String] {
    let sealed = Set((document["seals"]?.array ?? []).compactMap { $0["id"]?.string })
    let told = (document["history"]?.array ?? []).compactMap {
      $0["event"]?["id"]?.string ?? $0["number"]?.integer.map { String($0) }
    }
    return told.filter { !sealed.contains($0) }
  }
}

/// The arithmetic of an extract: contents against leaves, leaves against entries, entries against each other and the heads.
private struct SealCheck {
  let document: JSONValue
  private(set) var faults: [String] = []
  private var leaves: [Int64: String] = [:]

  init(_ document: JSONValue) { self.document = document }

  mutating func run() {
    for entry in document["chain"]?.array ?? [] { check(entry: entry) }
    for seal in document["seals"]?.array ?? [] { check(seal: seal) }
  }

  private static func hash(_ bytes: [UInt8]) -> String { HexBytes.text(Array(SHA256.hash(data: bytes))) }

  private static func eight(_ n: Int64) -> [UInt8] { (0..<8).map { UInt8(truncatingIfNeeded: n >> (56 - 8 * $0)) } }

  private mutating func check(entry: JSONValue) {
    guard let n = entry["entry"]?.integer, let at = entry["at"]?.integer,
      let previous = entry["previous"]?.string.flatMap({ HexBytes.decode($0) }),
      let text = entry["leaves"]?.string, let bytes = HexBytes.decode(text), let head = entry["head"]?.string
    else { return faults.append("an entry of the chain cannot be read") }
    leaves[n] = text
    if Self.hash(previous + Self.eight(n) + Self.eight(at) + bytes) != head {
      faults.append("entry \(n): its hash does not follow from its content")
    }
    for name in ["head", "published_head"] where document[name]?.string.flatMap({ RecordHead($0) })?.entry == n {
      if document[name]?.string != "\(n):\(head)" { faults.append("entry \(n): \(name) says another hash") }
    }
  }

  private mutating func check(seal: JSONValue) {
    guard let id = seal["id"]?.string, let n = seal["entry"]?.integer, let leaf = seal["leaf"]?.string,
      let content = seal["content"]?.string, let bytes = HexBytes.decode(content)
    else { return faults.append("a seal cannot be read") }
    if !leaf.hasSuffix(Self.hash(bytes)) { faults.append("\(id): its content is not what was sealed") }
    if leaves[n]?.contains(leaf) != true { faults.append("\(id): entry \(n) does not have its leaf") }
    for part in seal["parts"]?.array ?? [] {
      guard let part = part.string.flatMap({ HexBytes.decode($0) }), content.contains(Self.hash(part)) else {
        faults.append("\(id): a part of it is not what was sealed")
        continue
      }
      if seal["kind"]?.string == "event", let body = body(of: id), !ends(part, with: Array(body.utf8)) {
        faults.append("\(id): its body as it is shown is not the one that was sealed")
      }
    }
  }

  private func body(of id: String) -> String? {
    (document["history"]?.array ?? []).first { $0["event"]?["id"]?.string == id }?["body"]?.string
  }

  private func ends(_ bytes: [UInt8], with end: [UInt8]) -> Bool {
    bytes.count >= end.count && Array(bytes.suffix(end.count)) == end
  }
}
