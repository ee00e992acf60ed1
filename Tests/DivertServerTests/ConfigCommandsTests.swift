// The configuration's files over the operator interface: versions, edits, refusals, and what is left on disk.

import DivertConfig
import DivertCore
import DivertServer
import Foundation
import Testing

/// A folder with the operator house's routes.
private final class FilesHouse: Sendable {
  let folder = FileManager.default.temporaryDirectory.path + "/divert-files-\(UUID().uuidString)"
  var path: String { folder + "/routes.yaml" }

  init(more: String? = nil) throws {
    try FileManager.default.createDirectory(atPath: folder + "/routes.d", withIntermediateDirectories: true)
    try OperatorHouse.routes.write(toFile: path, atomically: true, encoding: .utf8)
    try more?.write(toFile: folder + "/routes.d/more.yaml", atomically: true, encoding: .utf8)
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  var text: String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }
  var names: [String] { (try? FileManager.default.contentsOfDirectory(atPath: folder).sorted()) ?? [] }

  func ask(_ request: OperatorRequest) -> (status: Int, body: JSONValue, etag: String?) {
    let response = ConfigCommands(path: path).handle(request)
    guard case .whole(let bytes) = response.body else { return (response.status, .null, response.etag) }
    let body = (try? JSONValue.parse(bytes)) ?? .string(String(decoding: bytes, as: UTF8.self))
    return (response.status, body, response.etag)
  }

  func get(_ path: String, _ query: [String: String] = [:]) -> (status: Int, body: JSONValue, etag: String?) {
    ask(OperatorRequest("GET", path, query: query))
  }

  func edit(_ edits: JSONValue..., ifMatch: String?, dryRun: Bool = false) -> (
    status: Int, body: JSONValue, etag: String?
  ) {
    var order = OperatorRequest(post: "/api/config/edit", ["edits": .array(edits), "dry_run": .bool(dryRun)])
    order.ifMatch = ifMatch
    return ask(order)
  }
}

@Suite("The configuration's files at the operator address")
struct ConfigCommandsTests {
  private static let off: JSONValue = ["do": "disable_route", "route": "declined"]

  @Test("the files and their version are read whole and one by one")
  func reading() throws {
    let house = try FilesHouse(more: "routes: {}\n")
    let whole = house.get("/api/config")
    #expect(whole.status == 200 && whole.etag == "\"\(whole.body["version"]?.string ?? "")\"")
    #expect(whole.body["files"]?.array?.map { $0["name"] } == ["routes.yaml", "routes.d/more.yaml"])
    let file = house.get("/api/config/file")
    #expect(file.body == .string(house.text) && file.etag == whole.etag)
    #expect(house.get("/api/config/file", ["name": "routes.d/more.yaml"]).body == "routes: {}\n")
    #expect(house.get("/api/config/file", ["name": "../x"]).status == 404)
    let routes = house.get("/api/config/routes").body["routes"]?.array ?? []
    #expect(routes.map { $0["route"]?.string } == ["declined", "outgoing"])
    #expect(routes.first?["line"] == 13)
  }

  @Test("an edit needs the version that it is made on, and only the first of two on one version is made")
  func versions() throws {
    let house = try FilesHouse()
    let before = house.text
    #expect(house.edit(Self.off, ifMatch: nil).status == 428)
    #expect(house.edit(Self.off, ifMatch: "\"0000\"").status == 412)
    #expect(house.text == before)
    let etag = try #require(house.get("/api/config").etag)
    let first = house.edit(Self.off, ifMatch: etag)
    #expect(first.status == 200 && first.etag != etag && first.etag == house.get("/api/config").etag)
    #expect(first.body["diff"]?.string?.contains("\n+    enabled: false\n") == true)
    let second = house.edit(["do": "set", "path": "targets.crm.limit", "value": "1/s"], ifMatch: etag)
    #expect(second.status == 412 && second.body["error"]?["code"] == "changed" && second.etag == first.etag)
    let again = house.edit(["do": "set", "path": "targets.crm.limit", "value": "1/s"], ifMatch: second.etag)
    #expect(again.status == 200 && house.text.contains("    limit: 1/s\n"))
    #expect(house.edit(["do": "enable_route", "route": "declined"], ifMatch: "*").status == 200)
    #expect(house.names == ["routes.d", "routes.yaml"], "no temporary file stays")
  }

