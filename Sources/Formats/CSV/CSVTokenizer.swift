import CVectorMath
import Glibc

/// A mistake in how records are cut, at a byte offset from where the tokenizer starts.
enum CSVScanProblem: Error {
  case unterminatedQuote(Int)
  case textAfterQuote(Int)
  case recordTooLong(Int)
}

/// Cuts bytes into records and fields: where each delimiter and newline outside quotes lies.
///
/// Field i of the window runs from `positions[i - 1] + 1` to `positions[i]`, whichever record it is
/// in, because the byte before a record is the newline of the one before (`positions[-1]` exists).
/// Record r has the fields `recordEnds[r - 1] ..< recordEnds[r]`.
final class CSVTokenizer {
  let bytes: UnsafePointer<UInt8>
  /// The end of the bytes, or of the range of whole records given.
  let limit: Int
  let dialect: CSVDialect
  /// Whether the last record may lack its newline.
  private let endsFile: Bool
  /// Whether text after a closing quote is taken as it is.
  private let isLenient: Bool
  private var state = apus_csv_state()
  private var scanned = 0
  private var isFinished = false
  private var positionBuffer: UnsafeMutablePointer<UInt32>
  private var positionCapacity: Int
  private var recordBuffer: UnsafeMutablePointer<UInt32>
  private var recordCapacity: Int

  /// SAFETY: `bytes` must stay for the tokenizer's life. The two buffers are its own; they are
  /// grown before each scan by what the scan may write.
  init(
    _ bytes: UnsafePointer<UInt8>, limit: Int, dialect: CSVDialect, endsFile: Bool, isLenient: Bool
  ) {
    self.bytes = bytes
    self.limit = limit
    self.dialect = dialect
    self.endsFile = endsFile
    self.isLenient = isLenient
    positionCapacity = 1 << 15
    positionBuffer = .allocate(capacity: positionCapacity + 1)
    positionBuffer[0] = .max
    recordCapacity = 1 << 12
    recordBuffer = .allocate(capacity: recordCapacity)
    state.after_structural = 1
  }

  deinit {
    positionBuffer.deallocate()
    recordBuffer.deallocate()
  }

  var positions: UnsafeMutablePointer<UInt32> { positionBuffer + 1 }
  var recordEnds: UnsafeMutablePointer<UInt32> { recordBuffer }
  var recordCount: Int { state.records }
  /// Whether any byte so far is not ASCII.
  var hasHighBytes: Bool { state.high != 0 }
  /// Whether any field so far may hold an escape.
  var hasEscapes: Bool { state.doubled != 0 || !dialect.isRegular }

  /// Makes at least `wanted` records available, or all that are left.
  func fill(_ wanted: Int) throws {
    while state.records < wanted && scanned < limit {
      if !dialect.isRegular {
        try takeRecord()
        continue
      }
      let target = min(limit, scanned + (1 << 16))
      if target > Int(UInt32.max) - 64 { throw CSVScanProblem.recordTooLong(recordStart) }
      reserve(target - scanned)
      let stopped = apus_csv_scan(
        bytes, scanned, target, dialect.forScan, &state, positions, recordBuffer)
      scanned = stopped
      if stopped < target { try passStrayQuote(stopped) }
    }
    if scanned >= limit && !isFinished {
      isFinished = true
      if state.inside != 0 && !endsFile {
        rewindToRecordStart()
      } else if state.inside != 0 {
        scanned = recordStart
        rewindToRecordStart()
        while scanned < limit { try takeRecord() }
      }
      if endsFile && recordStart < limit {
        reserve(1)
        append(limit)
        endRecord()
      }
    }
  }

  /// Forgets the first `count` records.
  func drop(_ count: Int) {
    guard count > 0 else { return }
    let gone = Int(recordBuffer[count - 1])
    positionBuffer[0] = positions[gone - 1]
    let kept = state.positions - gone
    memmove(positions, positions + gone, kept * 4)
    state.positions = kept
    let records = state.records - count
    for record in 0..<records { recordBuffer[record] = recordBuffer[count + record] - UInt32(gone) }
    state.records = records
  }

  /// The offset after the last complete record.
  private var recordStart: Int {
    let ends = state.records == 0 ? 0 : Int(recordBuffer[state.records - 1])
    return Int(positionBuffer[ends] &+ 1)
  }

  private func rewindToRecordStart() {
    state.positions = state.records == 0 ? 0 : Int(recordBuffer[state.records - 1])
    state.inside = 0
    state.after_close = 0
    state.after_structural = 1
  }

  /// A quote inside an unquoted field is a plain byte: that record is read byte by byte.
  private func passStrayQuote(_ stopped: Int) throws {
    scanned = recordStart
    rewindToRecordStart()
    repeat { try takeRecord() } while scanned <= stopped && scanned < limit
  }

