// The contract tests' own parts find what is wrong.

import DivertCore
import Synchronization
import TestSupport
import Testing

@Suite("The contract tests themselves", .bounded) struct HarnessTests {
  private static let object: JSONValue = [
    "type": "object", "required": ["a"], "additionalProperties": false,
    "properties": [
      "a": ["type": "string", "pattern": "^x", "maxLength": 3], "b": ["enum": [1, "two"]], "c": false,
      "d": ["type": "array", "minItems": 1, "maxItems": 2, "items": ["type": ["integer", "null"]]],
      "e": ["anyOf": [["type": "boolean"], ["minimum": 5]]], "f": ["not": ["const": 7]], "g": ["maxBytes": 3],
    ],
  ]

  static let values: [(JSONValue, [String])] = [
    (["a": "xyz", "b": "two", "d": [1, nil], "e": true, "f": 8, "g": "ä"], []),
    ([:], ["v.a is missing"]),
    ("a", [#"v is "a", not of type object"#]),
    (["a": "y"], ["v.a is 'y', which ^x does not fit"]),
    (["a": "xyzz", "c": 1], ["v.a is longer than 3", "v.c must not be there"]),
    (["a": "x", "b": 2, "z": 1], ["v.z must not be there", #"v.b is 2, none of [1,"two"]"#]),
    (["a": "x", "d": []], ["v.d has 0 items, fewer than 1"]),
    (["a": "x", "d": [1.json, "1"]], [#"v.d.1 is "1", not of type integer or null"#]),
    (["a": "x", "e": 4], ["v.e is 4, not of type boolean", "v.e is 4.0, beyond the minimum of 5.0"]),
    (["a": "x", "f": 7, "g": "äé"], ["v.f is what it must not be", "v.g has more than 3 bytes"]),
  ]
  @Test("a value is held against a schema", arguments: values) func schema(_ value: JSONValue, _ faults: [String]) {
    #expect(JSONSchema(Self.object).faults(value, at: "v") == faults)
  }

  @Test("a keyword that is not known is a fault") func unknownKeyword() {
    #expect(JSONSchema(["maxlength": 3]).faults("long", at: "v").count == 1)
  }

  private static func post(_ path: String = "/services/T0/B0/x", _ body: String = #"{ text: "{{ arguments.text }}" }"#)
    -> String
  {
    """
    actions:
      post: { post: \(path), idempotency: natural, arguments: { text: { default: x, main: true } }, body: \(body) }
    """
  }

  private static let wrong: [(VendorCase, String)] = [
    (
      .init(
        "an unknown field", send: "post", [.text("ok")], .delivered, target: post("/services/T0/B0/x", "{ txt: x }")),
      "body.text is missing"
    ),
    (.init("another path", send: "post", [.text("ok")], .delivered, target: post("/other")), "has no POST /other"),
    (.init("another end", send: "post", [.text("no", status: 400)], .delivered, target: post()), "dead, rejected"),
    (
      .init("another reason", send: "post", [.text("no", status: 400)], .dead("rule_fail"), target: post()),
      "dead, rejected"
    ),
    (.init("a request too many", send: "post", [], .waiting("server_error"), target: post()), "one request too many"),
    (
      .init("an answer too many", send: "post", [.empty(200), .empty(200)], .delivered, target: post()),
      "never asked for"
    ),
    (
      .init("another value", send: "post: Hi", [.text("ok")], .delivered, sees: ["text": "Ho"], target: post()),
      #"text in {"text":"Hi"}"#
    ),
    (.init("another wait", send: "post", [.empty(429)], .waiting("throttled"), wait: 200...300, target: post()), " s"),
    (.init("a file that does not load", send: "post", [.empty(200)], .delivered, target: "acts: {}"), "acts"),
  ]

  @Test("what breaks a contract fails its test", arguments: wrong) func finds(_ one: VendorCase, _ why: String)
    async throws
  {
    let contract = VendorContract("slack", target: #"url: "@URL@""#)
    let found = Mutex("")
    try await withKnownIssue {
      try await contract.check(one)
    } matching: { issue in
      found.withLock { $0 += "\(issue)" }
      return true
    }
    #expect(found.withLock { $0 }.contains(why), "\(found.withLock { $0 })")
  }
}

extension Int {
  fileprivate var json: JSONValue { .number(self) }
}
