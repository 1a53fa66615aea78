import Apus

extension RendererDefinition {
  static let none = RendererDefinition(
    name: "none", summary: "nothing: the statement runs to its end unseen"
  ) { _, _, _ in NoneRenderer() }
}

/// Reads all rows and prints none of them: for timing.
struct NoneRenderer: Renderer {
  mutating func write(_ chunk: ResultChunk) {}
  mutating func finish() {}
}
