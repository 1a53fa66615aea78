import Diagnostics

/// What is wrong with a chunk's bytes, as errors: a damaged file is a mistake of the world, never a
/// trap.
enum ChunkDamage {
  static func error(_ fault: String) -> SQLError {
    SQLError(.io, "a column chunk of the database file is damaged: \(fault)")
  }

  static let truncated = error("it ends too early")
  static let trailing = error("bytes follow its end")
  static let checksum = error("its checksum does not match its bytes")
  static let noChunk = error("it does not begin as a chunk does")

  static func encoding(_ number: UInt8, of part: String) -> SQLError {
    error("encoding \(number) is none that \(part) may have")
  }

  static func count(_ count: Int, expected: Int, of part: String) -> SQLError {
    error("it has \(count) \(part), not \(expected)")
  }

  static func value(_ part: String) -> SQLError { error("\(part) is out of range") }

  static func newer(_ version: UInt8) -> SQLError {
    SQLError(
      .io,
      "a column chunk has format version \(version), which is newer than this program knows",
      hint: "open the file with a newer version of Apus")
  }

  static let tooLarge = SQLError(
    .outOfMemory, "a column chunk would take more than \(ChunkReader.byteLimit >> 30) GiB of memory"
  )
}
