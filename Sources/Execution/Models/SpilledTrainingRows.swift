import Columnar
import NeuralNet

/// Training rows in the statement's temporary file: a bucket is a chain of pieces of one size, the
/// last of which is still in memory.
final class SpilledTrainingRows: RecordStore {
  private static let pieceBytes = 8 << 10

  private struct Bucket {
    /// Where the pieces lie that were written.
    var offsets: [Int] = []
    var open: [UInt8] = []
  }

  private let file: SpillFile
  private var buckets: [Bucket] = []

  init(_ file: SpillFile) { self.file = file }

  func append(_ bytes: UnsafeRawBufferPointer, bucket: Int) throws {
    while buckets.count <= bucket { buckets.append(Bucket()) }
    var rest = bytes[...]
    while !rest.isEmpty {
      let room = Self.pieceBytes - buckets[bucket].open.count
      buckets[bucket].open.append(contentsOf: rest.prefix(room))
      rest = rest.dropFirst(room)
      if buckets[bucket].open.count == Self.pieceBytes {
        buckets[bucket].offsets.append(
          try buckets[bucket].open.withUnsafeBytes { try file.write($0) })
        buckets[bucket].open.removeAll(keepingCapacity: true)
      }
    }
  }

  func read(bucket: Int, from offset: Int, into bytes: UnsafeMutableRawBufferPointer) throws {
    precondition(bucket < buckets.count, "only what was written is read")
    var place = offset
    var done = 0
    while done < bytes.count {
      let piece = place / Self.pieceBytes
      let within = place % Self.pieceBytes
      let count = min(Self.pieceBytes - within, bytes.count - done)
      let target = UnsafeMutableRawBufferPointer(rebasing: bytes[done..<done + count])
      if piece < buckets[bucket].offsets.count {
        try file.read(at: buckets[bucket].offsets[piece] + within, into: target)
      } else {
        buckets[bucket].open.withUnsafeBytes { open in
          target.copyMemory(from: UnsafeRawBufferPointer(rebasing: open[within..<within + count]))
        }
      }
      place += count
      done += count
    }
  }
}
