import Columnar
import Diagnostics
import Functions
import Glibc
import JSONReading

/// One JSON file, cut into ranges of whole lines where it has a document a line: a raw line end is
/// never inside a document, so that each range is found without those before it.
final class JSONFile: RangedFile {
  let bytes: FileBytes
  let layout: JSONLayout
  let rangeCount: Int
  private let rangeBytes: Int

  init(path: String, _ options: JSONReadOptions) throws {
    bytes = try FileBytes(
      path: path, compression: options.compression ?? FileCompression(path: path))
    layout = options.layout ?? JSONFile.layout(bytes, options)
    rangeBytes = min(4 << 20, max(1 << 18, bytes.count / 16))
    rangeCount =
      layout == .newlineDelimited
      ? (bytes.count + rangeBytes - 1) / rangeBytes : bytes.count > 0 ? 1 : 0
  }

  var all: UnsafeBufferPointer<UInt8> {
    UnsafeBufferPointer(start: bytes.start, count: bytes.count)
  }

  func range(_ index: Int) -> Range<Int> {
    if layout != .newlineDelimited { return 0..<bytes.count }
    bytes.prefetch(nominal(index)..<nominal(index + 1))
    return boundary(nominal(index))..<boundary(nominal(index + 1))
  }

  private func nominal(_ index: Int) -> Int { min(bytes.count, index * rangeBytes) }

  /// The beginning of the first line that begins at `near` or later.
  private func boundary(_ near: Int) -> Int {
    if near == 0 || near >= bytes.count { return near }
    return bytes.start[near - 1] == 0x0A ? near : lineEnd(near) + 1
  }

  /// Where the line ends that `from` is in.
  func lineEnd(_ from: Int) -> Int {
    guard from < bytes.count, let found = memchr(bytes.start + from, 0x0A, bytes.count - from)
    else { return bytes.count }
    return UnsafeRawPointer(found) - UnsafeRawPointer(bytes.start)
  }

  /// The number of the line, from 1, that an offset is in.
  func lineNumber(_ offset: Int) -> Int {
    var line = 1
    var from = 0
    while true {
      let end = lineEnd(from)
      if end >= offset { return line }
      line += 1
      from = end + 1
    }
  }

  /// A document that fills the first line is one of many, unless an array has the file for itself.
  private static func layout(_ bytes: FileBytes, _ options: JSONReadOptions) -> JSONLayout {
    let all = UnsafeBufferPointer(start: bytes.start, count: bytes.count)
    guard let first = all.firstIndex(where: { !isSpace($0) }) else { return .newlineDelimited }
    let line = all[first...].prefix { $0 != 0x0A }
    let behind = all[line.endIndex...].contains { !isSpace($0) }
    var isWhole = false
    if line.count <= options.maximumObjectSize {
      var tape = JSONTape()
      isWhole = (try? tape.read(UnsafeBufferPointer(rebasing: line), .sql)) != nil
    }
    if all[first] == UInt8(ascii: "["), !(isWhole && behind) { return .array }
    return isWhole ? .newlineDelimited : .unstructured
  }

  static func isSpace(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
  }

  /// Adds the types of the first rows; gives how many rows in how many bytes these were.
  func sample(
    into structure: inout JSONStructure, candidates: [LogicalType], rows: Int, ignoresErrors: Bool
  ) throws -> (rows: Int, bytes: Int) {
    var cursor = JSONCursor(file: self, range: 0..<bytes.count, ignoresErrors: ignoresErrors)
    var tape = JSONTape(capacity: 256)
    var count = 0
    while count < rows {
      tape.removeAll()
      guard let place = try cursor.next(&tape) else { break }
      count += 1
      if place >= 0 { try structure.add(tape, Int(place), candidates: candidates) }
    }
    return (count, max(cursor.position, 1))
  }
}

/// Reads one document of a file after the other onto a tape.
struct JSONCursor {
  let file: JSONFile
  let range: Range<Int>
  let ignoresErrors: Bool
  var maximumObjectSize = Int.max
  private(set) var position: Int
  private var isInArray = false

  init(file: JSONFile, range: Range<Int>, ignoresErrors: Bool) {
    self.file = file
    self.range = range
    self.ignoresErrors = ignoresErrors
    position = range.lowerBound
  }

