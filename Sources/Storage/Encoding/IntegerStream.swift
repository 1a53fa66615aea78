import Columnar

/// A run of integers in a chunk: an encoding byte and its body, see docs/file-format.md. How many
/// there are is known from elsewhere. Of signed and unsigned types the same, since bases and
/// differences wrap.
enum IntegerStream {
  static let blockValues = 1024

  /// Bytes of one packed block's values.
  @inline(__always)
  static func packedBytes(_ count: Int, width: Int) -> Int {
    count == blockValues ? width * 128 : (count * width + 7) >> 3
  }

  /// How many bytes each encoding would take, guessed from windows spread over the values.
  struct Estimate {
    private(set) var packed = 0.0
    private(set) var delta = 0.0
    private(set) var runs = 0.0
    private(set) var raw = 0.0
    private(set) var isConstant = false

    private static let windows = 8

    init<T: FixedWidthInteger & BitwiseCopyable>(_ values: UnsafePointer<T>, _ count: Int)
    where T.Magnitude: PackableWord {
      let size = Double(MemoryLayout<T>.size)
      raw = Double(count) * size
      let blocks = (count + blockValues - 1) / blockValues
      let step = max(1, blocks / Self.windows)
      var seen = 0
      var changes = 1
      var packedBits = 0
      var deltaBits = 0
      var valueBits = 0
      var longest = 1
      for block in stride(from: 0, to: blocks, by: step) {
        let window = values + block * blockValues
        let rows = min(blockValues, count - block * blockValues)
        let (low, high, steps) = Self.bounds(window, rows)
        let width = IntegerStream.width(low, high)
        packedBits += width * rows
        valueBits = max(valueBits, width)
        deltaBits += Self.deltaWidth(window, rows) * rows
        changes += steps
        if steps * 2 < rows { longest = max(longest, Self.longestRun(window, rows)) }
        seen += rows
      }
      if seen == 0 { return }
      isConstant = changes == 1 && IntegerStream.isConstant(values, count)
      let scale = Double(count) / Double(seen)
      let heads = Double(blocks) * (size + 1)
      packed = Double(packedBits) / 8 * scale + heads
      delta = Double(deltaBits) / 8 * scale + heads + size + 1
      let runCount = Double(changes) * scale
      let lengthBits = Double(Int.bitWidth - longest.leadingZeroBitCount)
      runs = runCount * (Double(valueBits) + lengthBits) / 8 + 32
    }

    /// The smallest; of nearly equal ones the one that is decoded sooner.
    func best(allowRuns: Bool) -> (encoding: ChunkEncoding, bytes: Double) {
      if isConstant { return (.constant, 16) }
      var best = (encoding: ChunkEncoding.raw, bytes: raw)
      var cost = raw
      for (encoding, bytes, penalty) in [
        (ChunkEncoding.packed, packed, 1.03), (.delta, delta, 1.1), (.runs, runs, 1.2),
      ] where bytes * penalty < cost && (allowRuns || encoding != .runs) {
        best = (encoding, bytes)
        cost = bytes * penalty
      }
      return best
    }

    @inline(__always)
    private static func bounds<T: FixedWidthInteger & BitwiseCopyable>(
      _ values: UnsafePointer<T>, _ count: Int
    ) -> (low: T, high: T, changes: Int) {
      var low = values[0]
      var high = values[0]
      var changes = 0
      for row in 1..<max(count, 1) {
        low = min(low, values[row])
        high = max(high, values[row])
        changes &+= values[row] == values[row - 1] ? 0 : 1
      }
      return (low, high, changes)
    }

    private static func longestRun<T: FixedWidthInteger & BitwiseCopyable>(
      _ values: UnsafePointer<T>, _ count: Int
    ) -> Int {
      var longest = 0
      var start = 0
      for row in 1..<max(count, 1) where values[row] != values[row - 1] {
        longest = max(longest, row - start)
        start = row
      }
      return max(longest, count - start)
    }

    private static func deltaWidth<T: FixedWidthInteger & BitwiseCopyable>(
      _ values: UnsafePointer<T>, _ count: Int
    ) -> Int {
      if count < 2 { return 0 }
      // The sign of a difference is that of the signed type, whatever the values are.
      var low = T.Magnitude(truncatingIfNeeded: values[1] &- values[0])
      var high = low
      let flip = T.Magnitude(1) << (T.bitWidth - 1)
      low ^= flip
      high ^= flip
      for row in 1..<count {
        let step = T.Magnitude(truncatingIfNeeded: values[row] &- values[row - 1]) ^ flip
        low = min(low, step)
        high = max(high, step)
      }
      return IntegerStream.width(low, high)
    }
  }

  /// Bits that the values `low ... high` need above `low`.
  @inline(__always)
  static func width<T: FixedWidthInteger>(_ low: T, _ high: T) -> Int {
    let range = T.Magnitude(truncatingIfNeeded: high &- low)
    return T.bitWidth - range.leadingZeroBitCount
  }

  static func isConstant<T: FixedWidthInteger & BitwiseCopyable>(
    _ values: UnsafePointer<T>, _ count: Int
  ) -> Bool {
    for row in 1..<max(count, 1) where values[row] != values[0] { return false }
    return count > 0
  }
}
