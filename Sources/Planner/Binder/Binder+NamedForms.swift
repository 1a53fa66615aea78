import Functions

/// Functions that are forms of the language: the binder takes their arguments apart itself.
extension Binder {
  package static let namedForms: [FunctionNotes] = [
    FunctionNotes(
      "alias", family: "conditional", "The name that the expression would have as a column.",
      [FunctionForm("ANY", gives: "VARCHAR")],
      [("SELECT alias(x) FROM (VALUES (1)) t(x)", "x")]),
    FunctionNotes(
      "grouping", aliases: ["grouping_id"], family: "aggregate",
      "A bit for each key, set where GROUPING SETS, ROLLUP or CUBE leave the key out.",
      [FunctionForm("ANY", more: "ANY", gives: "BIGINT")],
      [
        (
          "SELECT x, grouping(x) FROM (VALUES (1)) t(x) GROUP BY ROLLUP (x) ORDER BY ALL",
          "1 0 | NULL 1"
        )
      ]),
    FunctionNotes(
      "list_filter", aliases: ["array_filter", "filter"], family: "list",
      "The elements for which the lambda is true; its second parameter is the position.",
      [FunctionForm("LIST", "LAMBDA", gives: "LIST")],
      [("SELECT list_filter([3, 4, 5], lambda x: x > 3)", "[4, 5]")]),
    FunctionNotes(
      "list_reduce", aliases: ["array_reduce", "reduce"], family: "list",
      "The elements taken together by the lambda from left to right, from a start value if given.",
      [
        FunctionForm("LIST", "LAMBDA", gives: "the element's type"),
        FunctionForm("LIST", "LAMBDA", "ANY", gives: "the start value's type"),
      ],
      [("SELECT list_reduce([1, 2, 3], lambda a, b: a * 10 + b)", "123")]),
    FunctionNotes(
      "list_transform", aliases: ["array_apply", "array_transform", "list_apply", "apply"],
      family: "list",
      "What the lambda gives for each element; its second parameter is the position.",
      [FunctionForm("LIST", "LAMBDA", gives: "a LIST of what the lambda gives")],
      [("SELECT list_transform([1, 2], lambda x: x * 2)", "[2, 4]")]),
    FunctionNotes(
      "try", family: "conditional", "The value, or NULL where its evaluation fails.",
      [FunctionForm("ANY", gives: "ANY")],
      [("SELECT try('x'::INTEGER)", "NULL")]),
    FunctionNotes(
      "unnest", family: "list",
      "A row for each element of the list; of a struct, a column for each field.",
      [
        FunctionForm("LIST", gives: "rows of the element's type"),
        FunctionForm("STRUCT", gives: "columns"),
        FunctionForm("ANY", "recursive := true | max_depth := n", gives: "rows and columns"),
      ],
      [("SELECT unnest([4, 5])", "4 | 5"), ("SELECT unnest({'a': 1, 'b': 2})", "1 2")]),
  ]

  /// Functions in FROM that read what their argument says.
  package static let tableForms: [FunctionNotes] = [
    FunctionNotes(
      "query", family: "table", "The rows of the query that the text is.",
      [FunctionForm("VARCHAR", gives: "rows")],
      [("SELECT * FROM query('SELECT 42 AS n')", "42")]),
    FunctionNotes(
      "query_table", family: "table",
      "The rows of the table of that name, or of several, one after the other.",
      [
        FunctionForm("VARCHAR", gives: "rows"), FunctionForm("VARCHAR[]", "BOOLEAN", gives: "rows"),
      ],
      [("WITH t AS (SELECT 7 AS n) SELECT * FROM query_table('t')", "7")]),
    FunctionNotes(
      "unnest", family: "table", "A row for each element of the lists, side by side.",
      [FunctionForm("LIST", more: "LIST", gives: "rows")],
      [("SELECT * FROM unnest([1, 2], ['a', 'b'])", "1 a | 2 b")]),
  ]
}
