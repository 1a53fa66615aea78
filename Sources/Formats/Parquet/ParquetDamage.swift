import Diagnostics

/// What is wrong with a file, found deep inside a decoder that knows neither the file's name nor
/// the column's; `located` adds both on the way out.
struct ParquetDamage: Error {
  var text: String
  var code: SQLError.Code = .io

  init(_ text: String, code: SQLError.Code = .io) {
    self.text = text
    self.code = code
  }

  func located(_ path: String, column: String? = nil) -> SQLError {
    let place = column.map { ", column \"\($0)\"" } ?? ""
    return SQLError(code, "cannot read Parquet file \"\(path)\"\(place): \(text)")
  }
}

/// Runs `body` and names file and column in whatever damage it reports.
@inline(__always)
func locatingDamage<Result>(
  _ path: String, column: String? = nil, _ body: () throws -> Result
) throws -> Result {
  do {
    return try body()
  } catch let damage as ParquetDamage {
    throw damage.located(path, column: column)
  }
}

extension ParquetDamage {
  static var truncatedMetadata: ParquetDamage { ParquetDamage("its metadata end too early") }
  static var truncatedPage: ParquetDamage { ParquetDamage("a page ends too early") }
  static var badLevels: ParquetDamage {
    ParquetDamage("the definition or repetition levels of a page are damaged")
  }
  static var badIndex: ParquetDamage {
    ParquetDamage("a page refers to values that its dictionary does not hold")
  }
  static var tooFewValues: ParquetDamage {
    ParquetDamage("the column holds fewer values than its metadata say")
  }
}
