// One request's text as C wants it: URL, header lines and body in one block that a pooled handle uses again and again.

internal import CCurl
internal import Glibc

/// The bytes that libcurl reads while a transfer runs. Owned by one `EasyHandle`; libcurl copies the URL, and borrows
/// the header list and the body until the transfer has ended and the handle left its multi handle. Only then is it
/// loaded again.
struct RequestMemory: ~Copyable {
  static let maximumHeaders = 128
  /// A block larger than this is not kept for the next request.
  private static let keptBytes = 256 << 10

  private var block = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 4096)
  private var used = 0
  /// Our lines, then at most two of the transport's own.
  private let nodes = UnsafeMutablePointer<curl_slist>.allocate(capacity: maximumHeaders + 2)

  private(set) var url: UnsafePointer<CChar>?
  private(set) var headers: UnsafeMutablePointer<curl_slist>?
  private(set) var body: UnsafePointer<UInt8>?

  deinit {
    block.deallocate()
    nodes.deallocate()
  }

  /// Takes `request` in. Nil, or what in it must not be sent.
  mutating func load(_ request: TransferRequest) -> TransferFailure? {
    guard request.headers.count <= Self.maximumHeaders else {
      return refusal(.tooManyHeaders, "the request has more than \(Self.maximumHeaders) headers; send fewer")
    }
    var size = request.url.utf8.count + 1 + request.body.count
    for line in request.headers { size += line.utf8.count + 1 }
    makeRoom(size)
    guard let url = copy(request.url, lowest: 0x21) else {
      return refusal(.urlRefused, "the URL holds a blank or a control character; percent-encode it")
    }
    self.url = url
    if let refused = loadHeaders(request.headers) { return refused }
    body = request.body.withUnsafeBufferPointer { copy($0) }
    return nil
  }

  private mutating func loadHeaders(_ lines: [String]) -> TransferFailure? {
    var typed = false
    for (place, line) in lines.enumerated() {
      guard let text = copy(line, lowest: 0x20) else {
        return refusal(.headerRefused, "header \(place + 1) holds a line break or a control character; take it out")
      }
      guard let colon = strchr(text, 0x3a), UnsafePointer(colon) > text else {
        return refusal(.headerRefused, "header \(place + 1) has no name before a colon; write it as `Name: value`")
      }
      guard strncasecmp(text, "content-length:", 15) != 0, strncasecmp(text, "transfer-encoding:", 18) != 0 else {
        return refusal(
          .headerRefused, "header \(place + 1) gives the body's length, which follows from the body; take it out")
      }
      typed = typed || strncasecmp(text, "content-type:", 13) == 0
      link(place, text)
    }
    link(lines.count, pointer(OwnLines.noExpect))
    if !typed { link(lines.count + 1, pointer(OwnLines.noContentType)) }
    headers = nodes
    return nil
  }

  private func pointer(_ line: StaticString) -> UnsafePointer<CChar> {
    UnsafeRawPointer(line.utf8Start).assumingMemoryBound(to: CChar.self)
  }

  private func link(_ place: Int, _ line: UnsafePointer<CChar>) {
    (nodes + place).initialize(to: curl_slist(data: UnsafeMutablePointer(mutating: line), next: nil))
    if place > 0 { (nodes + place - 1).pointee.next = nodes + place }
  }

  private mutating func makeRoom(_ size: Int) {
    used = 0
    guard size > block.count || block.count > Self.keptBytes else { return }
    block.deallocate()
    block = .allocate(capacity: max(4096, size))
  }

  /// `text` with a NUL after it; nil when one of its bytes lies under `lowest` or is DEL.
  private mutating func copy(_ text: String, lowest: UInt8) -> UnsafePointer<CChar>? {
    var text = text
    let start = used
    let clean = text.withUTF8 { bytes in
      var clean = true
      for byte in bytes where byte < lowest || byte == 0x7f { clean = clean && byte == 0x09 && lowest == 0x20 }
      _ = copy(bytes)
      return clean
    }
    block[used] = 0
    used += 1
    guard clean, let base = block.baseAddress else { return nil }
    return UnsafeRawPointer(base + start).assumingMemoryBound(to: CChar.self)
  }

  private mutating func copy(_ bytes: UnsafeBufferPointer<UInt8>) -> UnsafePointer<UInt8>? {
    guard let base = block.baseAddress else { return nil }
    let start = base + used
    if let source = bytes.baseAddress { start.update(from: source, count: bytes.count) }
    used += bytes.count
    return UnsafePointer(start)
  }

  private func refusal(_ code: TransferFailure.Code, _ sentence: String) -> TransferFailure {
    TransferFailure(code, sentence, requestSent: false)
  }
}

/// Header lines that keep libcurl from adding its own: literals, so never freed and never written.
private enum OwnLines {
  /// Without it a body over 1 MiB would wait for a `100 Continue` first.
  static let noExpect: StaticString = "Expect:"
  /// Without it a body without a type would be called a web form.
  static let noContentType: StaticString = "Content-Type:"
}
