// The ingest address as a service of the process: when the shutdown begins, kept connections are answered 503 at once.

import ServiceLifecycle

struct IngestService: Service {
  var listener: HTTPListener
  var controller: IngestController

  func run() async throws {
    let controller = controller
    try await withGracefulShutdownHandler {
      try await listener.run()
    } onGracefulShutdown: {
      controller.stop()
    }
  }
}
