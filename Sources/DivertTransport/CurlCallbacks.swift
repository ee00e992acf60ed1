// What libcurl calls back while a transfer runs: egress judged, repeats stopped, the answer copied out.

internal import CCurl
internal import DivertCore
internal import Glibc

/// The functions that libcurl calls. Their contract:
/// - When: only inside `curl_multi_socket_action`, `curl_multi_remove_handle` or `curl_easy_perform`; so always on the one
///   thread that owns the handle.
/// - Who keeps it alive: `context` is the handle's `EasyHandle`, unretained. Its loop (or the single transfer) holds it
///   from before the transfer begins until libcurl has let the handle go.
/// - What they do: copy out, note, return. They call nothing of libcurl but `curl_easy_getinfo`, and no code of a
///   caller except a single transfer's `onChunk`, which its own caller waits for.
enum CurlCallbacks {
  static func install(on handle: EasyHandle) {
    let easy = handle.easy
    let context = Unmanaged.passUnretained(handle).toOpaque()
    _ = divert_easy_set_on_write(easy, CURLOPT_WRITEFUNCTION, onBody)
    _ = divert_easy_set_on_write(easy, CURLOPT_HEADERFUNCTION, onHeader)
    _ = divert_easy_set_on_socket(easy, onSocket)
    _ = divert_easy_set_on_request(easy, onRequest)
    _ = divert_easy_set_on_resolve(easy, onResolve)
    let places = [
      CURLOPT_WRITEDATA, CURLOPT_HEADERDATA, CURLOPT_OPENSOCKETDATA, CURLOPT_PREREQDATA, CURLOPT_RESOLVER_START_DATA,
      CURLOPT_PRIVATE,
    ]
    for place in places { _ = divert_easy_set_pointer(easy, place, context) }
  }
}

private func handle(_ context: UnsafeMutableRawPointer?) -> EasyHandle? {
  context.map { Unmanaged<EasyHandle>.fromOpaque($0).takeUnretainedValue() }
}

/// A piece of the answer's body. Anything but its length makes libcurl end the transfer and close the connection.
private func onBody(
  _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
  guard let handle = handle(context), let bytes else { return 0 }
  let length = size * count
  let piece = UnsafeRawBufferPointer(start: bytes, count: length)
  handle.answer.received += length
  if let onChunk = handle.onChunk {
    if onChunk(Array(piece)) { return length }
    handle.answer.stoppedByUs = true
    return 0
  }
  let room = EasyHandle.bodyLimit - handle.answer.body.count
  if room > 0 { handle.answer.body.append(contentsOf: piece.prefix(room)) }
  guard handle.answer.received > EasyHandle.discardLimit else { return length }
  handle.answer.stoppedByUs = true
  return 0
}

/// One line of the answer's head, with its line break; the empty line ends it. Lines of a 1xx answer are dropped, and
/// so are trailers. A head without end is cut off by libcurl's own limits and the total time.
private func onHeader(
  _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
  guard let handle = handle(context), let bytes else { return 0 }
  let length = size * count
  let line = UnsafeRawBufferPointer(start: bytes, count: length)
  if handle.answer.headIsWhole { return length }
  if line.starts(with: "HTTP/".utf8) {
    handle.answer.headerBlock.removeAll(keepingCapacity: true)
    handle.answer.isInformational = line.drop { $0 != 0x20 }.dropFirst().first == UInt8(ascii: "1")
  } else if line.first == 0x0d || line.first == 0x0a {
    handle.answer.headIsWhole = !handle.answer.isInformational
  } else if handle.answer.headerBlock.count + length <= EasyHandle.headerLimit {
    if handle.answer.headerBlock.isEmpty { handle.answer.headerBlock.reserveCapacity(512) }
    handle.answer.headerBlock.append(contentsOf: line)
  }
  return length
}

