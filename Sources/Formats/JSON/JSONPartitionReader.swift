import Columnar
import Diagnostics
import Functions
import JSONReading

/// The rows of one range of a JSON file: a tape of as many documents as a batch has rows, then a
/// column after the other.
final class JSONPartitionReader: BatchSource {
  private let source: JSONSource
  private let file: JSONFile
  private let columns: [Int]
  private let batchRows: Int
  private let sequence: Int
  private var cursor: JSONCursor
  private var tape = JSONTape(capacity: 1 << 12)
  private let transform: JSONTransform

  init(
    _ source: JSONSource, _ file: JSONFile, _ range: Range<Int>, columns: [Int], batchRows: Int,
    sequence: Int
  ) {
    self.source = source
    self.file = file
    self.columns = columns
    self.batchRows = batchRows
    self.sequence = sequence
    cursor = JSONCursor(file: file, range: range, ignoresErrors: source.options.ignoresErrors)
    cursor.maximumObjectSize = source.options.maximumObjectSize
    var rules = JSONTransformRules()
    rules.isStrict = !source.options.ignoresErrors
    rules.readsPlainText = rules.isStrict
    rules.refusesDuplicateKeys = rules.isStrict
    rules.refusesUnknownKeys = rules.isStrict && source.options.detects
    rules.code = .invalidInput
    transform = JSONTransform(rules, owner: file.bytes)
  }

  deinit { file.bytes.letGo(cursor.range) }

  func next() throws -> Batch? {
    tape.removeAll()
    var places: [JSONTransform.Place] = []
    var firstOffset: Int?
    while places.count < batchRows, tape.count < 1 << 30, let place = try cursor.next(&tape) {
      if firstOffset == nil { firstOffset = cursor.position }
      places.append(place)
    }
    if places.isEmpty { return nil }
    do {
      return Batch(columns: try made(places), rowCount: places.count, sequence: sequence)
    } catch let error as SQLError {
      throw located(error, places)
    }
  }

  private func made(_ places: [JSONTransform.Place]) throws -> [Column] {
    let options = source.options
    var result: [Column] = []
    let members = columns.filter { $0 < source.keys.count }
    var found: [Column] = []
    if options.givesObjects {
      found = members.map { _ in documents(places) }
    } else if source.takesMembers {
      found = try transform.members(
        tape, places, members.map { source.keys[$0] },
        refusesUnknownKeys: options.detects && !options.ignoresErrors
          && members.count == source.keys.count)
    } else {
      found = try members.map { try transform.column(tape, places, source.keys[$0].type) }
    }
    var next = 0
    for column in columns {
      if column < source.keys.count {
        result.append(found[next])
        next += 1
      } else {
        result.append(
          try Column.constant(.varchar(file.bytes.path), .varchar, count: places.count))
      }
    }
    return result
  }

  /// The documents as they stand in the file.
  private func documents(_ places: [JSONTransform.Place]) -> Column {
    let result = Column(flat: .json, count: places.count, heaps: [file.bytes])
    let target = result.values(as: StringView.self)
    for (row, place) in places.enumerated() {
      if place < 0 {
        target[row] = StringView()
        result.setNull(row)
      } else {
        let node = tape[Int(place)]
        target[row] = StringView(referring: node.text, Int(node.length))
      }
    }
    return result
  }

  /// The error with its file and line: the rows of the batch one by one.
  private func located(_ error: SQLError, _ places: [JSONTransform.Place]) -> SQLError {
    for place in places where place >= 0 {
      do {
        _ = try made([place])
      } catch let own as SQLError {
        let line = file.lineNumber(tape[Int(place)].text - file.bytes.start)
        return SQLError(
          own.code,
          "JSON of file \"\(file.bytes.path)\", in line \(line): \(own.message)",
          hint: "a larger sample_size, columns or ignore_errors may help")
      } catch {
        break
      }
    }
    return error
  }
}
