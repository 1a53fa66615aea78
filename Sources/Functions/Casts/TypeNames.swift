import Columnar

/// The names of the types without arguments: what the parser's types, the options of readers and the
/// catalog go by.
package enum TypeNames {
  /// Every accepted name, lower case.
  package static let all: [String: LogicalType] = [
    "bigint": .bigint, "binary": .blob, "blob": .blob, "bool": .boolean, "boolean": .boolean,
    "bpchar": .varchar, "bytea": .blob, "char": .varchar, "character": .varchar,
    "character varying": .varchar, "date": .date, "datetime": .timestamp, "double": .double,
    "double precision": .double, "float": .float, "float4": .float, "float8": .double,
    "guid": .uuid, "hugeint": .hugeint, "int": .integer, "int1": .tinyint, "int128": .hugeint,
    "int16": .smallint,
    "int2": .smallint, "int32": .integer, "int4": .integer, "int64": .bigint, "int8": .bigint,
    "integer": .integer, "interval": .interval, "json": .json, "logical": .boolean, "long": .bigint,
    "nvarchar": .varchar, "real": .float, "short": .smallint, "signed": .integer,
    "smallint": .smallint, "string": .varchar, "text": .varchar, "time": .time,
    "time with time zone": .timeTZ, "time without time zone": .time, "timestamp": .timestamp,
    "timestamp with time zone": .timestampTZ, "timestamp without time zone": .timestamp,
    "timestamp_ms": .timestampMilliseconds, "timestamp_ns": .timestampNanoseconds,
    "timestamp_s": .timestampSeconds, "timestamp_us": .timestamp, "timestamptz": .timestampTZ,
    "timetz": .timeTZ, "tinyint": .tinyint,
    "ubigint": .ubigint, "uhugeint": .uhugeint, "uint128": .uhugeint, "uint16": .usmallint,
    "uint32": .uinteger, "uint64": .ubigint, "uint8": .utinyint, "uinteger": .uinteger,
    "usmallint": .usmallint, "utinyint": .utinyint, "uuid": .uuid, "varbinary": .blob,
    "varchar": .varchar,
  ]
}
