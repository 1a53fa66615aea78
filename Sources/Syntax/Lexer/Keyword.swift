/// Every word that the grammar knows. Other words are plain identifiers.
package enum Keyword: String, CaseIterable, Sendable {
  /// A word that is no keyword.
  case notKeyword = ""

  // Reserved
  case all, analyse, analyze, and, `any`, array, `as`, asc, asymmetric, both, `case`, cast,
    check, collate, column, constraint, create, `default`, deferrable, desc, describe, distinct,
    `do`, `else`, end, except, `false`, fetch, `for`, foreign, from, group, having, `in`,
    initially, intersect, into, lambda, lateral, leading, limit, not, null, offset, on, only, or,
    order, pivot
  case pivotLonger = "pivot_longer"
  case pivotWider = "pivot_wider"
  case placing, primary,
    qualify, references, returning, select, show
  case someWord = "some"
  case summarize, symmetric, table,
    then, to, trailing, `true`, union, unique, unpivot, using, variadic, when, `where`, window,
    with

  // May name a function or a type
  case anti, asof, authorization, binary, collation, concurrently, cross, freeze, full,
    generated, glob, ilike, inner, `is`, isnull, join, left, like, natural, notnull, outer,
    overlaps, positional, right, semi, similar, tablesample
  case tryCast = "try_cast"
  case unpack,
    verbose

  // May name a column or a table; has its own form when a parenthesis follows
  case between, coalesce, columns, exists, extract, grouping
  case groupingId = "grouping_id"
  case
    interval, map, nullif, overlay, position, row, setof, `struct`, substring, trim, values

  // Unreserved: everything may bear these names
  case add, alter, always, at, attach, begin, bernoulli, bit, by, call, cascade, centuries,
    century, char, character, checkpoint, classes, commit, conflict, copy, cube, current
  case
    currentCatalog = "current_catalog"
  case currentDate = "current_date"
  case
    currentRole = "current_role"
  case currentSchema = "current_schema"
  case currentTime = "current_time"
  case
    currentTimestamp = "current_timestamp"
  case currentUser = "current_user"
  case cycle, data, database,
    databases, day, days, deallocate, decade, decades, delete, delimiter, detach, drop, each,
    `enum`, error, escape, evaluate, exclude, execute, explain, export, filter, first, following,
    format,
    function, functions, global, graph, groups, header, hour, hours, `if`, ignore, `import`,
    include, increment, index, input, insert, install, key, label, last, load, local, localtime,
    localtimestamp, macro, matched, materialized, maxvalue, merge, metrics, microsecond,
    microseconds, millennia,
    millennium, millisecond, milliseconds, minute, minutes, minvalue, model, models, month,
    months, name, next, no, nothing, nulls, of, option, options, ordinality, others, output,
    over, partition, percent, pragma, preceding, precision, predict
  case
    predictProba = "predict_proba"
  case prepare, probability, quarter, quarters, range, read,
    recursive, reindex, release, rename, repeatable, replace, reset, respect, restrict, resume,
    rollback,
    rollup, rows, sample, savepoint, schema, schemas, second, seconds, sequence, sequential,
    session
  case sessionUser = "session_user"
  case set, sets, source, split, start, stop, stored, system, tables, target,
    temp, temporary, ties, time, timestamp, train, transaction, transform, truncate, type,
    unbounded, unknown, update, use, user, vacuum, validate, validation, value, variable,
    variables, varying, verify, version, versions, view, virtual, warm, week, weeks, weight,
    weights, within, without, work, write, year, years, zone

  /// What a keyword may be used for besides its own purpose. The classes are PostgreSQL's, the
  /// words DuckDB's; the words of the model statements are all unreserved.
  package enum Class: Sendable {
    /// Nothing, save after AS or a dot.
    case reserved
    /// The name of a function or type, not of a column or table.
    case functionOrType
    /// The name of a column or table, not of an ordinary function.
    case column
    case unreserved
  }

  /// The word's class; a word that is no keyword counts as unreserved.
  package var keywordClass: Class {
    switch self {
    case .all, .analyse, .analyze, .and, .any, .array, .as, .asc, .asymmetric, .both, .case,
      .cast, .check, .collate, .column, .constraint, .create, .default, .deferrable, .desc,
      .describe, .distinct, .do, .else, .end, .except, .false, .fetch, .for, .foreign, .from,
      .group, .having, .in, .initially, .intersect, .into, .lambda, .lateral, .leading, .limit,
      .not, .null, .offset, .on, .only, .or, .order, .pivot, .pivotLonger, .pivotWider, .placing,
      .primary, .qualify, .references, .returning, .select, .show, .someWord, .summarize,
      .symmetric, .table, .then, .to, .trailing, .true, .union, .unique, .unpivot, .using,
      .variadic, .when, .where, .window, .with:
      .reserved
    case .anti, .asof, .authorization, .binary, .collation, .concurrently, .cross, .freeze,
      .full, .generated, .glob, .ilike, .inner, .is, .isnull, .join, .left, .like, .natural,
      .notnull, .outer, .overlaps, .positional, .right, .semi, .similar, .tablesample, .tryCast,
      .unpack, .verbose:
      .functionOrType
    case .between, .coalesce, .columns, .exists, .extract, .grouping, .groupingId, .interval,
      .map, .nullif, .overlay, .position, .row, .setof, .struct, .substring, .trim, .values:
      .column
    case .notKeyword:
      .unreserved
    case .add, .alter, .always, .at, .attach, .begin, .bernoulli, .bit, .by, .call, .cascade,
      .centuries, .century, .char, .character, .checkpoint, .classes, .commit, .conflict, .copy,
      .cube, .current, .currentCatalog, .currentDate, .currentRole, .currentSchema, .currentTime,
      .currentTimestamp, .currentUser, .cycle, .data, .database, .databases, .day, .days,
      .deallocate, .decade, .decades, .delete, .delimiter, .detach, .drop, .each, .enum, .error,
      .escape,
      .evaluate, .exclude, .execute, .explain, .export, .filter, .first, .following, .format,
      .function, .functions, .global, .graph, .groups, .header, .hour, .hours, .if, .ignore,
      .import, .include, .increment, .index, .input, .insert, .install, .key, .label, .last,
      .load, .local, .localtime, .localtimestamp, .macro, .matched, .materialized, .maxvalue,
      .merge, .metrics,
      .microsecond, .microseconds, .millennia, .millennium, .millisecond, .milliseconds, .minute,
      .minutes, .minvalue, .model, .models, .month, .months, .name, .next, .no, .nothing, .nulls,
      .of, .option, .options, .ordinality, .others, .output, .over, .partition, .percent,
      .pragma, .preceding, .precision, .predict, .predictProba, .prepare, .probability, .quarter,
      .quarters, .range, .read, .recursive, .reindex, .release, .rename, .repeatable, .replace,
      .reset,
      .respect, .restrict, .resume, .rollback, .rollup, .rows, .sample, .savepoint, .schema,
      .schemas, .second, .seconds, .sequence, .sequential, .session, .sessionUser, .set, .sets,
      .source, .split, .start, .stop, .stored, .system, .tables, .target, .temp, .temporary, .ties,
      .time,
      .timestamp, .train, .transaction, .transform, .truncate, .type, .unbounded, .unknown,
      .update, .use, .user, .vacuum, .validate, .validation, .value, .variable, .variables,
      .varying, .verify, .version, .versions, .view, .virtual, .warm, .week, .weeks, .weight,
      .weights, .within, .without, .work, .write, .year, .years, .zone:
      .unreserved
    }
  }

  /// Whether the bare word may name a column or a table.
  package var canNameColumn: Bool {
    switch keywordClass {
    case .unreserved, .column: true
    case .reserved, .functionOrType: false
    }
  }

  /// Whether the bare word, followed by a parenthesis, is an ordinary call.
  package var canNameFunction: Bool {
    switch keywordClass {
    case .unreserved, .functionOrType, .column: true
    case .reserved: false
    }
  }

  /// As it is written in canonical SQL and in messages.
  package var spelling: String { rawValue.uppercased() }
}

