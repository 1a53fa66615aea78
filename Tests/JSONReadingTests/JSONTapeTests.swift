import JSONReading
import Testing

@Suite("JSON tape")
struct JSONTapeTests {
  /// The kinds of the values in document order, or where and why there is none.
  private func kinds(_ text: [UInt8], _ rules: JSONRules = .sql) -> String {
    text.withUnsafeBufferPointer { bytes in
      var tape = JSONTape()
      do throws(JSONMistake) {
        let root = try tape.read(bytes, rules)
        return (root..<tape.count).map { "\(tape[$0].kind)\(tape[$0].isPlain ? "" : "~")" }
          .joined(separator: " ")
      } catch {
        return "\(error.offset): \(error.reason)"
      }
    }
  }

  @Test(
    "kinds of values",
    arguments: [
      ("1", "unsigned"), ("-1", "signed"), ("-0", "signed~"), ("1.5", "double"),
      ("1.50", "double~"), ("0.0000001", "double~"), ("1e5", "double~"), ("1e999", "wide"),
      ("18446744073709551615", "unsigned"), ("18446744073709551616", "wide"),
      ("-9223372036854775809", "wide"), ("nan", "wide"), ("-Infinity", "wide"),
      ("\"\\u00e9\"", "string~"), ("[]", "array"), ("[1,]", "array~ unsigned"),
      ("{\"a\":[1, 2]}", "object~ string array~ unsigned unsigned"),
      (" true ", "true"),
    ])
  func values(_ text: String, _ expected: String) {
    #expect(kinds(Array(text.utf8)) == expected)
  }

  @Test(
    "mistakes have a place",
    arguments: [
      ("", "0: input length is 0"), ("  ", "0: input data is empty"),
      ("{\"a\" 1}", "5: unexpected character"), ("tru", "3: unexpected end of data"),
      ("\"abc", "4: unexpected end of data"),
      ("\"a\\q\"", "3: invalid escaped character in string"),
      ("01", "0: number with leading zero is not allowed"), ("1.", "2: unexpected end of data"),
      ("[1 2]", "3: unexpected character"), ("{\"a\":1} x", "8: unexpected content after document"),
      ("\"\\ud83d\"", "7: no low surrogate in string"),
      ("\"\\udc00\"", "1: invalid high surrogate in string"),
      ("{\"a\":}", "5: unexpected character"),
      ("[,]", "1: unexpected character"), ("{,}", "1: unexpected character"),
    ])
  func mistakes(_ text: String, _ expected: String) {
    #expect(kinds(Array(text.utf8)) == expected)
  }

  @Test("hostile bytes")
  func hostile() {
    #expect(
      kinds([UInt8](repeating: 0x5B, count: 100_000)) == "1000: nested deeper than 1000 levels")
    #expect(kinds([0x22, 0xFF, 0x22]) == "1: invalid UTF-8 encoding in string")
    #expect(kinds([0x22, 0xC0, 0x80, 0x22]) == "1: invalid UTF-8 encoding in string")
    #expect(kinds([0x22, 0xED, 0xA0, 0x80, 0x22]) == "1: invalid UTF-8 encoding in string")
    #expect(kinds([0x22, 0xE2, 0x82]) == "1: invalid UTF-8 encoding in string")
    #expect(kinds([0x22, 0x00, 0x22]) == "1: unexpected control character in string")
    #expect(kinds([0x31, 0x00]) == "1: unexpected content after document")
    #expect(kinds(Array("[1,]".utf8), .strict) == "3: trailing comma is not allowed")
    #expect(kinds(Array("nan".utf8), .strict) == "1: unexpected character")
  }

  @Test("every beginning of a document is a mistake, and no trap")
  func beginnings() {
    let text = Array(#"{"a":[1,-2.5e3,true,null,"\ud83d\ude00é\n"],"b":{"c":"x"}}"#.utf8)
    for length in 0..<text.count {
      #expect(kinds(Array(text.prefix(length))).contains(":"), "\(length)")
    }
    for position in text.indices {
      var broken = text
      for byte in [0, 0x22, 0x5C, 0x5D, 0x7D, 0x2C, 0x80, 0xF4] as [UInt8] {
        broken[position] = byte
        _ = kinds(broken)
      }
    }
  }

  @Test("strings are decoded")
  func strings() throws {
    let text = Array(#""a\"\\\/\b\f\n\r\té\u00e9\ud83d\ude00""#.utf8)
    try text.withUnsafeBufferPointer { bytes in
      var tape = JSONTape()
      let root = try tape.read(bytes, .strict)
      #expect(tape.string(root) == "a\"\\/\u{8}\u{c}\n\r\téé😀")
      var wanted = Array("a\"\\/\u{8}\u{c}\n\r\téé😀".utf8)
      #expect(wanted.withUnsafeBufferPointer { tape.isString(root, $0) })
      wanted[0] = 0x62
      #expect(!wanted.withUnsafeBufferPointer { tape.isString(root, $0) })
    }
  }
}
