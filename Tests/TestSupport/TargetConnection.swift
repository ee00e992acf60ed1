// One connection of the misbehaving target: reads requests, answers them. On its own thread.

internal import Glibc

struct TargetConnection {
  private let descriptor: Int32
  private let number: Int
  private let record: TargetRecord
  private var unread: [UInt8] = []

  init(_ descriptor: Int32, _ number: Int, _ record: TargetRecord) {
    self.descriptor = descriptor
    self.number = number
    self.record = record
  }

  func serve(_ greeting: [UInt8]) {
    var connection = self
    var count = 0
    _ = send(greeting)
    while var request = connection.readRequest() {
      count += 1
      request.numberOnConnection = count
      let handler = record.received(&request)
      guard give(handler(request), to: request) else { break }
    }
    record.closed(descriptor)
  }
}

// MARK: - Reading

extension TargetConnection {
  /// The next request; nil when the connection ended.
  private mutating func readRequest() -> ReceivedRequest? {
    var head: Int?
    while head == nil {
      head = endOfHead()
      if head == nil, !readMore() { return nil }
    }
    guard let head, var request = parse(unread[..<head]) else { return nil }
    unread.removeFirst(head)
    let length = request.header("content-length").flatMap { Int($0) } ?? 0
    while unread.count < length { if !readMore() { return nil } }
    request.body = Array(unread.prefix(length))
    unread.removeFirst(length)
    return request
  }

  private func endOfHead() -> Int? {
    guard unread.count >= 4 else { return nil }
    for place in 0...(unread.count - 4) where unread[place..<(place + 4)].elementsEqual("\r\n\r\n".utf8) {
      return place + 4
    }
    return nil
  }

  private mutating func readMore() -> Bool {
    let piece = [UInt8](unsafeUninitializedCapacity: 65_536) { buffer, count in
      count = max(0, recv(descriptor, buffer.baseAddress, buffer.count, 0))
    }
    unread += piece
    return !piece.isEmpty
  }

  private func parse(_ head: ArraySlice<UInt8>) -> ReceivedRequest? {
    let lines = String(decoding: head, as: UTF8.self).split(separator: "\r\n")
    let first = lines.first?.split(separator: " ") ?? []
    guard first.count == 3 else { return nil }
    let headers = lines.dropFirst().compactMap { line -> (name: String, value: String)? in
      guard let colon = line.firstIndex(of: ":") else { return nil }
      let value = line[line.index(after: colon)...].drop { $0 == " " }
      return (line[..<colon].lowercased(), String(value))
    }
    return ReceivedRequest(
      number: 0, method: String(first[0]), path: String(first[1]), headers: headers, body: [], connection: number,
      numberOnConnection: 0)
  }
}

// MARK: - Answering

extension TargetConnection {
  /// False when the connection is at its end.
  private func give(_ answer: Answer, to request: ReceivedRequest) -> Bool {
    switch answer {
    case .status(let status, let headers, let body):
      let length = request.method == "HEAD" ? [] : body
      return send(head(status, headers + ["Content-Length: \(body.count)"]) + length)
    case .slow(let gate, let then):
      gate.wait()
      return give(then, to: request)
    case .huge(let size): return sendHuge(size)
    case .raw(let bytes):
      _ = send(bytes)
      return false
    case .cut(let announced, let sent):
      _ = send(head(200, ["Content-Length: \(announced)"]) + [UInt8](repeating: 0x78, count: sent))
      return false
    case .stall(let announced, let sent):
      if send(head(200, ["Content-Length: \(announced)"]) + [UInt8](repeating: 0x78, count: sent)) { waitForEnd() }
      return false
    case .reset:
      makeCloseReset()
      return false
    case .close: return false
    case .hang:
      waitForEnd()
      return false
    }
  }

  private func head(_ status: Int, _ headers: [String]) -> [UInt8] {
    Array("HTTP/1.1 \(status) \(status < 300 ? "OK" : "No")\r\n".utf8)
      + headers.flatMap { Array("\($0)\r\n".utf8) } + Array("\r\n".utf8)
  }

  private func sendHuge(_ size: Int) -> Bool {
    guard send(head(200, ["Content-Length: \(size)"])) else { return false }
    let piece = [UInt8](repeating: 0x78, count: 65_536)
    var left = size
    while left > 0 {
      guard send(Array(piece.prefix(left))) else { return false }
      left -= min(left, piece.count)
    }
    return true
  }

  private func send(_ bytes: [UInt8]) -> Bool {
    var rest = bytes[...]
    while !rest.isEmpty {
      let sent = rest.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      guard sent > 0 else { return false }
      rest = rest.dropFirst(sent)
    }
    return true
  }

  /// The close that follows sends a reset and throws away what was not sent yet.
  private func makeCloseReset() {
    var linger = linger(l_onoff: 1, l_linger: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
  }

  private func waitForEnd() {
    var byte: UInt8 = 0
    while recv(descriptor, &byte, 1, 0) > 0 {}
  }
}