  @Test("of many edits at once on one version exactly one is made")
  func race() async throws {
    let house = try FilesHouse()
    let etag = house.get("/api/config").etag
    let statuses = await withTaskGroup(of: Int.self) { group in
      for number in 1...8 {
        group.addTask {
          house.edit(["do": "set", "path": "targets.crm.limit", "value": .string("\(number)/s")], ifMatch: etag).status
        }
      }
      return await group.reduce(into: []) { $0.append($1) }
    }
    #expect(statuses.count { $0 == 200 } == 1 && statuses.count { $0 == 412 } == 7, "\(statuses)")
  }

  @Test("what would bring an error is refused with its diagnostics, and nothing is written")
  func refusals() throws {
    let house = try FilesHouse()
    let before = house.text
    let wrong = house.edit(["do": "set", "path": "targets.crm.limti", "value": "1/s"], ifMatch: "*")
    #expect(wrong.status == 422 && wrong.body["error"]?["code"] == "not_good")
    #expect(wrong.body["error"]?["diagnostics"]?.array?.first?["hint"] == "did you mean 'limit'?")
    #expect(house.edit(["do": "remove_route", "route": "x"], ifMatch: "*").status == 404)
    #expect(house.edit(["do": "add_target", "type": "slack", "name": "crm"], ifMatch: "*").status == 409)
    #expect(house.edit(["do": "set", "path": "a..b", "value": 1], ifMatch: "*").status == 400)
    #expect(house.edit(["do": "dance"], ifMatch: "*").status == 400)
    let unknown = house.edit(["do": "disable_route", "rout": "declined"], ifMatch: "*")
    #expect(unknown.status == 400 && unknown.body["error"]?["message"]?.string?.contains("`route`?") == true)
    var order = OperatorRequest(post: "/api/config/edit", ["edits": .array([Self.off]), "dryrun": true])
    order.ifMatch = "*"
    let dry = house.ask(order)
    #expect(dry.status == 400 && dry.body["error"]?["message"]?.string?.contains("`dry_run`?") == true, "\(dry)")
    #expect(house.edit(Self.off, ["do": "remove_route", "route": "x"], ifMatch: "*").status == 404, "all or none")
    #expect(house.edit(Self.off, ifMatch: "*", dryRun: true).body["diff"]?.string?.isEmpty == false)
    #expect(house.text == before)
  }

  @Test("If-Match is compared strongly: weak tags match nothing, and what is no tag is refused")
  func tags() throws {
    let house = try FilesHouse()
    let etag = try #require(house.get("/api/config").etag)
    #expect(house.edit(Self.off, ifMatch: "W/" + etag).status == 412)
    #expect(house.edit(Self.off, ifMatch: etag.filter { $0 != "\"" }).status == 400)
    #expect(house.edit(Self.off, ifMatch: "\"0000\", " + etag).status == 200)
  }

  @Test("an edit that breaks the file's tests is refused with their names, and made despite them")
  func brokenTests() throws {
    let house = try FilesHouse()
    let tests =
      "\ntests:\n  declined: { given: { event: CALL_REJECTED, direction: INCOMING }, sends: [crm.log, crm.text] }\n"
    let text = OperatorHouse.routes + tests
    try text.write(toFile: house.path, atomically: true, encoding: .utf8)
    let refused = house.edit(Self.off, ifMatch: "*")
    #expect(refused.status == 422 && refused.body["error"]?["code"] == "tests_fail", "\(refused)")
    #expect(refused.body["error"]?["message"]?.string?.contains("'declined'") == true && house.text == text)
    var order = OperatorRequest(post: "/api/config/edit", ["edits": .array([Self.off]), "despite_tests": true])
    order.ifMatch = "*"
    let made = house.ask(order)
    #expect(made.status == 200 && made.body["broken_tests"] == ["declined"] && house.text != text, "\(made)")
  }

  @Test("the file keeps its mode, and a symbolic link stays one")
  func modes() throws {
    let house = try FilesHouse()
    let real = house.folder + "/real.yaml"
    try FileManager.default.moveItem(atPath: house.path, toPath: real)
    try FileManager.default.createSymbolicLink(atPath: house.path, withDestinationPath: "real.yaml")
    try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: real)
    #expect(house.edit(Self.off, ifMatch: "*").status == 200)
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: house.path) == "real.yaml")
    #expect(try FileManager.default.attributesOfItem(atPath: real)[.posixPermissions] as? Int == 0o640)
    #expect(house.text.contains("enabled: false"))
  }

  @Test("the operator interface answers for the files it was given, and has none otherwise")
  func api() async throws {
    let house = try OperatorHouse()
    #expect(await house.get("/api/config").status == 404)
  }
}