  /// Reads one record from `scanned`, a record start, byte by byte.
  private func takeRecord() throws {
    let start = scanned
    if limit > Int(UInt32.max) - 64 && start > Int(UInt32.max) / 2 {
      throw CSVScanProblem.recordTooLong(start)
    }
    let next: Int
    let isClosed: Bool
    do {
      (next, isClosed) = try CSVTokenizer.scanRecord(
        bytes, from: start, limit: limit, dialect: dialect, isLenient: isLenient
      ) { position in
        if position > Int(UInt32.max) - 64 { throw CSVScanProblem.recordTooLong(start) }
        self.reserve(1)
        self.append(position)
      }
    } catch CSVScanProblem.unterminatedQuote(_) where !endsFile {
      // A sample ends in the middle of a record.
      (next, isClosed) = (limit, false)
    }
    for position in start..<next where bytes[position] >= 0x80 {
      state.high = 1
      break
    }
    state.doubled = 1
    scanned = next
    if isClosed {
      endRecord()
    } else if !endsFile {
      rewindToRecordStart()
    }
  }

  private func append(_ position: Int) {
    positions[state.positions] = UInt32(position)
    state.positions += 1
  }

  private func endRecord() {
    recordBuffer[state.records] = UInt32(state.positions)
    state.records += 1
  }

  private func reserve(_ window: Int) {
    let needed = state.positions + window + 32
    if needed > positionCapacity {
      positionCapacity = max(needed, positionCapacity * 2)
      let grown = UnsafeMutablePointer<UInt32>.allocate(capacity: positionCapacity + 1)
      grown.update(from: positionBuffer, count: state.positions + 1)
      positionBuffer.deallocate()
      positionBuffer = grown
    }
    let records = state.records + window + 1
    if records > recordCapacity {
      recordCapacity = max(records, recordCapacity * 2)
      let grown = UnsafeMutablePointer<UInt32>.allocate(capacity: recordCapacity)
      grown.update(from: recordBuffer, count: state.records)
      recordBuffer.deallocate()
      recordBuffer = grown
    }
  }

  // MARK: Without state

  /// One record, byte by byte, by the exact rules: a field is quoted when its first byte is the
  /// quote. Gives where the next record starts and whether a newline ended this one.
  static func scanRecord(
    _ bytes: UnsafePointer<UInt8>, from start: Int, limit: Int, dialect: CSVDialect,
    isLenient: Bool, emit: (Int) throws -> Void
  ) throws -> (next: Int, isClosed: Bool) {
    let delimiter = dialect.delimiter
    let newline = dialect.newline
    let escape = dialect.escape
    var position = start
    while true {
      if position < limit, let quote = dialect.quote, bytes[position] == quote {
        let opening = position
        position += 1
        while true {
          if position >= limit { throw CSVScanProblem.unterminatedQuote(opening) }
          let byte = bytes[position]
          if byte == escape, position + 1 < limit,
            bytes[position + 1] == quote || (escape != quote && bytes[position + 1] == escape)
          {
            position += 2
          } else if byte == quote {
            position += 1
            break
          } else {
            position += 1
          }
        }
        if position < limit, !isLenient {
          let next = bytes[position]
          let endsLine =
            next == 13 && (position + 1 == limit || bytes[position + 1] == newline)
          if next != delimiter && next != newline && !endsLine {
            throw CSVScanProblem.textAfterQuote(opening)
          }
        }
      }
      while position < limit, bytes[position] != delimiter, bytes[position] != newline {
        position += 1
      }
      if position >= limit { return (limit, false) }
      try emit(position)
      position += 1
      if bytes[position - 1] == newline { return (position, true) }
    }
  }

  /// The first record start after `nominal` (or the end), going from `start`, a record start.
  static func boundary(
    _ bytes: UnsafePointer<UInt8>, count: Int, dialect: CSVDialect, from start: Int,
    near nominal: Int
  ) -> Int {
    if nominal >= count { return count }
    var position = start
    while position < nominal {
      guard dialect.isRegular else {
        position = skipRecord(bytes, count, dialect, position)
        continue
      }
      var state = apus_csv_state()
      state.after_structural = 1
      let origin = position
      var stopped = apus_csv_scan(bytes, origin, nominal, dialect.forScan, &state, nil, nil)
      var isStray = stopped < nominal
      let known = max(origin, state.record_start)
      state.record_start = 0
      while !isStray && stopped < count && state.record_start == 0 {
        let target = min(count, stopped + 4096)
        stopped = apus_csv_scan(bytes, stopped, target, dialect.forScan, &state, nil, nil)
        isStray = stopped < target
      }
      if state.record_start > 0 { return state.record_start }
      if !isStray { return count }
      position = known
      repeat {
        position = skipRecord(bytes, count, dialect, position)
      } while position <= stopped
        && position < count
    }
    return position
  }

  private static func skipRecord(
    _ bytes: UnsafePointer<UInt8>, _ count: Int, _ dialect: CSVDialect, _ position: Int
  ) -> Int {
    do {
      return try scanRecord(
        bytes, from: position, limit: count, dialect: dialect, isLenient: true
      ) { _ in }.next
    } catch {
      return count
    }
  }
}

extension CSVDialect {
  /// For the kernel; only for regular dialects.
  var forScan: apus_csv_dialect {
    apus_csv_dialect(
      delimiter: delimiter, newline: newline, quote: quote ?? 0, has_quote: quote == nil ? 0 : 1)
  }
}