/// A socket for a resolved address: the place where egress is judged. Called once for each address that is tried.
private func onSocket(
  _ context: UnsafeMutableRawPointer?, _ purpose: curlsocktype, _ target: UnsafeMutablePointer<curl_sockaddr>?
) -> curl_socket_t {
  guard let handle = handle(context), let target else { return CURL_SOCKET_BAD }
  handle.gate?.nameIsKnown(handle)
  if handle.somethingLeft {
    handle.trace.repeatStopped = true
    return CURL_SOCKET_BAD
  }
  guard let address = withUnsafePointer(to: &target.pointee.addr, { AddressReading.read(target.pointee.family, $0) })
  else { return CURL_SOCKET_BAD }
  if let refusal = EgressPolicy.refusal(of: address, network: handle.request.network) {
    handle.trace.refused = (address, refusal)
    return CURL_SOCKET_BAD
  }
  handle.trace.triedAddress = true
  let type = target.pointee.socktype | Int32(SOCK_CLOEXEC.rawValue)
  let made = socket(target.pointee.family, type, target.pointee.protocol)
  if made >= 0 { handle.watch?.opened(made) }
  return made
}

/// Just before a request goes out on a connection, new or used. libcurl sends a request again by itself when a used
/// connection dies before the answer: this is where it is stopped, unless not one byte had left. It is also where a
/// pooled connection's address is judged, which another request, of another network, may have opened.
private func onRequest(
  _ context: UnsafeMutableRawPointer?, _ remote: UnsafeMutablePointer<CChar>?, _ local: UnsafeMutablePointer<CChar>?,
  _ remotePort: Int32, _ localPort: Int32
) -> Int32 {
  guard let handle = handle(context) else { return CURL_PREREQFUNC_ABORT }
  if handle.somethingLeft {
    handle.trace.repeatStopped = true
    return CURL_PREREQFUNC_ABORT
  }
  if handle.request.network == .private { return CURL_PREREQFUNC_OK }
  guard let remote, let address = AddressReading.read(remote) else { return CURL_PREREQFUNC_ABORT }
  guard let refusal = EgressPolicy.refusal(of: address, network: .public) else { return CURL_PREREQFUNC_OK }
  handle.trace.refused = (address, refusal)
  handle.trace.pooledRefused = true
  return CURL_PREREQFUNC_ABORT
}

/// Before a name that is in no cache is looked up. Not 0 makes libcurl give the transfer up, which the loop then starts
/// again.
private func onResolve(
  _ state: UnsafeMutableRawPointer?, _ reserved: UnsafeMutableRawPointer?, _ context: UnsafeMutableRawPointer?
) -> Int32 {
  guard let handle = handle(context), let gate = handle.gate else { return 0 }
  return gate.mayResolve(handle) ? 0 : 1
}

/// Addresses as the C library spells them.
enum AddressReading {
  /// The address in a `sockaddr` of `family`; nil for a family that is no IP.
  static func read(_ family: Int32, _ address: UnsafePointer<sockaddr>) -> EgressPolicy.Address? {
    let raw = UnsafeRawPointer(address)
    switch family {
    case AF_INET: return v4(raw + 4)  // sockaddr_in: family, port, then the address
    case AF_INET6: return v6(raw + 8)  // sockaddr_in6: family, port, flow, then the address
    default: return nil
    }
  }

  /// The address in text, as `inet_ntop` writes it; nil for anything else.
  static func read(_ text: UnsafePointer<CChar>) -> EgressPolicy.Address? {
    withUnsafeTemporaryAllocation(byteCount: 16, alignment: 8) { bytes in
      guard let base = bytes.baseAddress else { return nil }
      if inet_pton(AF_INET, text, base) == 1 { return v4(base) }
      if inet_pton(AF_INET6, text, base) == 1 { return v6(base) }
      return nil
    }
  }

  private static func v4(_ raw: UnsafeRawPointer) -> EgressPolicy.Address {
    .v4(UInt32(bigEndian: raw.loadUnaligned(as: UInt32.self)))
  }

  private static func v6(_ raw: UnsafeRawPointer) -> EgressPolicy.Address {
    .v6(
      high: UInt64(bigEndian: raw.loadUnaligned(as: UInt64.self)),
      low: UInt64(bigEndian: raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
  }
}
