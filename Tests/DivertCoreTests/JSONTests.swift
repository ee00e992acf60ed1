// The parser and the writer: by value, by place of fault, and on random walks.

import DivertCore
import Testing

@Suite struct JSONParserTests {
  @Test("numbers keep their literal text and objects their order")
  func literal() throws {
    let value = try json(#"{"b":12345678901234567,"a":1.50,"c":-0e+2}"#)
    #expect(value.object?.members.map(\.key) == ["b", "a", "c"])
    #expect(value["b"] == .number("12345678901234567"))
    #expect(value["a"] == .number("1.50"))
    #expect(value["c"] == .number("-0e+2"))
  }

  @Test(
    "documents are read",
    arguments: [
      ("null", JSONValue.null), (" true ", true), ("[]", []), ("{}", [:]), ("[1,[2]]", [1, [2]]),
      (#""a\"\\\/\b\f\n\r\t""#, "a\"\\/\u{8}\u{c}\n\r\t"), (#""\u00e9\uD83D\uDE00é""#, "é😀é"),
      (#"{"a":{"b":[false,null]}}"#, ["a": ["b": [false, nil]]]), ("\"\u{7f}\"", "\u{7f}"),
    ] as [(String, JSONValue)])
  func reads(text: String, value: JSONValue) throws {
    #expect(try json(text) == value)
  }

  @Test("the last of equal keys counts")
  func duplicateKeys() throws {
    #expect(try json(#"{"a":1,"a":2}"#)["a"] == 2)
  }

  @Test(
    "what is no JSON is refused",
    arguments: [
      "", " ", "nul", "tru", "01", "-", "1.", ".5", "1e", "+1", "1 2", "[1,]", "[,]", "{\"a\"}", "{\"a\":}", "{a:1}",
      "{\"a\":1,}", "\"", "\"\\x\"", "\"\\u12\"", "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"", "\"a\nb\"", "[1",
      "{\"a\":1", "\u{feff}1", "'a'", "NaN", "[1}", "1\u{0}", "\u{0}",
    ])
  func refuses(text: String) {
    #expect(throws: JSONParseError.self) { try json(text) }
  }

  @Test(
    "bytes that are no UTF-8 are refused",
    arguments: [
      [0x22, 0xff, 0x22], [0x22, 0xc0, 0x80, 0x22], [0x22, 0xed, 0xa0, 0x80, 0x22], [0x22, 0xe2, 0x82, 0x22],
    ]
      as [[UInt8]])
  func invalidUTF8(text: [UInt8]) {
    #expect(throws: JSONParseError.self) { try JSONValue.parse(text) }
  }

  @Test("a fault names its line, its column and what was expected")
  func place() throws {
    let fault = try #require(throws: JSONParseError.self) { try json("{\n  \"a\": 1\n  \"b\": 2\n}") }
    #expect(fault.description == "line 3, column 3: expected `,` or `}`")
    #expect(fault.offset == 13)
    let end = try #require(throws: JSONParseError.self) { try json("[1") }
    #expect(end.description == "line 1, column 3: expected `,` or `]`, but the text ends")
  }

  @Test("depth is bounded")
  func depth() throws {
    func nested(_ n: Int) -> String { String(repeating: "[", count: n) + String(repeating: "]", count: n) }
    _ = try json(nested(64))
    #expect(throws: JSONParseError.self) { try json(nested(65)) }
    #expect(throws: JSONParseError.self) { try json(String(repeating: "[", count: 1_000_000)) }
    #expect(throws: JSONParseError.self) { try JSONValue.parse(bytes("[[1]]"), maxDepth: 1) }
  }

  @Test("random documents come back as they were", arguments: 1...20)
  func roundTrip(seed: UInt64) throws {
    var random = Seeded(seed)
    for _ in 0..<50 {
      let value = Self.value(depth: 4, &random)
      #expect(try JSONValue.parse(value.encoded()) == value)
      #expect(try JSONValue.parse(value.prettyEncoded()) == value)
    }
  }

  @Test("random and damaged bytes never crash", arguments: 1...10)
  func damaged(seed: UInt64) {
    var random = Seeded(seed)
    for _ in 0..<300 {
      var text = Self.value(depth: 3, &random).encoded()
      for _ in 0..<Int.random(in: 1...4, using: &random) where !text.isEmpty {
        let place = Int.random(in: text.indices, using: &random)
        if Bool.random(using: &random) {
          text[place] = .random(in: 0...255, using: &random)
        } else {
          text.remove(at: place)
        }
      }
      if let value = try? JSONValue.parse(text) { #expect((try? JSONValue.parse(value.encoded())) == value) }
      _ = try? JSONValue.parse((0..<20).map { _ in UInt8.random(in: 0...255, using: &random) })
    }
  }

  static func value(depth: Int, _ random: inout Seeded) -> JSONValue {
    switch Int.random(in: 0...(depth > 0 ? 6 : 4), using: &random) {
    case 0: return .null
    case 1: return .bool(.random(using: &random))
    case 2: return .number(Int64(bitPattern: random.next()))
    case 3: return .number("\(Int.random(in: -9...9, using: &random)).50e\(Int.random(in: -9...9, using: &random))")
    case 4: return .string(text(&random))
    case 5: return .array((0..<Int.random(in: 0...4, using: &random)).map { _ in value(depth: depth - 1, &random) })
    default:
      let members = (0..<Int.random(in: 0...4, using: &random)).map { _ in
        JSONObject.Member(key: text(&random), value: value(depth: depth - 1, &random))
      }
      return .object(JSONObject(members))
    }
  }

  static func text(_ random: inout Seeded) -> String {
    let scalars: [Unicode.Scalar] = ["a", "Z", "\"", "\\", "\n", "\u{1}", "é", "न", "😀", "/", "\u{7f}", " "]
    var view = String.UnicodeScalarView()
    for _ in 0..<Int.random(in: 0...20, using: &random) {
      view.append(scalars[Int.random(in: scalars.indices, using: &random)])
    }
    return String(view)
  }
}

@Suite struct JSONWriterTests {
  @Test("text is escaped as little as JSON allows")
  func escapes() {
    #expect(JSONValue.string("a\"\\\n\u{1}é/").text == #""a\"\\\n\u0001é/""#)
  }

  @Test("the pretty form has a member a line")
  func pretty() {
    let value: JSONValue = ["a": [1, 2], "b": [:], "c": []]
    let text = "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": {},\n  \"c\": []\n}\n"
    #expect(String(decoding: value.prettyEncoded(), as: UTF8.self) == text)
  }

  @Test("the canonical form sorts keys and keeps the last of equal ones")
  func canonical() throws {
    var text: [UInt8] = []
    JSONWriter.appendCanonical(try json(#"{"b":[{"d":1,"c":2}],"a":1,"a":3}"#), to: &text)
    #expect(String(decoding: text, as: UTF8.self) == #"{"a":3,"b":[{"c":2,"d":1}]}"#)
  }
}

@Suite struct JSONPathTests {
  @Test("dotted paths and pointers lead to the same place")
  func paths() throws {
    let value = try json(#"{"data":[{"id":7,"a/b":1,"~":2}],"0":"zero"}"#)
    for path in ["data.0.id", "/data/0/id"] {
      #expect(value.value(at: try #require(JSONPath.steps(path))) == 7)
    }
    #expect(value.value(at: try #require(JSONPath.steps("/data/0/a~1b"))) == 1)
    #expect(value.value(at: try #require(JSONPath.steps("/data/0/~0"))) == 2)
    #expect(value.value(at: ["0"]) == "zero")
    #expect(value.value(at: ["data", "1"]) == nil)
    #expect(value.value(at: ["data", "x"]) == nil)
  }

  @Test("empty steps are no path", arguments: ["", "a..b", ".a", "a.", "/a/~2"])
  func empty(path: String) { #expect(JSONPath.steps(path) == nil) }

  @Test("a star stands for every item")
  func star() throws {
    let value = try json(#"{"messages":[{"status":"SENT"},{"status":"FAILED"},{}]}"#)
    #expect(value.values(at: ["messages", "*", "status"]) == ["SENT", "FAILED", nil])
  }
}
