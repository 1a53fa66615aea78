import Apus
import Glibc

/// `apus --protocol jsonl`: a request a line on standard input, an answer a line on standard output.
/// docs/jsonl-protocol.md is its description.
struct JSONLinesProtocol {
  let connection: Connection

  /// Answers until the input ends; gives the exit status.
  func run() -> Int32 {
    var input = LineReader(descriptor: STDIN_FILENO)
    let output = Output.standard
    while let line = input.next() {
      guard line.contains(where: { $0 != 0x20 && $0 != 0x09 && $0 != 0x0d }) else { continue }
      write(answer(to: line), to: output)
      output.write("\n")
      output.flush()
    }
    return 0
  }

  private enum Answer {
    case result(AnswerSpool)
    case failure([UInt8])
  }

  private func write(_ answer: Answer, to output: Output) {
    switch answer {
    case .failure(let bytes): output.write(bytes)
    case .result(let spool):
      // Only a disk that has lost what was written can fail here: the line then ends too early, which
      // no reader takes for an answer.
      try? spool.forEach { output.write($0) }
    }
  }

  private func answer(to line: ArraySlice<UInt8>) -> Answer {
    do {
      let request = try JSONRequest(line)
      return .result(try result(of: request.sql))
    } catch let mistake as JSONRequest.Mistake {
      return .failure(failure(mistake.message))
    } catch let error as DatabaseError {
      return .failure(
        failure(
          "\(error.code): \(error.message)", line: error.line, column: error.column,
          hint: error.hint))
    } catch {
      return .failure(failure("\(error)"))
    }
  }

  /// The whole answer: until it is complete, an error may take its place.
  private func result(of sql: String) throws -> AnswerSpool {
    let clock = Stopwatch()
    let result = try connection.execute(sql)
    let spool = connection.spool()
    var answer = Array("{\"columns\":".utf8)
    append(result.columns.map(\.name), to: &answer)
    answer.append(contentsOf: ",\"types\":".utf8)
    append(result.columns.map(\.type), to: &answer)
    answer.append(contentsOf: ",\"rows\":[".utf8)
    try append(result, columnCount: result.columns.count, to: &answer, spool)
    answer.append(contentsOf: "],\"elapsed_ms\":\(fixed(clock.seconds * 1000, digits: 3))}".utf8)
    try spool.take(&answer, isLast: true)
    return spool
  }

  private func append(
    _ result: QueryResult, columnCount: Int, to answer: inout [UInt8], _ spool: AnswerSpool
  ) throws {
    var scratch: [UInt8] = []
    var isFirst = true
    while let chunk = try result.next() {
      for row in 0..<chunk.rowCount {
        answer.append(contentsOf: isFirst ? "[".utf8 : ",[".utf8)
        isFirst = false
        for column in 0..<columnCount {
          if column > 0 { answer.append(UInt8(ascii: ",")) }
          if chunk.isNull(row: row, column: column) {
            answer.append(contentsOf: "null".utf8)
          } else {
            scratch.removeAll(keepingCapacity: true)
            chunk.appendText(row: row, column: column, to: &scratch)
            JSONText.append(string: scratch, to: &answer)
          }
        }
        answer.append(UInt8(ascii: "]"))
      }
      try spool.take(&answer)
    }
  }

  private func append(_ texts: [String], to answer: inout [UInt8]) {
    answer.append(UInt8(ascii: "["))
    for (index, text) in texts.enumerated() {
      if index > 0 { answer.append(UInt8(ascii: ",")) }
      JSONText.append(string: Array(text.utf8), to: &answer)
    }
    answer.append(UInt8(ascii: "]"))
  }

  private func failure(
    _ message: String, line: Int? = nil, column: Int? = nil, hint: String? = nil
  ) -> [UInt8] {
    var answer = Array("{\"error\":".utf8)
    JSONText.append(string: Array(message.utf8), to: &answer)
    if let line { answer.append(contentsOf: ",\"line\":\(line)".utf8) }
    if let column { answer.append(contentsOf: ",\"column\":\(column)".utf8) }
    if let hint {
      answer.append(contentsOf: ",\"hint\":".utf8)
      JSONText.append(string: Array(hint.utf8), to: &answer)
    }
    answer.append(UInt8(ascii: "}"))
    return answer
  }
}
