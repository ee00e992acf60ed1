// A routes file compiled for a command that works on one, and the events such a command is given.

import ArgumentParser
import DivertConfig
import DivertCore
import DivertServer
import Foundation

enum RoutesFile {
  /// The file compiled; where it has errors, they are printed as `divert check` does, and the exit status is thrown.
  static func table(_ path: String) throws -> RouteTable { try table(ConfigLoader.load(path: path), path) }

  /// A configuration as the router keeps it.
  static func table(stored text: String, version: String) throws -> RouteTable {
    let name = "configuration \(version)"
    return try table(ConfigLoader.load(stored: text, name: name), name)
  }

  private static func table(_ loaded: LoadResult, _ name: String) throws -> RouteTable {
    if let table = loaded.table { return table }
    let errors = loaded.diagnostics.filter { $0.severity == .error }
    for error in errors { FileHandle.standardError.write(Data((error.description + "\n").utf8)) }
    throw Console.fail("\(name) cannot be used: \(errors.count) \(errors.count == 1 ? "error" : "errors")")
  }
}

/// A body that a command is given: a sample's, a file's, or standard input's.
struct GivenBody {
  var bytes: [UInt8]
  /// A sample's event names itself; nil for the others.
  var label: String?

  /// `what`: a sample's name, a file, or `-`.
  static func read(_ what: String, phone: String, callID: String?, at now: Timestamp) throws -> GivenBody {
    if let sample = SampleEvent(rawValue: what) {
      let id = callID ?? "call_sample_\(now.milliseconds)"
      return GivenBody(bytes: sample.body(callID: id, phone: phone, at: now).encoded(), label: sample.label)
    }
    if what == "-" { return GivenBody(bytes: Array(FileHandle.standardInput.readDataToEndOfFile())) }
    guard let data = FileManager.default.contents(atPath: what) else {
      let samples = SampleEvent.allCases.map(\.rawValue).joined(separator: ", ")
      throw Console.fail("\(what) is neither a file that can be read nor an event's id nor a sample: \(samples)")
    }
    return GivenBody(bytes: Array(data))
  }

  /// Sets members of the body: `callDirection=OUTGOING`, `data.0.id=7`. A value is JSON where it can be read as such, else
  /// text; an empty one is the empty text, which an event lacks.
  mutating func set(_ changes: [String]) throws {
    if changes.isEmpty { return }
    guard var body = try? JSONValue.parse(bytes) else { throw Console.fail("--set needs an event that is JSON") }
    for change in changes {
      let parts = change.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      guard parts.count == 2, let path = JSONPath.steps(parts[0]) else {
        throw ValidationError("--set \(change): write KEY=VALUE, as in callDirection=OUTGOING")
      }
      let value = (try? JSONValue.parse(Array(parts[1].utf8))) ?? .string(parts[1])
      if let remark = body.novelty(of: path) { Console.note("--set: \(remark)") }
      guard body.set(value, at: path[...]) else {
        throw Console.fail("--set \(parts[0]): the event has no such place, and none can be made there")
      }
    }
    bytes = body.encoded()
  }
}

extension JSONValue {
  /// What to say of a path that leads to nothing yet: `callDirecton is new in this body; did you mean callDirection?`
  fileprivate func novelty(of path: [String]) -> String? {
    var here = self
    for (level, step) in path.enumerated() {
      if let next = here.value(at: [step]) {
        here = next
        continue
      }
      let way = path[..<level].map { $0 + "." }.joined()
      let near = here.object.flatMap { NearestName.to(step, among: $0.members.map(\.key)) }
      let hint = near.map { "; did you mean \(way)\($0)?" } ?? ""
      return Console.safe("\(way)\(step) is new in this body\(hint)")
    }
    return nil
  }

  /// Puts a value at a path, making objects on the way; false where the path leads into something else.
  fileprivate mutating func set(_ value: JSONValue, at path: ArraySlice<String>) -> Bool {
    guard let key = path.first else {
      self = value
      return true
    }
    switch self {
    case .array(var items):
      guard let place = Int(key), items.indices.contains(place), items[place].set(value, at: path.dropFirst()) else {
        return false
      }
      self = .array(items)
    case .object(var object):
      var inner = object[key] ?? .object(JSONObject())
      guard inner.set(value, at: path.dropFirst()) else { return false }
      object[key] = inner
      self = .object(object)
    default: return false
    }
    return true
  }
}

/// An event in three lines, as `find` and `explain` show it.
enum EventHead {
  static func print(_ event: JSONValue, id: String) {
    say("\(id)  \(event.cell("event")) \(event.cell("direction"))  at \(event.cell("at"))")
    let call = event.cell("call", "id").orNil.map { ", call \($0)" } ?? ""
    say("  received \(event.cell("received_at")) from \(event.cell("source"))" + call)
    var customer = [event.cell("customer", "name"), event.cell("customer", "phone")].filter { !$0.isEmpty }
    if event["customer"]?["phone"] == nil { customer += [event.cell("customer", "id").orNil ?? "not named"] }
    say("  customer \(customer.joined(separator: " "))  agent \(event.cell("agent").orNil ?? "not named")")
    if event["own"] == true { say("  it reports a write of Divert's own") }
  }

  private static func say(_ line: String) { Console.print(Console.safe(line)) }
}
