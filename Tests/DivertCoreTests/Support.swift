// What the tests of the pure middle share: a seeded generator, sample events, and short ways to make templates and
// tables.

import DivertCore
import Testing

/// SplitMix64: the same walk for the same seed.
struct Seeded: RandomNumberGenerator {
  var state: UInt64
  init(_ seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
    return z ^ z >> 31
  }
}

/// 2026-01-15T10:30:25.000Z, a Thursday; 16:00:25 in Kolkata.
let moment = Timestamp(milliseconds: 1_768_473_025_000)

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

func json(_ text: String) throws -> JSONValue { try JSONValue.parse(bytes(text)) }

func zone(_ name: String) throws -> Zone { try #require(Zone.named(name)) }

let doubletick = SourceDefinition(name: "doubletick", type: "doubletick")

/// The incoming rejection as DoubleTick documents it.
let incomingRejected = """
  {"event":"CALL_REJECTED","callId":"call_01HX9abc123","chatMessageId":"msg_01HX9abc123","chatId":"chat_abc123",
   "wabaNumber":"919000000000","customerNumber":"919876543210","customerName":"Rohan Mehta","customerId":"customer_pvgpZUh3wg",
   "callDirection":"INCOMING","callStatus":"REJECT","failedReason":"","durationInSeconds":0,"callStartedAt":"",
   "callEndedAt":"2026-01-15T10:30:25.000Z","pickedBy":"","rejectedBy":"James Smith","endedBy":"","recordingUrl":"","deviceId":"device_abc123"}
  """

func normalise(_ body: String, label: String? = nil, country: String = "IN") -> NormalizeResult {
  Normalizer.normalize(
    bytes(body), label: label, source: doubletick, country: country, receivedAt: moment + .seconds(2))
}

func fields(_ body: String, label: String? = nil) throws -> Event.Fields {
  guard case .event(let fields, _, _) = normalise(body, label: label) else {
    throw RenderFault("refused", "the body was refused")
  }
  return fields
}

func event(_ body: String = incomingRejected, label: String? = nil) throws -> Event {
  Event(
    id: EventID(sequence: 42 << 20, tag: 7), source: "doubletick", receivedAt: moment + .seconds(2),
    fields: try fields(body, label: label), body: bytes(body), raw: try json(body))
}

func template(_ text: String, _ scope: TemplateScope = .target(arguments: .any, tables: ["leads"])) throws -> Template {
  try Template.parse(text, in: scope).get()
}

func context(_ event: Event? = nil) throws -> RenderContext {
  RenderContext(
    event: event, now: moment, zone: try zone("Asia/Kolkata"), country: "IN",
    tables: ["leads": ["James Smith": "Priya"]], arguments: JSONObject(), idempotencyKey: "dv1_abc", secrets: .masked)
}
