import Columnar
import Diagnostics
import JSONReading

/// Aggregates that make one document of the values of many rows.
let jsonAggregates: [AggregateFunction] = [
  AggregateFunction(
    "json_group_array", summary: "A JSON array of the values, NULL as null.",
    examples: [("json_group_array(x)", "[1,2,3,null]")],
    overloads: [
      signature(asDocument, result: { _ in .json }) { types, result in
        CollectedState(keeping: types, required: [], result: result) { columns, n, _ in
          let writer = try JSONValueWriter(columns[0])
          var buffer = TextBuffer()
          for row in 0..<n {
            buffer.append(row == 0 ? 0x5B : 0x2C)
            try writer.append(row, to: &buffer)
          }
          buffer.append(0x5D)
          return .varchar(buffer.string)
        }
      }
    ]),
  AggregateFunction(
    "json_group_object", summary: "A JSON object of keys and values, a member a row.",
    examples: [
      ("json_group_object('k' || x, x) FILTER (WHERE x < 3)", "{\"k1\":1,\"k2\":2}")
    ],
    overloads: [
      signature(asText, asDocument, result: { _ in .json }) { types, result in
        CollectedState(keeping: types, required: [], result: result) { columns, n, _ in
          let keys = ColumnReader<StringView>(columns[0])
          let writer = try JSONValueWriter(columns[1])
          var buffer = TextBuffer()
          for row in 0..<n {
            if keys.isNull(row) {
              throw SQLError(.invalidInput, "a key of json_group_object is NULL")
            }
            buffer.append(row == 0 ? 0x7B : 0x2C)
            JSONText.append(quoted: keys.pointer(row).buffer, to: &buffer)
            buffer.append(0x3A)
            try writer.append(row, to: &buffer)
          }
          buffer.append(0x7D)
          return .varchar(buffer.string)
        }
      }
    ]),
  AggregateFunction(
    "json_group_structure",
    summary: "The types in all documents together, as json_structure gives them for one.",
    examples: [("json_group_structure(to_json({'a': x}))", "{\"a\":\"UBIGINT\"}")],
    overloads: [
      signature(asStructured, result: { _ in .json }) { types, result in
        CollectedState(keeping: types, required: [], result: result) { columns, n, _ in
          let reader = ColumnReader<StringView>(columns[0])
          var structure = JSONStructure()
          var tape = JSONTape()
          for row in 0..<n where !reader.isNull(row) {
            tape.removeAll()
            let root = try JSONDocuments.read(reader.pointer(row).buffer, &tape)
            try structure.add(tape, root)
          }
          var buffer = TextBuffer()
          structure.append(to: &buffer)
          return .varchar(buffer.string)
        }
      }
    ]),
]

/// Text is a string, JSON stays what it is, everything else is made JSON before it is kept.
private let asDocument: ArgumentRule = { $0 == .varchar || $0 == .json ? $0 : .json }

private let asStructured: ArgumentRule = { $0 == .varchar ? .varchar : .json }
