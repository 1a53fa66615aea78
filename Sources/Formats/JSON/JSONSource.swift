import Columnar
import Diagnostics
import Functions
import Glibc
import JSONReading

/// One or more JSON files as a table. What the options leave open is found in a sample.
package final class JSONSource: TableSource {
  package let schema: [Field]
  package let estimatedRowCount: Int?
  package var isCheapToReadAgain: Bool { false }
  let files: [JSONFile]
  let options: JSONReadOptions
  /// The members that the columns are, of documents that are records; the file's name is no member.
  let keys: [Field]
  let isRecords: Bool

  package init(paths: [String], options: JSONReadOptions) throws {
    guard !paths.isEmpty else { throw SQLError(.io, "no files were given to read_json") }
    self.options = options
    files = try paths.map { try JSONFile(path: $0, options) }
    var structure = JSONStructure()
    var sampled = (rows: 0, bytes: 0)
    let types = JSONColumnTypes(options: options)
    let needsTypes = options.detects && !options.givesObjects
    for file in files.prefix(needsTypes ? max(1, options.maximumSampleFiles) : 1) {
      let found = try file.sample(
        into: &structure, candidates: types.candidates, rows: needsTypes ? options.sampleSize : 100,
        ignoresErrors: options.ignoresErrors || !needsTypes)
      sampled.rows += found.rows
      sampled.bytes += found.bytes
    }
    if options.givesObjects {
      isRecords = false
      keys = [Field("json", .json)]
    } else {
      let isObject =
        structure.descriptions.count == 1 && structure.descriptions[0].kind == .object
      isRecords = options.isRecords ?? (options.columns != nil || isObject)
      keys = try JSONSource.columns(structure, types, options, isRecords: isRecords)
    }
    var fields = withUniqueNames(keys)
    if let name = options.fileNameColumn { fields.append(Field(name, .varchar)) }
    schema = fields
    let size = files.reduce(0) { $0 + $1.bytes.count }
    estimatedRowCount =
      sampled.rows == 0 ? 0 : Int(Double(size) / Double(sampled.bytes) * Double(sampled.rows))
  }

  private static func columns(
    _ structure: JSONStructure, _ types: JSONColumnTypes, _ options: JSONReadOptions,
    isRecords: Bool
  ) throws -> [Field] {
    if let columns = options.columns {
      if !isRecords, columns.count != 1 {
        throw SQLError(
          .binder, "documents that are no records are one column, not \(columns.count)")
      }
      if !options.detects { return columns }
    }
    let type = types.type(structure)
    guard isRecords else { return [options.columns?[0] ?? Field("json", type)] }
    guard structure.descriptions.first?.kind == .object else {
      if structure.count == 0 { return options.columns ?? [Field("json", .json)] }
      throw SQLError(
        .binder, "the documents are no objects, and records is true",
        hint: "leave records away, or set it to false")
    }
    // A MAP, or the limit of depth: the document itself is the column.
    guard case .structure(var fields) = type else {
      return options.isRecords == true ? try detected(structure, types) : [Field("json", type)]
    }
    for column in options.columns ?? [] {
      if let known = fields.firstIndex(where: { $0.name == column.name }) {
        fields[known] = column
      } else {
        fields.append(column)
      }
    }
    return fields
  }

  private static func detected(
    _ structure: JSONStructure, _ types: JSONColumnTypes
  ) throws -> [Field] {
    let own = structure.descriptions[0]
    return zip(own.keys, own.children).map { Field($0, types.type($1, depth: 1)) }
  }

  /// Whether a document is taken apart into columns.
  var takesMembers: Bool {
    isRecords && !(keys.count == 1 && schema[0].name == "json" && isWholeDocument)
  }

  /// A MAP or JSON column that stands for the whole record.
  private var isWholeDocument: Bool {
    guard options.columns == nil, options.isRecords != true else { return false }
    switch keys[0].type {
    case .map, .json: return true
    default: return false
    }
  }

  package func scan(
    columns: [Int], filters: [ScanFilter], batchRows: Int
  ) throws -> any PartitionedScan {
    RangedScan(files: files) { [self] file, range, partition in
      JSONPartitionReader(
        self, file, range, columns: columns, batchRows: max(1, batchRows), sequence: partition)
    }
  }
}
