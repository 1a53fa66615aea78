import Columnar
import Diagnostics
import Glibc

/// Where in a file something is wrong; the line is counted only when a message needs it.
struct CSVPlace {
  let file: FileBytes
  let offset: Int
  let newline: UInt8

  var line: Int {
    var line = 1
    var position = 0
    while position < offset,
      let found = memchr(file.start + position, Int32(newline), offset - position)
    {
      line += 1
      position = UnsafeRawPointer(found) - UnsafeRawPointer(file.start) + 1
    }
    return line
  }

  var description: String { "\"\(file.path)\", line \(line)" }

  /// The text of a cell, cut to what a message can hold.
  static func shown(_ bytes: UnsafeBufferPointer<UInt8>) -> String {
    let text = String(decoding: bytes.prefix(60), as: UTF8.self)
    return bytes.count > 60 ? text + "…" : text
  }
}

enum CSVErrors {
  static func badCell(
    _ place: CSVPlace, column: Int, name: String, text: UnsafeBufferPointer<UInt8>,
    type: LogicalType, isSniffed: Bool
  ) -> SQLError {
    let literal = name.split(separator: "'", omittingEmptySubsequences: false).joined(
      separator: "''")
    let hint =
      isSniffed
      ? "the type was taken from the first rows; read the column as text with types={'\(literal)': "
        + "'VARCHAR'}, look at all rows with sample_size=-1, or skip such rows with ignore_errors=true"
      : "skip such rows with ignore_errors=true, or name the text that means NULL with nullstr"
    return SQLError(
      .conversion,
      "\(place.description), column \(column + 1) (\"\(name)\"): \"\(CSVPlace.shown(text))\" is not "
        + "a value of type \(type)", hint: hint)
  }

  static func fieldCount(_ place: CSVPlace, found: Int, expected: Int) -> SQLError {
    SQLError(
      .invalidInput,
      "\(place.description): the row has \(found) field\(found == 1 ? "" : "s"), \(expected) "
        + "\(expected == 1 ? "is" : "are") expected",
      hint:
        "set delim or quote if they were guessed wrong, leave lines out at the start with skip, "
        + "or skip such rows with ignore_errors=true")
  }

  static func invalidText(_ place: CSVPlace, column: Int, name: String) -> SQLError {
    SQLError(
      .invalidInput,
      "\(place.description), column \(column + 1) (\"\(name)\"): the text is not valid UTF-8",
      hint: "convert the file to UTF-8 first, or skip such rows with ignore_errors=true")
  }

  static func scan(_ problem: CSVScanProblem, _ place: CSVPlace) -> SQLError {
    switch problem {
    case .unterminatedQuote:
      SQLError(
        .invalidInput, "\(place.description): a quoted field starts here and never ends",
        hint: "if the quote is part of the text, set quote='' or another quote")
    case .textAfterQuote:
      SQLError(
        .invalidInput, "\(place.description): text follows the closing quote of a field",
        hint: "quotes inside a quoted field are doubled; set escape or quote if the file does "
          + "otherwise")
    case .recordTooLong:
      SQLError(.invalidInput, "\(place.description): the row is longer than 4 GB")
    }
  }
}