/// Finds keywords by their bytes without making a string: an open-addressed table on a hash of the
/// bytes folded to lower case.
struct KeywordTable: Sendable {
  static let shared = KeywordTable()

  private let slots: [(name: [UInt8], keyword: Keyword)]
  private let mask: Int
  private let longest: Int

  private init() {
    let words = Keyword.allCases.filter { $0 != .notKeyword }
    let size = 2048
    var slots: [(name: [UInt8], keyword: Keyword)] = Array(
      repeating: ([], .notKeyword), count: size)
    var longest = 0
    for word in words {
      let name = Array(word.rawValue.utf8)
      longest = max(longest, name.count)
      var hash = Self.seed
      for byte in name { hash = Self.mix(hash, byte) }
      var index = Int(truncatingIfNeeded: hash) & (size - 1)
      while !slots[index].name.isEmpty { index = (index + 1) & (size - 1) }
      slots[index] = (name, word)
    }
    self.slots = slots
    self.mask = size - 1
    self.longest = longest
  }

  private static let seed: UInt32 = 2_166_136_261

  @inline(__always)
  private static func mix(_ hash: UInt32, _ byte: UInt8) -> UInt32 {
    let mixed = (hash ^ UInt32(byte)) &* 16_777_619
    return mixed ^ (mixed >> 15)
  }

  /// The keyword that stands at `range`, whatever its case; `.notKeyword` for any other word.
  func keyword(in bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> Keyword {
    guard range.count <= longest else { return .notKeyword }
    var hash = Self.seed
    for index in range { hash = Self.mix(hash, Self.lowered(bytes[index])) }
    var index = Int(truncatingIfNeeded: hash) & mask
    while true {
      let slot = slots[index]
      if slot.name.isEmpty { return .notKeyword }
      if slot.name.count == range.count {
        var position = range.lowerBound
        var isSame = true
        for byte in slot.name {
          if byte != Self.lowered(bytes[position]) {
            isSame = false
            break
          }
          position += 1
        }
        if isSame { return slot.keyword }
      }
      index = (index + 1) & mask
    }
  }

  @inline(__always)
  private static func lowered(_ byte: UInt8) -> UInt8 {
    byte >= 65 && byte <= 90 ? byte | 32 : byte
  }
}
