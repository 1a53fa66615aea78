import Columnar

/// Bytes that are made before anybody may read them: in memory while there is room, else on disk.
package final class ByteSpool {
  private enum Piece {
    case memory([UInt8])
    case disk(offset: Int, count: Int)
  }

  private static let pieceBytes = 1 << 20

  private let broker: MemoryBroker
  private let memory: MemoryHolder
  private var pieces: [Piece] = []
  private var bytes = 0
  private var file: SpillFile?

  init(_ broker: MemoryBroker, _ name: String) {
    self.broker = broker
    memory = MemoryHolder(broker, name)
  }

  /// Takes over what is in `open`, once that is worth it or when all of it `isLast`.
  package func take(_ open: inout [UInt8], isLast: Bool = false) throws {
    if open.isEmpty || (open.count < ByteSpool.pieceBytes && !isLast) { return }
    bytes += open.count
    pieces.append(.memory(open))
    open = []
    if !memory.holdOrSpill(bytes) { try spill() }
  }

  private func spill() throws {
    let target = try file ?? SpillFile(broker.spillSpace)
    file = target
    for index in pieces.indices {
      guard case .memory(let piece) = pieces[index] else { continue }
      let offset = try piece.withUnsafeBytes { try target.write($0) }
      pieces[index] = .disk(offset: offset, count: piece.count)
    }
    bytes = 0
    memory.keep()
    try memory.hold(0)
    returnFreedMemory()
  }

  /// Gives all bytes, in order.
  package func forEach(_ body: ([UInt8]) -> Void) throws {
    for piece in pieces {
      switch piece {
      case .memory(let bytes): body(bytes)
      case .disk(let offset, let count):
        var bytes = [UInt8](repeating: 0, count: count)
        try bytes.withUnsafeMutableBytes { try file?.read(at: offset, into: $0) }
        body(bytes)
      }
    }
  }
}

extension Session {
  /// For an answer that must be whole before it is sent.
  package func spool() -> ByteSpool { ByteSpool(database.memory, "query result") }
}
