// Values that events are known to carry, for warnings about near misses. Others are legal: sources invent new ones.
import DivertCore

enum KnownValues {
  /// Names of events (the source's own spelling).
  static let events = [
    "CALL_INCOMING_INITIATED", "CALL_OUTGOING_INITIATED", "CALL_ACCEPTED", "CALL_ENDED", "CALL_REJECTED", "CALL_MISSED",
    "CALL_NOT_PICKED", "CALL_PERMISSION_REPLY_RECEIVED", "POST_CALL_DISPOSITION", "MESSAGE_RECEIVED",
    "MESSAGE_STATUS_UPDATE", "CHAT_ASSIGNED_TO_AGENT", "CHAT_UNASSIGNED", "CONVERSATION_OPENED", "CLOSE_CONVERSATION",
    "ADD_TAG", "REMOVE_TAG", "UPDATE_CUSTOMER_CUSTOM_FIELD", "NEW_LEAD", "CALL_TO_WHATSAPP_MESSAGE_RECEIVED",
  ]
  static let directions = ["INCOMING", "OUTGOING"]
  /// Of calls: END and REJECT, not ENDED and REJECTED, that is how they come; of messages: the last three, and FAILED.
  static let statuses = [
    "INITIATED", "IN_PROGRESS", "END", "REJECT", "MISSED", "FAILED", "SENT", "DELIVERED", "READ",
  ]

  /// The known values of a field; nil where anything is expected.
  static func values(of field: EventField) -> [String]? {
    switch field {
    case .event: events
    case .direction: directions
    case .status: statuses
    default: nil
    }
  }

  /// For suggestions: the database's list has some zones only by their older names.
  static let zones =
    ["UTC", "Asia/Kolkata", "Asia/Kathmandu", "Asia/Yangon", "Asia/Ho_Chi_Minh", "Europe/Kyiv"] + Zone.identifiers

  static let weekdays = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

  /// ISO 3166-1 alpha-2.
  static let countries: Set<String> = Set(
    """
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC
    CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD
    GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH
    KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW
    MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC
    SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY
    UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW
    """.split { $0 == " " || $0 == "\n" }.map(String.init))
}
