// The operator address: Hummingbird takes HTTP in, the protection judges the head, the operator interface answers.

import HTTPTypes
import Hummingbird
import HummingbirdCore
package import Logging
import NIOCore
package import ServiceLifecycle

/// Makes the service that listens on `--operator`.
package enum OperatorServer {
  /// The largest order taken: an edited request, a body to send.
  static let maxBody = 4 * 1024 * 1024

  /// A service that listens until its graceful shutdown. `onListening` is told the port (the chosen one where the address
  /// says 0).
  package static func make(
    listen: ListenAddress, api: OperatorAPI, protection: OperatorProtection, logger: Logger,
    onListening: @escaping @Sendable (_ port: Int) async -> Void = { _ in }
  ) -> any Service {
    let responder = CallbackResponder { (request: Request, _: BasicRequestContext) in
      await respond(request, api, protection)
    }
    return Application(
      responder: responder,
      configuration: .init(address: .hostname(listen.host, port: listen.port), serverName: nil),
      onServerRunning: { await onListening($0.localAddress?.port ?? 0) },
      logger: logger)
  }

  private static func respond(_ request: Request, _ api: OperatorAPI, _ protection: OperatorProtection) async
    -> Response
  {
    let refusal = protection.refusal(
      method: request.method.rawValue, path: request.uri.path, host: request.head.authority,
      authorization: request.headers[.authorization], divertRequest: request.headers[divertRequest])
    if let refusal { return response(refusal.response) }
    guard var body = try? await request.body.collect(upTo: maxBody) else {
      return response(OperatorFailure(413, "too_large", "an order may have \(maxBody) bytes at most").response)
    }
    var order = OperatorRequest(
      request.method.rawValue, request.uri.path, query: query(request.uri),
      body: body.readBytes(length: body.readableBytes) ?? [], who: request.headers[divertWho].map(OperatorText.who))
    order.ifMatch = request.headers[.ifMatch]
    return response(await api.handle(order))
  }

  private static func query(_ uri: URI) -> [String: String] {
    Dictionary(uri.queryParameters.map { (String($0.key), String($0.value)) }) { _, last in last }
  }

  private static func response(_ answer: OperatorResponse) -> Response {
    var headers: HTTPFields = [.contentType: answer.contentType, .cacheControl: "no-store"]
    if let etag = answer.etag { headers[.eTag] = etag }
    let status = HTTPResponse.Status(code: answer.status)
    switch answer.body {
    case .whole(let bytes):
      return Response(status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    case .lines(let lines):
      let body = ResponseBody { writer in
        for await line in lines { try await writer.write(ByteBuffer(bytes: line + [UInt8(ascii: "\n")])) }
        try await writer.finish(nil)
      }
      return Response(status: status, headers: headers, body: body)
    }
  }

  private static let divertWho = HTTPField.Name("X-Divert-Who") ?? .from
  private static let divertRequest = HTTPField.Name("X-Divert-Request") ?? .authorization
}
