import Apus

// Microseconds for what a program does over and over: preparing, and executing what is prepared.
//
//     swift build -c release --product prepared-benchmark
//     .build/release/prepared-benchmark
//
// Each figure is the median of batches of executions, the reading of the result included.

/// The median time of one call in microseconds.
func microseconds(_ body: () throws -> Void) rethrows -> Double {
  let clock = ContinuousClock()
  for _ in 0..<200 { try body() }
  var times: [Double] = []
  for _ in 0..<51 {
    let time = try clock.measure { for _ in 0..<100 { try body() } }
    times.append(Double(time.components.attoseconds) / 1e12 / 100)
  }
  return times.sorted()[times.count / 2]
}

func report(_ name: String, limit: Double, _ body: () throws -> Void) rethrows {
  let time = (try microseconds(body) * 10).rounded() / 10
  print("\(name): \(time) µs (wanted: under \(limit))")
}

let connection = try Database().connect()
try connection.execute(
  """
  CREATE TABLE rows AS SELECT (range % 7)::FLOAT a, (range % 5)::FLOAT b, (range % 3)::FLOAT c,
    (range % 2)::FLOAT y FROM range(1000);
  CREATE MODEL live INPUT (a FLOAT, b FLOAT, c FLOAT) OUTPUT (y FLOAT)
    SEQUENTIAL (linear(3, 64), relu(), linear(64, 32), relu(), linear(32, 1), sigmoid())
    OPTIONS (epochs = 1, seed = 1);
  TRAIN MODEL live FROM rows
  """)

try report("prepare SELECT 1", limit: 50) { _ = try connection.prepare("SELECT 1") }
let one = try connection.prepare("SELECT 1")
try report("execute SELECT 1", limit: 20) { _ = try one.execute().rows() }
let sum = try connection.prepare("SELECT $1 + 1")
try report("execute SELECT $1 + 1", limit: 20) { _ = try sum.execute(41).rows() }
let predict = try connection.prepare("SELECT PREDICT(live, $1, $2, $3)")
try report("execute SELECT PREDICT(live, $1, $2, $3)", limit: 20) {
  _ = try predict.execute(0.1, 2.0, 5.0).rows()
}
try connection.execute("PREPARE score AS SELECT PREDICT(live, $1, $2, $3)")
try report("EXECUTE score(0.1, 2.0, 5.0) as a text", limit: 50) {
  _ = try connection.execute("EXECUTE score(0.1, 2.0, 5.0)").rows()
}
try report("SELECT PREDICT(live, 0.1, 2.0, 5.0) as a text", limit: 200) {
  _ = try connection.execute("SELECT PREDICT(live, 0.1, 2.0, 5.0)").rows()
}
