// DoubleTick's management API, as far as webhooks go: what is registered, registering, editing. For the command line, one
// request at a time. Source: docs.doubletick.io/reference (register, edit and list webhooks).

package import DivertCore
import DivertTransport

/// A webhook as DoubleTick lists it.
package struct ListedWebhook: Sendable, Hashable {
  package var id: String
  package var name: String
  package var url: String
  package var events: [String]
  package var numbers: [String]

  package init(id: String, name: String, url: String, events: [String], numbers: [String]) {
    self.id = id
    self.name = name
    self.url = url
    self.events = events
    self.numbers = numbers
  }
}

/// What is registered, or edited into.
package struct WebhookOrder: Sendable, Hashable {
  package var name: String
  package var url: String
  package var events: [String]
  /// Business numbers, with `+`.
  package var numbers: [String]

  package init(name: String, url: String, events: [String], numbers: [String]) {
    self.name = name
    self.url = url
    self.events = events
    self.numbers = numbers
  }

  /// The body of both requests.
  package var body: JSONValue {
    [
      "name": .string(name), "url": .string(url), "method": "POST", "bodyFormat": "JSON", "headers": [:], "query": [:],
      "body": [:], "webhookEvents": .array(events.map { .string($0) }), "retryOnTimeout": true,
      "wabaNumbers": .array(numbers.map { .string($0) }),
    ]
  }
}

/// What DoubleTick took of an order, and what not.
package struct WebhookReceipt: Sendable, Hashable {
  /// Number and event, each.
  package var taken: [String]
  package var refused: [String]
  package var unknownNumbers: [String]
}

/// Why a question or an order was not answered; for people, without the key.
package struct WebhookFailure: Error, Sendable, Hashable {
  package var sentence: String
  /// The order may have been carried out all the same.
  package var isAmbiguous = false
}

package struct WebhookAPI: Sendable {
  package static let standardBase = "https://public.doubletick.io"

  private let base: String
  private let key: String
  /// How the key is spoken of.
  private let keyName: String

  /// - Parameters:
  ///   - base: scheme and host; a loopback address is allowed, for tests.
  ///   - key: the API key itself; it goes out as the whole Authorization header.
  ///   - keyName: the secret's name, for messages.
  package init(base: String = standardBase, key: String, keyName: String) {
    self.base = base.hasSuffix("/") ? String(base.dropLast()) : base
    self.key = key
    self.keyName = keyName
  }

  /// Everything that is registered. Blocks.
  package func list() throws(WebhookFailure) -> [ListedWebhook] {
    let answer = try ask("GET", "/v2/webhooks?sortBy=name&sortDirection=ASC", body: nil)
    let items = answer.array ?? answer["webhooks"]?.array ?? answer["data"]?.array ?? answer["items"]?.array
    guard let items else {
      throw WebhookFailure(sentence: "DoubleTick's list of webhooks has a shape that is not known")
    }
    return items.map(ListedWebhook.init)
  }

  /// Registers one more webhook: DoubleTick never replaces one. Blocks.
  package func register(_ order: WebhookOrder) throws(WebhookFailure) -> WebhookReceipt {
    WebhookReceipt(try ask("POST", "/v2/webhook/register", body: order.body))
  }

  /// Changes a webhook into what the order says. Blocks.
  package func edit(_ id: String, into order: WebhookOrder) throws(WebhookFailure) -> WebhookReceipt {
    WebhookReceipt(try ask("POST", "/v2/webhook/" + id.percentEncoded, body: order.body))
  }

  private func ask(_ method: String, _ path: String, body: JSONValue?) throws(WebhookFailure) -> JSONValue {
    let request = TransferRequest(
      token: 0, method: method, url: base + path,
      headers: ["Authorization: " + key, "Accept: application/json"]
        + (body == nil ? [] : ["Content-Type: application/json"]), body: body?.encoded() ?? [],
      network: isLoopback ? .private : .public)
    let result = CurlTransport.perform(request)
    if let failure = result.failure {
      throw WebhookFailure(
        sentence: "DoubleTick (\(base)) could not be asked: \(failure.sentence)",
        isAmbiguous: method == "POST" && failure.requestSent)
    }
    let answer = (try? JSONValue.parse(result.body)) ?? .null
    if let status = result.status, (200..<300).contains(status) { return answer }
    throw refusal(result.status ?? 0, answer)
  }

  private func refusal(_ status: Int, _ answer: JSONValue) -> WebhookFailure {
    let texts = answer["message"]?.array?.compactMap(\.string) ?? answer["message"]?.string.map { [$0] } ?? []
    let said = texts.isEmpty ? "" : ": " + texts.joined(separator: "; ")
    let sentence =
      switch status {
      case 401, 403:
        "DoubleTick refused the key (answer \(status)\(said)): is the secret '\(keyName)' the account's API key?"
      case 404: "DoubleTick knows no such webhook any more (answer 404\(said)): ask for the list again"
      case 429: "DoubleTick asks for less (answer 429): try again in a minute"
      case 400, 422: "DoubleTick refused the order (answer \(status)\(said))"
      default: "DoubleTick answered \(status)\(said)"
      }
    return WebhookFailure(sentence: sentence, isAmbiguous: status >= 500)
  }

  private var isLoopback: Bool {
    ["http://127.0.0.1:", "http://[::1]:", "http://localhost:"].contains { base.hasPrefix($0) }
  }
}

extension ListedWebhook {
  fileprivate init(_ item: JSONValue) {
    func texts(_ key: String) -> [String] { (item[key]?.array ?? []).compactMap(\.string) }
    self.init(
      id: item["webhookId"]?.string ?? item["id"]?.string ?? "", name: item["name"]?.string ?? "",
      url: item["url"]?.string ?? "", events: texts("eventTypes"), numbers: texts("wabaNumbers"))
  }
}

extension WebhookReceipt {
  fileprivate init(_ answer: JSONValue) {
    func pairs(_ key: String) -> [String] {
      (answer[key]?.array ?? []).map { item in
        let parts = [item["wabaNumber"]?.string, item["webhookEventType"]?.string, item["error"]?.string]
        let text = parts.compactMap { $0 }.joined(separator: " ")
        return text.isEmpty ? item.string ?? item.text : text
      }
    }
    taken = pairs("validWebhooks")
    refused = pairs("invalidWebhooks")
    unknownNumbers = (answer["invalidWabaNumbers"]?.array ?? []).map { $0.string ?? $0.text }
  }
}

extension String {
  /// As a segment of a path.
  fileprivate var percentEncoded: String {
    utf8.map { byte in
      let isPlain = byte &- 48 < 10 || (byte | 32) &- 97 < 26 || byte == 45 || byte == 95 || byte == 46
      let hex = String(byte, radix: 16, uppercase: true)
      return isPlain ? String(UnicodeScalar(byte)) : "%" + (hex.count < 2 ? "0" : "") + hex
    }.joined()
  }
}
