// Whether a running router has an event already that a body would be taken for: asked by `explain`.

import DivertCore
import DivertServer

/// An event that happens once a call, and whether it came before.
enum DuplicateLookup {
  /// The id of the event that the router would take this one for; nil: none, or no router runs. What is known by its
  /// body alone is not looked for. A question that fails is said on standard error.
  static func first(_ event: Event, _ key: DedupeKey?, _ options: RouterOptions) async -> EventID? {
    // A key that holds for some time only is one of the body.
    guard let key, key.holds == nil, let callID = event.fields.callID else { return nil }
    do {
      let operatorKey = RouterOptions.value(nil, "DIVERT_OPERATOR_KEY")
      let address = RouterOptions.value(options.operator, "DIVERT_OPERATOR")
      guard let channel = try OperatorChannel.running(options.serve, address: address, key: operatorKey) else {
        return nil
      }
      let found = try await Desk(channel: channel).get("/api/find", ["q": callID, "limit": "50"])
      return found.items("events").compactMap { $0["event"] }.first { isSame($0, event) }.flatMap {
        EventID($0.cell("id"))
      }
    } catch let failure as OperatorFailure where failure.code == "not_found" {
      return nil
    } catch {
      Console.note("not known whether this is a duplicate: \(error)")
      return nil
    }
  }

  private static func isSame(_ stored: JSONValue, _ event: Event) -> Bool {
    stored.cell("source") == event.source && stored.cell("event") == event.fields.name
      && stored.cell("call", "id") == event.fields.callID
  }
}
