import Testing

@testable import Syntax

/// Statements of every kind; also the seeds of `MutationTests`.
let sampleStatements: [String] = [
  "SELECT 1", "SELECT DISTINCT ON (a) a b, c AS \"from\" FROM t x, u AS y(p, q)",
  "FROM t", "FROM t SELECT a WHERE b LIMIT 10%", "SELECT x: 42, FROM y: t",
  "SELECT model, train, label, predict, evaluate, output FROM input graph",
  "SELECT -(-1), - 2 ** 3, (1 + 2) * 3, a - (b - c), NOT (a AND b OR c), ~1 + 2, @a",
  "SELECT a IS NOT NULL, b ISNULL, c NOT NULL, d IS DISTINCT FROM e, f IS NOT TRUE",
  "SELECT a BETWEEN 1 AND 2 AND b NOT BETWEEN 3 AND 4 OR c IN (1, 2) AND d NOT IN (SELECT 1)",
  "SELECT a LIKE 'x%' ESCAPE '!', b NOT ILIKE c, d SIMILAR TO 'e', f GLOB '*', 1 IN [1, 2]",
  "SELECT a = ANY (SELECT 1), b <> ALL ([1, 2]), c < SOME (VALUES (1))",
  "SELECT 1_000, 0xFF, .5, 1., 1e3, 'it''s', E'a\\n\\x41', X'00ff', $$do$$, $t$a$$b$t$",
  "SELECT DATE '2024-01-01', TIMESTAMP WITH TIME ZONE '2024-01-01 00:00:00+00', TIME '01:02:03'",
  "SELECT INTERVAL '1 year', INTERVAL 3 DAY, INTERVAL (a + 1) MONTHS, INTERVAL '5' HOUR",
  "SELECT [1, 2][1], a[1:2], a[:-1], a[-30:], a[1:-:2], {a: 1, 'b c': [2]}, MAP {'k': 1}, ROW(1)",
  "SELECT a.b.c, (a).b, 'x'.upper().lower(), a[1].f(2), f(1).g, s.f(x)",
  "SELECT count(*), sum(DISTINCT a ORDER BY b DESC NULLS LAST) FILTER (WHERE c > 1), f(x => 1)",
  "SELECT lag(a, 1 IGNORE NULLS) OVER (PARTITION BY b ORDER BY c ROWS BETWEEN 3 PRECEDING AND "
    + "UNBOUNDED FOLLOWING EXCLUDE TIES), sum(a) OVER w FROM t WINDOW w AS (ORDER BY a RANGE 1 PRECEDING)",
  "SELECT * EXCLUDE (a, b) REPLACE (c + 1 AS c) RENAME (d AS e), t.*, COLUMNS('x.*'), f(*COLUMNS(*))",
  "SELECT CASE a WHEN 1 THEN 2 ELSE 3 END, CASE WHEN a THEN b END, CAST(a AS INT[3][]), TRY_CAST(b AS DECIMAL(10, 2))",
  "SELECT a::DOUBLE PRECISION, b::STRUCT(x INT, y VARCHAR[])[], c::MAP(INT, ENUM('a')), d::TIMESTAMP(3) WITH TIME ZONE",
  "SELECT EXTRACT(year FROM d), SUBSTRING(a FROM 2 FOR 3), TRIM(LEADING 'x' FROM a), POSITION(a IN b), OVERLAY(a PLACING b FROM 1 FOR 2)",
  "SELECT d AT TIME ZONE 'UTC', a COLLATE nocase, CURRENT_DATE, current_timestamp, left('abc', 1), if(a, b, c)",
  "SELECT list_transform(l, lambda x, i: x + i), list_filter(l, x -> x > 1), [x * 2 FOR x IN l IF x > 1]",
  "SELECT ?, ?, $3, (SELECT 1), EXISTS (SELECT 1), ARRAY(SELECT 1), ((SELECT 1) UNION SELECT 2)",
  "WITH RECURSIVE a(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM a), b AS NOT MATERIALIZED (FROM a) SELECT * FROM a, b",
  "WITH x AS (INSERT INTO t VALUES (1) RETURNING *) FROM x",
  "SELECT 1 UNION ALL BY NAME SELECT 2 INTERSECT SELECT 3 EXCEPT (SELECT 4 LIMIT 1) ORDER BY ALL LIMIT 5 OFFSET 2",
  "SELECT * FROM a JOIN b USING (x) LEFT JOIN c ON a.y = c.y NATURAL JOIN d CROSS JOIN e ASOF LEFT JOIN f ON f.t <= a.t "
    + "SEMI JOIN g USING (x) ANTI JOIN h ON true POSITIONAL JOIN i",
  "SELECT * FROM (a JOIN b ON true) j, LATERAL (SELECT a.x) l, range(10) r(i), unnest([1]) WITH ORDINALITY, 'f.csv' f",
  "SELECT * FROM ((SELECT 1) UNION (SELECT 2)) t, (VALUES (1, 2)) v(a, b) USING SAMPLE reservoir(50 ROWS) REPEATABLE (7)",
  "SELECT a FROM t TABLESAMPLE 10% (bernoulli, 42) GROUP BY GROUPING SETS ((a), (), ROLLUP (b, c)), CUBE (d) HAVING a QUALIFY b",
  "SELECT a FROM t GROUP BY ALL ORDER BY 1 FETCH FIRST 3 ROWS ONLY", "VALUES (1, 'a'), (2, NULL)",
  "TABLE t",
  "PIVOT t ON year IN (2000, 2010), c USING sum(x) AS s GROUP BY g",
  "UNPIVOT t ON a, b INTO NAME n VALUE v",
  "CREATE OR REPLACE TEMP TABLE IF NOT EXISTS s.t (a INTEGER PRIMARY KEY, b DECIMAL(10, 2) DEFAULT 1 + 2 NOT NULL, "
    + "c VARCHAR REFERENCES u(id) CHECK (c <> ''), d INT GENERATED ALWAYS AS (a * 2), UNIQUE (a, b), "
    + "CONSTRAINT k FOREIGN KEY (a) REFERENCES u (b))",
  "CREATE TABLE t(a, b) AS SELECT 1, 2 WITH NO DATA", "CREATE VIEW v (a) AS SELECT 1",
  "CREATE SCHEMA s",
  "CREATE TYPE mood AS ENUM ('a', 'b')", "CREATE SEQUENCE q START -1 INCREMENT BY 2 CYCLE",
  "CREATE UNIQUE INDEX i ON t (a, lower(b))", "CREATE MACRO f(a, b := 2) AS a + b",
  "CREATE MACRO g(x) AS TABLE SELECT x",
  "ALTER TABLE t ADD COLUMN a INT DEFAULT 1",
  "ALTER TABLE t ALTER a SET DATA TYPE VARCHAR USING a::VARCHAR",
  "ALTER TABLE t RENAME a TO b", "DROP TABLE IF EXISTS a, b CASCADE",
  "INSERT OR REPLACE INTO t AS x (a, b) SELECT 1, 2 RETURNING a AS z",
  "INSERT INTO t BY NAME FROM u",
  "INSERT INTO t DEFAULT VALUES", "INSERT INTO t (SELECT 1)",
  "INSERT INTO t VALUES (DEFAULT) ON CONFLICT (a) DO UPDATE SET b = excluded.b, (c, d) = (1, 2) WHERE e",
  "UPDATE t x SET a = 1, b = DEFAULT FROM u WHERE x.id = u.id RETURNING *",
  "DELETE FROM t USING u WHERE t.id = u.id", "TRUNCATE TABLE t",
  "COPY (SELECT 1) TO 'f.csv' (FORMAT csv, HEADER, DELIMITER '|', PARTITION_BY (a, b))",
  "COPY t (a, b) FROM 'f.csv' WITH CSV HEADER DELIMITER ','",
  "CREATE MODEL m INPUT (a FLOAT[3]) OUTPUT (b VARCHAR CLASSES ('x', 'y')) TRANSFORM (standardize(a) AS s, "
    + "tokenize(t) AS (i, j)) SEQUENTIAL (linear(64) AS l, last(), linear(1)) OPTIONS (loss = {b: 'mse'}, seed = 1) AS SELECT 1",
  "CREATE MODEL r FROM 'f.onnx' (FORMAT onnx) GRAPH (linear(h, 1) AS y)",
  "CREATE MODEL c FROM MODEL m VERSION 3",
  "TRAIN m AS VERSION best WARM START FROM VERSION 2 FROM 'f.csv' LABEL a AS x, b WEIGHT w VALIDATION SPLIT 0.2 ON id "
    + "PARTITION BY p FOR EACH (g) ORDER BY t STOP WHEN val_loss < 0.1 OPTIONS (epochs = 3)",
  "TRAIN MODEL model FROM t",
  "EVALUATE MODEL m VERSION 'champion' FROM (FROM t) METRICS (auc) GROUP BY g",
  "SELECT PREDICT(m), PREDICT('m@3', a), PROBABILITY(MODEL m VERSION 2 FOR 'x', a), PREDICT_PROBA(m, v => 1), gradient(MODEL m, a)",
  "SELECT * FROM PREDICT(m, TABLE t, threshold => 0.3), ML.PREDICT(MODEL m, (SELECT 1)), ML_PREDICT(TABLE t, MODEL m, DESCRIPTOR(c))",
  "ALTER MODEL m SET DEFAULT VERSION 1", "ALTER MODEL m VERSION 2 SET ALIAS 'champion'",
  "ALTER MODEL m ROLLBACK",
  "ALTER MODEL m LOAD WEIGHTS FROM 'f.pth' (FORMAT pytorch, STRICT true)",
  "ALTER MODEL m SET OPTIONS (a = 1)",
  "EXPORT MODEL m VERSION 2 TO 'f' (FORMAT onnx)", "DROP MODEL IF EXISTS m VERSION 1",
  "VERIFY MODEL m",
  "EXPLAIN ANALYZE SELECT 1", "EXPLAIN (FORMAT json) TRAIN m FROM t", "DESCRIBE MODEL m",
  "DESCRIBE SELECT 1", "DESC t",
  "SHOW TABLES", "SHOW CREATE MODEL m", "SHOW VERSIONS IN MODEL m", "SUMMARIZE 'f.csv'",
  "SELECT * FROM (DESCRIBE t)",
  "SET SESSION threads TO 4", "SET VARIABLE x = (SELECT 1)", "RESET threads",
  "PRAGMA table_info('t')", "PRAGMA a = 1",
  "USE s", "BEGIN TRANSACTION READ ONLY", "ROLLBACK TO SAVEPOINT s",
  "PREPARE p AS SELECT $1::FLOAT[3]",
  "EXECUTE p([1.0], x := 2)", "DEALLOCATE ALL", "CALL f(1)", "ATTACH 'f.db' AS d (READ_ONLY)",
  "DETACH d", "CHECKPOINT",
]

