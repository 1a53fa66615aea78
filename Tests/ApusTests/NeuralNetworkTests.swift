import Apus
import Foundation
import Testing

/// Networks and tensors through the library.
@Suite struct NeuralNetworkTests {
  @Test func theExampleOfThePage() throws {
    let (first, last, prediction, isSame) = try SwiftExample.network()
    #expect(last < first / 20)
    #expect(abs(prediction - (20 * 3 + 3 * 75)) < 40)
    #expect(isSame)
    #expect(try SwiftExample.tensors() == [["5.0", nil]])
  }

  /// The page's code is the code that runs.
  @Test func thePageShowsWhatRuns() throws {
    let page = try String(
      contentsOf: Project.root.appending(path: "docs/swift.md"), encoding: .utf8)
    let source = try String(
      contentsOf: Project.root.appending(path: "Tests/ApusTests/SwiftExample.swift"),
      encoding: .utf8)
    let shown = page.components(separatedBy: "```swift\n").dropFirst().map {
      $0.components(separatedBy: "```")[0]
    }
    let run = source.components(separatedBy: "    // begin\n").dropFirst().map { part in
      part.components(separatedBy: "    // end\n")[0].components(separatedBy: "\n").map {
        $0.hasPrefix("    ") ? String($0.dropFirst(4)) : $0
      }.joined(separator: "\n")
    }
    #expect(Array(shown) == Array(run))
  }

  private func trained() throws -> Connection {
    let connection = try Database().connect()
    try connection.execute(
      """
      CREATE TABLE observed AS SELECT (range % 7)::FLOAT a, (range % 5)::FLOAT b,
        ['red', 'green', 'blue'][1 + range % 3] AS city, (range % 2)::FLOAT y,
        ['low', 'high'][1 + (range % 7 > 3)::INT] AS kind FROM range(210);
      CREATE MODEL kinds INPUT (a FLOAT, city VARCHAR) OUTPUT (kind VARCHAR)
        TRANSFORM (standardize(a) AS a, one_hot(city) AS c)
        SEQUENTIAL (linear(8), relu(), linear(2)) OPTIONS (epochs = 3, seed = 2);
      TRAIN MODEL kinds FROM observed;
      CREATE MODEL pairs INPUT (v FLOAT[2], w INTEGER) OUTPUT (y FLOAT)
        SEQUENTIAL (linear(4), tanh(), linear(1)) OPTIONS (epochs = 1, seed = 2);
      TRAIN MODEL pairs FROM (SELECT [a, b]::FLOAT[2] AS v, a::INTEGER AS w, y FROM observed);
      """)
    return connection
  }

  @Test func classesAndTransforms() throws {
    let connection = try trained()
    let made = try connection.model("kinds").predict(
      columns: ["A": [1, 6, 2], "city": .texts(["red", "blue", "nowhere"])])
    let rows = try connection.execute(
      """
      SELECT PREDICT(kinds, a, c), PREDICT_PROBA(kinds, a, c) FROM
        (VALUES (1, 'red'), (6, 'blue'), (2, 'nowhere')) t(a, c)
      """
    ).rows()
    #expect(made.classes == rows.map { $0[0] })
    #expect(made.values.shape == [3, 2])
    for (row, texts) in rows.enumerated() {
      let wanted = texts[1]?.dropFirst().dropLast().split(separator: ", ").compactMap { Float($0) }
      #expect(Array(made.values[row]) == wanted)
    }
  }

  @Test func arraysSideBySide() throws {
    let connection = try trained()
    let model = try connection.model("pairs")
    let made = try model.predict([[1, 2, 3], [4, 0.5, 6]])
    let tensor = try Tensor([1, 2, 4, 0.5], shape: [2, 2])
    let other = try model.predict(columns: ["v": .arrays(tensor), "w": [3, 6]])
    #expect(made.values == other.values)
    #expect(made.classes == nil)
    let rows = try connection.execute(
      "SELECT PREDICT(pairs, v::FLOAT[2], w) FROM (VALUES ([1, 2], 3), ([4, 0.5], 6)) t(v, w)"
    ).rows()
    #expect(made.values.values == rows.map { Float($0[0] ?? "") ?? .nan })
    // A version that is trained meanwhile is the one that predicts.
    try connection.execute(
      """
      TRAIN MODEL pairs FROM (SELECT [a, b]::FLOAT[2] AS v, a::INTEGER AS w, y FROM observed)
        OPTIONS (epochs = 4)
      """)
    #expect(try model.predict([[1, 2, 3], [4, 0.5, 6]]).values != made.values)
    #expect(try model.predict([[Float]]()).values.rowCount == 0)
  }

