// What requests a vendor takes: `Schemas/<name>.yaml`, a mapping of operations. Each has
//   method    GET, POST …
//   path      a regular expression for the whole path, without the query
//   query     a JSON Schema for the query's items, an object of decoded texts; none is allowed unless it says so
//   headers   a JSON Schema for the headers, an object of texts by lower-case names
//   body      a JSON Schema for the JSON body; the content type must be JSON's
//   form      a JSON Schema for the fields of a form, an object of decoded texts
// An operation with neither `body` nor `form` takes no body. The first operation whose method and path fit is meant.

import DivertCore
import FoundationEssentials
import TestSupport
import Testing

@testable import DivertConfig

struct RequestSchema: Sendable {
  private let name: String
  private let operations: [(name: String, is: JSONValue)]

  private static let parts: Set<String> = ["method", "path", "query", "headers", "body", "form", "doc"]
  private static let folder = #filePath.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 } + "/Schemas/"

  /// Reads a schema; throws where it is none.
  static func named(_ name: String) throws -> RequestSchema {
    let data = try #require(FileManager.default.contents(atPath: folder + name + ".yaml"), "no \(name).yaml in Schemas")
    let source = SourceText(file: "\(name).yaml", text: String(decoding: data, as: UTF8.self))
    let (root, faults) = YAMLReader.read(source)
    try #require(faults.isEmpty, "\(faults.map(\.description))")
    let operations = try #require(root?.entries).map { (name: $0.key, is: JSONValue($0.value)) }
    for operation in operations {
      let unknown = Set((operation.is.object?.members ?? []).map(\.key)).subtracting(parts)
      try #require(unknown.isEmpty, "\(name).yaml: \(operation.name) has \(unknown)")
      try #require(operation.is["method"]?.string != nil && operation.is["path"]?.string != nil, "\(operation.name)")
    }
    return RequestSchema(name: name, operations: operations)
  }

  /// The operation that is meant, and everything that is wrong with the request.
  func judge(_ request: ReceivedRequest) -> (operation: String?, faults: [String]) {
    let path = String(request.path.prefix { $0 != "?" })
    let found = operations.first { operation in
      guard let method = operation.is["method"]?.string, let pattern = operation.is["path"]?.string else {
        return false
      }
      return method == request.method && JSONSchema.fits(path, whole: pattern)
    }
    guard let found else { return (nil, ["\(name).yaml has no \(request.method) \(path)"]) }
    let faults = headerFaults(request, found.is) + queryFaults(request, found.is) + bodyFaults(request, found.is)
    return (found.name, faults.map { "\(found.name): \($0)" })
  }

  private func headerFaults(_ request: ReceivedRequest, _ operation: JSONValue) -> [String] {
    guard let schema = operation["headers"] else { return [] }
    let headers = JSONObject(request.headers.map { .init(key: $0.name, value: .string($0.value)) })
    return JSONSchema(schema).faults(.object(headers), at: "headers")
  }

  private func queryFaults(_ request: ReceivedRequest, _ operation: JSONValue) -> [String] {
    let query = request.path.firstIndex(of: "?").map { String(request.path[$0...].dropFirst()) } ?? ""
    let none: JSONValue = ["additionalProperties": false]
    return JSONSchema(operation["query"] ?? none).faults(FormText.object(query), at: "query")
  }

  private func bodyFaults(_ request: ReceivedRequest, _ operation: JSONValue) -> [String] {
    let type = String((request.header("content-type") ?? "").prefix { $0 != ";" })
    if let schema = operation["form"] {
      let fault = type == "application/x-www-form-urlencoded" ? [] : ["a form of type '\(type)'"]
      return fault + JSONSchema(schema).faults(FormText.object(request.text), at: "form")
    }
    guard let schema = operation["body"] else { return request.body.isEmpty ? [] : ["a body where none is taken"] }
    guard let body = try? JSONValue.parse(request.body) else { return ["the body is no JSON"] }
    let fault = type == "application/json" || type.hasSuffix("+json") ? [] : ["JSON of type '\(type)'"]
    return fault + JSONSchema(schema).faults(body, at: "body")
  }
}

/// `application/x-www-form-urlencoded`, read: also a query.
enum FormText {
  /// An object of texts; of a name that occurs twice an array.
  static func object(_ text: String) -> JSONValue {
    var object = JSONObject()
    for pair in text.split(separator: "&") {
      let halves = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(decoded)
      let value = JSONValue.string(halves.count > 1 ? halves[1] : "")
      let known = object[halves[0]]
      object[halves[0]] = known.map { .array(($0.array ?? [$0]) + [value]) } ?? value
    }
    return .object(object)
  }

  private static func decoded(_ text: Substring) -> String {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "%"), let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) {
        bytes.append(value)
        rest = rest.dropFirst(2)
      } else {
        bytes.append(byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}

extension JSONValue {
  /// YAML as JSON: a plain scalar is a number, a boolean or null exactly where JSON would have it so.
  init(_ node: YAMLNode) {
    switch node.content {
    case .scalar(let text, plain: true): self = Self.plain(text)
    case .scalar(let text, plain: false): self = .string(text)
    case .sequence(let items): self = .array(items.map { JSONValue($0) })
    case .mapping(let entries):
      self = .object(JSONObject(entries.map { .init(key: $0.key, value: JSONValue($0.value)) }))
    }
  }

  private static func plain(_ text: String) -> JSONValue {
    switch try? JSONValue.parse(Array(text.utf8)) {
    case .number(let number)?: .number(number)
    case .bool(let value)?: .bool(value)
    case .null?: .null
    default: .string(text)
    }
  }
}