  /// The root of the next document; -1 for one that is malformed and passed over, nil at the end.
  mutating func next(_ tape: inout JSONTape) throws -> JSONTransform.Place? {
    switch file.layout {
    case .newlineDelimited: return try nextLine(&tape)
    case .array: return try nextElement(&tape)
    case .unstructured:
      skipSpace()
      return position < range.upperBound ? try nextDocument(&tape) : nil
    }
  }

  private mutating func skipSpace() {
    while position < range.upperBound, JSONFile.isSpace(file.bytes.start[position]) {
      position += 1
    }
  }

  private mutating func nextLine(_ tape: inout JSONTape) throws -> JSONTransform.Place? {
    while true {
      skipSpace()
      guard position < range.upperBound else { return nil }
      let start = position
      let end = file.lineEnd(start)
      position = min(end + 1, range.upperBound)
      try checkSize(end - start, start)
      do {
        let line = UnsafeBufferPointer(start: file.bytes.start + start, count: end - start)
        return JSONTransform.Place(truncatingIfNeeded: try tape.read(line, .sql))
      } catch {
        if ignoresErrors { return -1 }
        throw malformed(error, start)
      }
    }
  }

  private mutating func nextElement(_ tape: inout JSONTape) throws -> JSONTransform.Place? {
    skipSpace()
    guard position < range.upperBound else {
      if isInArray { throw malformed(endOfData, position) }
      return nil
    }
    let bytes = file.bytes.start
    if !isInArray {
      guard bytes[position] == UInt8(ascii: "[") else {
        if position > range.lowerBound, ignoresErrors { return nil }
        throw noArray()
      }
      isInArray = true
      position += 1
      skipSpace()
      if position < range.upperBound, bytes[position] == UInt8(ascii: "]") { return try leave() }
      guard position < range.upperBound else { throw malformed(endOfData, position) }
      return try nextDocument(&tape)
    }
    switch bytes[position] {
    case UInt8(ascii: "]"): return try leave()
    case UInt8(ascii: ","):
      position += 1
      skipSpace()
      if position < range.upperBound, bytes[position] == UInt8(ascii: "]") { return try leave() }
      guard position < range.upperBound else { throw malformed(endOfData, position) }
      return try nextDocument(&tape)
    default:
      throw malformed(JSONMistake(offset: 0, reason: "unexpected character"), position)
    }
  }

  /// The end of the array; nothing may follow it.
  private mutating func leave() throws -> JSONTransform.Place? {
    position += 1
    isInArray = false
    skipSpace()
    if position < range.upperBound, !ignoresErrors {
      throw malformed(JSONMistake(offset: 0, reason: "unexpected content after array"), position)
    }
    position = range.upperBound
    return nil
  }

  private mutating func nextDocument(_ tape: inout JSONTape) throws -> JSONTransform.Place? {
    let start = position
    let root = tape.count
    do {
      let rest = UnsafeBufferPointer(
        start: file.bytes.start + start, count: min(range.upperBound - start, 1 << 31))
      position = start + (try tape.readFirst(rest, .sql))
      try checkSize(position - start, start)
      return JSONTransform.Place(truncatingIfNeeded: root)
    } catch let mistake as JSONMistake {
      // Where the next document begins is not known.
      throw malformed(mistake, start)
    }
  }

  private func checkSize(_ size: Int, _ start: Int) throws {
    if size > maximumObjectSize {
      throw SQLError(
        .invalidInput,
        "a document of \(size) bytes in file \"\(file.bytes.path)\", in line "
          + "\(file.lineNumber(start)), is larger than \(maximumObjectSize)",
        hint: "maximum_object_size raises the limit")
    }
  }

  // MARK: Messages

  private var endOfData: JSONMistake { JSONMistake(offset: 0, reason: "unexpected end of data") }

  private func malformed(_ mistake: JSONMistake, _ start: Int) -> SQLError {
    let offset = start + mistake.offset
    let line = file.lineNumber(offset)
    var lineStart = min(offset, file.bytes.count)
    while lineStart > 0, file.bytes.start[lineStart - 1] != 0x0A { lineStart -= 1 }
    return SQLError(
      .invalidInput,
      "Malformed JSON in file \"\(file.bytes.path)\", at byte \(offset - lineStart) in line "
        + "\(line): \(mistake.reason)",
      hint: file.layout == .newlineDelimited && !ignoresErrors
        ? "ignore_errors = true passes over such lines" : nil)
  }

  private func noArray() -> SQLError {
    SQLError(
      .invalidInput, "file \"\(file.bytes.path)\" holds no array at its top",
      hint: "leave format away, or use format = 'newline_delimited'")
  }
}
