// Names that an operator filters by: misspelt ones are refused, what is gone from the file and still has something is not.

import DivertCore
import Foundation
import Testing

@testable import DivertServer

@Suite("Names that nothing is called") struct KnownNamesTests {
  private static let today = OperatorHouse.routes.replacingOccurrences(of: "crm", with: "erp")

  /// The sentence of a refusal; nil where there was none.
  private func refusal(_ answer: (status: Int, body: JSONValue)) -> String? {
    answer.status < 300 ? nil : answer.body["error"]?["message"]?.string
  }

  @Test(
    "a name that nothing has is refused with the nearest right one",
    arguments: [
      ("target", "cmr", "`crm`"), ("route", "declind", "`declined`"), ("reason", "rejcted", "`rejected`"),
      ("phone", "abc", "no phone number"),
    ])
  func letters(name: String, value: String, nearest: String) async throws {
    let house = try OperatorHouse()
    let listed = refusal(await house.get("/api/dead-letters", [name: value]))
    #expect(listed?.contains(nearest) == true, "\(listed ?? "listed")")
    for path in ["/api/dead-letters/replay", "/api/dead-letters/drop"] {
      let refused = refusal(await house.post(path, [.init(stringLiteral: name): .string(value)]))
      #expect(refused?.contains(nearest) == true, "\(refused ?? "done")")
    }
  }

  @Test("a right name without a letter answers with none")
  func none() async throws {
    let house = try OperatorHouse()
    for (name, value) in [
      ("target", "crm"), ("route", "outgoing"), ("route", "alarms"), ("reason", "ambiguous"), ("phone", "9876543210"),
    ] {
      let answer = await house.get("/api/dead-letters", [name: value])
      #expect(answer.status == 200 && answer.body["count"]?.integer == 0, "\(name)=\(value): \(answer.body)")
    }
  }

  @Test("a target and a route that are gone from the file are known as long as something of them is there")
  func gone() async throws {
    let house = try OperatorHouse(today: Self.today)
    _ = try house.bury(house.accept("c1"), reason: "made_by_hand")
    for (name, value) in [("target", "crm"), ("route", "declined"), ("reason", "made_by_hand")] {
      #expect(await house.get("/api/dead-letters", [name: value]).body["count"]?.integer == 1, "\(name)")
    }
    #expect(await house.post("/api/cancel", ["target": "crm"]).status == 200)
  }

  @Test("orders name what they do not know")
  func orders() async throws {
    let house = try OperatorHouse()
    let wanted: [(String, JSONValue, String)] = [
      ("/api/cancel", ["route": "declind"], "`declined`"), ("/api/cancel", ["target": "cmr"], "`crm`"),
      ("/api/cancel", ["event": "evt_1m84ynqtk0000b45268"], "there is no event"),
      ("/api/rerun", ["since": "2h", "source": "doubletik"], "`doubletick`"),
      ("/api/targets/pause", ["target": "cmr"], "`crm`"),
    ]
    for (path, body, words) in wanted {
      let said = refusal(await house.post(path, body))
      #expect(said?.contains(words) == true, "\(path) \(body.text): \(said ?? "done")")
    }
    let listed = refusal(await house.get("/api/quarantine", ["source": "doubletik"]))
    #expect(listed?.contains("`doubletick`") == true)
  }

  @Test("the codes that `--reason` knows are those of docs/reasons.md")
  func codes() throws {
    let root = URL(fileURLWithPath: #filePath)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let page = try String(contentsOf: root.appendingPathComponent("docs/reasons.md"), encoding: .utf8)
    var described: Set<String> = []
    for line in page.split(separator: "\n") where line.hasPrefix("| `") {
      let parts = line.dropFirst().prefix { $0 != "|" }.split(separator: "`", omittingEmptySubsequences: false)
      for (place, part) in parts.enumerated() where place % 2 == 1 { described.insert(String(part)) }
    }
    #expect(KnownReasons.codes.symmetricDifference(described).sorted() == [])
  }
}
