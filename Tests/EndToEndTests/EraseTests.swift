// A customer's data are removed from a router that runs, and from one that does not; the page on it is executed.

import DivertCore
import DivertStore
import Foundation
import Synchronization
import TestSupport
import Testing

/// Whether a target answers.
private final class Up: Sendable { let value = Atomic(false) }

@Suite("Erasing", .bounded) struct EraseTests {
  private static let theirs = "919876543210"
  private static let others = "919812345678"

  private static func remains(_ text: String, _ router: RouterProcess) throws -> [String] {
    try BytesInFiles.find(Array(text.utf8), in: router.data.path, leaving: []).map { "\($0.path) has \(text)" }
  }

  @Test("while the router runs: what waits is never sent, no file has the number, and everything else goes on")
  func running() async throws {
    let isUp = Up()
    let crm = MisbehavingTarget { _ in isUp.value.load(ordering: .relaxed) ? .ok : .json("{}", status: 503) }
    let router = try await House.open(targets: House.target("crm", crm))
    try await router.accept("call-of-theirs-1", phone: Self.theirs)
    try await router.accept("call-of-theirs-2", phone: Self.theirs)
    try await router.accept("call-of-others", phone: Self.others)
    _ = await crm.request(3)
    _ = try await router.divert("suppress", "add", "9876543210", "--reason", "grievance")
    let erased = try await router.divert("erase", "98765 43210", "--format", "json")
    #expect(erased.status == 0, "\(erased)")
    let answer = try JSONValue.parse(Array(erased.out.utf8))
    #expect(answer["events"] == 2 && answer["ended"] == 2 && answer["remains"] == [], "\(erased)")
    for text in ["9876543210", "call-of-theirs"] { #expect(try Self.remains(text, router) == []) }
    let before = crm.calls.count
    isUp.value.store(true, ordering: .relaxed)
    try await router.until("the other customer's call is delivered") {
      try await router.divert("find", "call-of-others").out.contains("delivered")
    }
    #expect(crm.calls.dropFirst(before).allSatisfy { $0 == "call-of-others" })
    #expect(try await router.divert("find", "9876543210").status == 1)
    try await router.expectAudit()
    #expect(try await router.divert("record", "verify").status == 0)
    let list = try await router.divert("suppress", "list").out
    #expect(list.contains("erased:") && !list.contains("9876543210"), "\(list)")
    #expect(try await router.divert("erase", "nobody").status == 1)
    // And without a router.
    try await router.terminate()
    let offline = try await router.divert("erase", "+\(Self.others)")
    #expect(offline.status == 0 && offline.out.contains("No file of the data folder"), "\(offline)")
    for text in ["9812345678", "call-of-others"] { #expect(try Self.remains(text, router) == []) }
    #expect(try await router.divert("record", "verify").status == 0)
    try await router.start()
    try await router.expectAudit()
  }

  @Test("the page prints what the commands print")
  func page() async throws {
    let crm = MisbehavingTarget { _ in .ok }
    let router = try await House.open(targets: House.target("crm", crm))
    let event = try await router.accept("call-1", phone: Self.theirs)
    try await router.until("it is delivered") { try await router.divert("find", event).out.contains("delivered") }
    for command in try Page("docs/privacy.md", section: "Erasing a customer").commands {
      let output = try await router.divert(command.arguments)
      #expect(output.status == 0 && Page.steady(output.out) == command.output, "\(output)")
    }
  }
}
