// Names are resolved once at a time: libcurl starts a thread for each transfer whose host is in no cache, and a
// resolver that hangs would pile them up. The first transfer to a host resolves; the others wait for it, on their own
// connect time.

/// Lives on the curl thread. Bounds the resolutions under way to one for each distinct host.
final class ResolverGate {
  private var waiting: [String: [EasyHandle]] = [:]
  /// Transfers whose host has become known: the loop takes them and starts them again.
  private var ready: [EasyHandle] = []

  var isEmpty: Bool { ready.isEmpty && waiting.allSatisfy { $0.value.isEmpty } }

  /// Called before a look-up: true makes this transfer the one that resolves; false makes it give up and wait.
  func mayResolve(_ handle: EasyHandle) -> Bool {
    if handle.trace.resolving != nil { return true }
    let host = Self.host(of: handle.request.url)
    if waiting[host] != nil {
      handle.trace.waitsFor = host
      return false
    }
    waiting[host] = []
    handle.trace.resolving = host
    return true
  }

  /// Parks a transfer that `mayResolve` turned away.
  func park(_ handle: EasyHandle, host: String) {
    handle.trace.parkedAt = MonotonicClock.now
    if waiting[host]?.append(handle) == nil { ready.append(handle) }
  }

  /// The transfer got an address: those that waited for it find it in libcurl's cache.
  func nameIsKnown(_ handle: EasyHandle) {
    ready += release(handle)
  }

  /// Those that waited for `handle`'s resolution, which has ended without an address.
  func release(_ handle: EasyHandle) -> [EasyHandle] {
    guard let host = handle.trace.resolving else { return [] }
    handle.trace.resolving = nil
    return waiting.removeValue(forKey: host) ?? []
  }

  /// The transfers to start again.
  func takeReady() -> [EasyHandle] {
    if ready.isEmpty { return ready }
    defer { ready = [] }
    return ready
  }

  /// Everything that waits, at the end.
  func takeAll() -> [EasyHandle] {
    defer { waiting = [:] }
    return takeReady() + waiting.values.joined()
  }

  /// Scheme, host and port: what stands before the path.
  static func host(of url: String) -> String {
    guard let start = url.utf8.firstIndex(of: UInt8(ascii: "/")) else { return url }
    let rest = url[start...].drop { $0 == "/" }
    return String(url[..<start]) + rest.prefix { !"/?#".contains($0) }.lowercased()
  }
}