  /// Where FOR EACH made a network for each key, keys come by their names.
  @Test func networksOfForEach() throws {
    let connection = try trained()
    try connection.execute(
      """
      CREATE MODEL each INPUT (a FLOAT, b FLOAT) OUTPUT (y FLOAT)
        SEQUENTIAL (linear(4), tanh(), linear(1)) OPTIONS (epochs = 2, seed = 2);
      TRAIN MODEL each FROM (SELECT *, a::INTEGER AS day FROM observed) FOR EACH (city, day);
      CREATE MODEL each_kind INPUT (b FLOAT) OUTPUT (kind VARCHAR CLASSES ('low', 'high'))
        SEQUENTIAL (linear(2)) OPTIONS (epochs = 2, seed = 2);
      TRAIN MODEL each_kind FROM observed FOR EACH (city)
      """)
    let model = try connection.model("each")
    let cities = InputColumn.texts(["red", "blue", "nowhere", "red"])
    let rows: [[Float]] = [[1, 2], [3, 4], [5, 6], [1, 2]]
    let made = try model.predict(rows, keys: ["City": cities, "day": [3, 4, 5, 3]])
    let same = try model.predict(
      columns: [
        "a": [1, 3, 5, 1], "b": [2, 4, 6, 2], "city": cities, "day": .texts(["3", "4", "5", "3"]),
      ])
    let wanted = try connection.execute(
      """
      SELECT PREDICT(each) FROM
        (VALUES (1, 2, 'red', 3), (3, 4, 'blue', 4), (5, 6, 'nowhere', 5), (1, 2, 'red', 3))
        t(a, b, city, day)
      """
    ).rows().map { $0[0].flatMap { Float($0) } }
    #expect(wanted[0] != nil && wanted[0] != wanted[1] && wanted[2] == nil)
    for (row, value) in wanted.enumerated() {
      #expect(value.map { made.values[row][0] == $0 } ?? made.values[row][0].isNaN)
      #expect(value.map { same.values[row][0] == $0 } ?? same.values[row][0].isNaN)
    }
    let kinds = try connection.model("each_kind").predict(
      [[1], [1]], keys: ["city": .texts(["red", "?"])])
    #expect(kinds.classes?[0] != nil && kinds.classes?[1] == nil)
    func message(_ body: () throws -> Void) -> String? {
      (#expect(throws: DatabaseError.self) { try body() })?.message
    }
    #expect(
      message { _ = try model.predict(rows) }
        == "there is no column for key \"city\" of model \"each\"")
    #expect(
      message { _ = try model.predict(rows, keys: ["city": [1, 2, 3, 4], "day": [1, 2, 3, 4]]) }
        == "key \"city\" of model \"each\" is VARCHAR")
    #expect(
      message { _ = try model.predict(rows, keys: ["city": cities, "day": [1]]) }
        == "key \"day\" of model \"each\" has 1 rows, not 4")
    #expect(
      message {
        _ = try model.predict(
          rows, keys: ["city": cities, "day": .texts(["1", "2", "3", "four"])])
      } == "could not convert string 'four' to INT32")
  }

  @Test func mistakesOfModels() throws {
    let connection = try trained()
    let kinds = try connection.model("kinds")
    let pairs = try connection.model("pairs")
    func message(_ body: () throws -> Void) -> String? {
      (#expect(throws: DatabaseError.self) { try body() })?.message
    }
    #expect(
      message { _ = try kinds.predict([[1, 2]]) } == "input \"city\" of model \"kinds\" is VARCHAR")
    #expect(
      message { _ = try pairs.predict([[1, 2]]) }
        == "model \"pairs\" takes 3 values a row, not 2")
    #expect(
      message { _ = try pairs.predict(columns: ["w": [1]]) }
        == "there is no column for input \"v\" of model \"pairs\"")
    #expect(
      message { _ = try pairs.predict(columns: ["w": [1], "v": [1]]) }
        == "input \"v\" of model \"pairs\" is FLOAT[2]")
    let tensor = try Tensor([1, 2], shape: [1, 2])
    #expect(
      message { _ = try pairs.predict(columns: ["w": [1, 2], "v": .arrays(tensor)]) }
        == "input \"w\" of model \"pairs\" has 2 rows, not 1")
    #expect(
      message { _ = try pairs.predict([[1, 2, 3]], output: "z") }
        == "model \"pairs\" has no output \"z\"")
    #expect(message { _ = try connection.model("none") } == "model \"none\" does not exist")
    #expect(
      message { _ = try Tensor([1, 2], shape: [3]) } == "2 values are no tensor of shape [3]")
    let fresh = try connection.createModel(
      "fresh", inputs: [ModelField("a")],
      outputs: [ModelField("kind", "VARCHAR", classes: ["x'", "y"])],
      layers: [.linear(4), "relu()", .linear(2)], options: ["seed": 3])
    #expect(message { _ = try fresh.predict([[1]]) } == "model \"fresh\" has not been trained")
    #expect(message { try fresh.train(from: "SELECT 1 AS a") } != nil)
  }

  @Test func tensorFunctions() throws {
    let database = try Database()
    try database.register("add_all", tensors: [[2], []], returns: [2]) { inputs in
      let (pairs, numbers) = (inputs[0], inputs[1])
      #expect(pairs.shape == [pairs.rowCount, 2] && numbers.shape == [pairs.rowCount])
      let sums = pairs.values.indices.map { place -> Float in
        pairs.values[place] + numbers.values[place / 2]
      }
      return try Tensor(sums, shape: pairs.shape)
    }
    try database.register("transposed", tensors: [[2, 3]], returns: [3, 2]) { inputs in
      let values = inputs[0].values
      var turned: [Float] = []
      for row in 0..<inputs[0].rowCount {
        for place in 0..<6 { turned.append(values[row * 6 + place % 2 * 3 + place / 2]) }
      }
      return try Tensor(turned, shape: [inputs[0].rowCount, 3, 2])
    }
    try database.register("wrong", tensors: [[]], returns: []) { _ in
      try Tensor([1, 2, 3], shape: [3])
    }
    try database.register("fails", tensors: [[]], returns: []) { _ in throw Failure() }
    let connection = database.connect()
    let rows = try connection.execute(
      """
      SELECT add_all([range, NULL][1:1] || [CASE WHEN range = 2 THEN NULL ELSE range * 2 END],
        CASE WHEN range <> 3 THEN 10 END)::VARCHAR FROM range(5)
      """
    ).rows().map { $0[0] }
    #expect(rows == ["[10.0, 10.0]", "[11.0, 12.0]", nil, nil, "[14.0, 18.0]"])
    #expect(
      try connection.execute("SELECT transposed([[1, 2, 3], [4, 5, 6]])").rows()
        == [["[[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]"]])
    let sum = try connection.execute(
      "SELECT sum(list_sum(add_all([range, 1], 1))) FROM range(100000)"
    ).rows()
    #expect(sum == [["5000250000.0"]] || sum == [["5000250000"]])
    #expect(
      try connection.execute("SELECT add_all(NULL, 1), add_all([1, 2], NULL)").rows() == [
        [nil, nil]
      ])
    func message(_ sql: String) -> String? {
      (#expect(throws: DatabaseError.self) { try connection.execute(sql) })?.message
    }
    #expect(
      message("SELECT wrong(range) FROM range(2)")
        == "function wrong gave a tensor of shape [3] in place of [2]")
    #expect(
      message("SELECT fails(range) FROM range(2)")?.hasPrefix("function fails failed") == true)
    #expect(
      message("SELECT add_all(range::VARCHAR, 1) FROM range(2)")
        == "function add_all takes (FLOAT[2], FLOAT)")
    #expect(message("SELECT add_all([1, 2, 3], 1)") != nil)
    #expect(throws: DatabaseError.self) {
      try database.register("bad", tensors: [[0]], returns: []) { $0[0] }
    }
  }

  private struct Failure: Error {}

  @Test func listsAsParametersAndCells() throws {
    let connection = try trained()
    let predict = try connection.prepare("SELECT PREDICT(pairs, $1::FLOAT[2], 3), $1, 7, 'x', NULL")
    for _ in 0..<3 {
      let result = try predict.execute([1.0, 2.0])
      let chunk = try #require(try result.next())
      #expect(chunk.text(row: 0, column: 1) == "[1.0, 2.0]")
      guard case .double(let value) = chunk.cell(row: 0, column: 0),
        case .list(let cells) = chunk.cell(row: 0, column: 1), case .double(2.0)? = cells.last,
        case .integer(7) = chunk.cell(row: 0, column: 2),
        case .text("x") = chunk.cell(row: 0, column: 3), case .null = chunk.cell(row: 0, column: 4)
      else {
        Issue.record("cells of other kinds")
        return
      }
      #expect(try Float(value) == connection.model("pairs").predict([[1, 2, 3]]).values.values[0])
    }
    let database = try Database()
    try database.register("longest") { (words: [String]) in words.max { $0.count < $1.count } ?? ""
    }
    try database.register("halves") { (x: Float) in [x / 2, x / 4] }
    #expect(
      try database.connect().execute("SELECT longest(['a', 'abc', 'ab']), halves(6)").rows()
        == [["abc", "[3.0, 1.5]"]])
    #expect(
      try connection.execute("SELECT list_sum(?), len(?)", [1, 2, 3], [Int]()).rows() == [
        ["6", "0"]
      ])
  }
}