@Suite struct RoundTripTests {
  @Test(arguments: sampleStatements) func printsWhatParsesBack(_ sql: String) throws {
    let once = try printed(sql)
    #expect(try printed(once) == once)
  }

  @Test(arguments: [
    ("SELECT ((1+2))*3", "SELECT (1 + 2) * 3"), ("SELECT a-(b-c)", "SELECT a - (b - c)"),
    ("SELECT - -1", "SELECT -(-1)"), ("SELECT NOT a=b", "SELECT NOT a = b"),
    ("SELECT a OR b AND NOT c", "SELECT a OR b AND NOT c"),
    ("SELECT -2^2", "SELECT -2 ^ 2"), ("SELECT a||b=c", "SELECT a || b = c"),
    ("SELECT x -> x + 1", "SELECT x -> x + 1"), ("SELECT 1 a", "SELECT 1 AS a"),
    ("SELECT a::int + 1", "SELECT CAST(a AS int) + 1"),
  ]) func precedence(_ sql: String, _ canonical: String) throws {
    #expect(try printed(sql) == canonical)
  }

  @Test func connectivesAreFlat() throws {
    let sql = Array(repeating: "a = 1", count: 10_000).joined(separator: " AND ")
    guard case .and(let terms) = try Parser.parseExpression(sql).kind else {
      Issue.record("not an AND")
      return
    }
    #expect(terms.count == 10_000)
  }

  @Test func spansAreByteOffsets() throws {
    let script = "SELECT 'é';  SELECT \"ü\" + 1 ; "
    let statements = try Parser.parseScript(script)
    #expect(statements.map { String($0.text(in: script)) } == ["SELECT 'é'", "SELECT \"ü\" + 1"])
  }
}
