import Columnar
import Diagnostics

/// Functions of lists; arrays are taken as lists. Positions count from 1, negative from the end.
enum ListFunctions {
  static let rows: [ScalarFunction] = [
    ScalarFunction(
      "array_length", category: "list",
      summary:
        "The number of elements; a second argument is the dimension, beyond 1 of arrays only.",
      examples: [("array_length([1, 2])", "2")],
      overloads: [
        ScalarOverload([.anyList], returns: .bigint) { a, n, t in
          let x = ColumnReader<ListEntry>(a[0])
          return Kernels.rows(a, n, t, Int64.self) { Int64(x[$0].length) }
        },
        ScalarOverload([.anyList, .exactly(.bigint)], returns: .bigint) { a, n, t in
          let x = ColumnReader<ListEntry>(a[0])
          let dimensions = ColumnReader<Int64>(a[1])
          return try Kernels.rows(a, n, t, Int64.self) { row in
            guard dimensions[row] == 1 else {
              throw SQLError(
                .invalidInput, "array_length counts dimension 1, not \(dimensions[row])")
            }
            return Int64(x[row].length)
          }
        },
      ],
      signature: { arguments in
        guard arguments.count == 2, case .array = arguments[0].type else { return nil }
        return (dimension, [arguments[0].type, .bigint])
      }),
    ScalarFunction(
      "array_value", category: "list",
      summary: "An array of the arguments: its size is its type's.",
      examples: [("array_value(1, 2)", "[1, 2]")],
      overloads: [
        ScalarOverload(
          [.common], variadic: .common, resultFrom: { .array($0[0], count: $0.count) },
          nulls: .custom
        ) { a, n, t in
          let lists = ListKernels.lists(of: a, n, .list(t.elementType ?? .null))
          return Column(flat: t, count: n, children: lists.children)
        }
      ]),
    ScalarFunction(
      "list_argmax", aliases: ["argmax", "array_argmax"], category: "list",
      summary: "The position, from 1, of the first largest element; NULL of an empty list.",
      examples: [("list_argmax([3, 9, 4])", "2")], overloads: [position(sign: 1)]),
    ScalarFunction(
      "list_argmin", aliases: ["argmin", "array_argmin"], category: "list",
      summary: "The position, from 1, of the first smallest element; NULL of an empty list.",
      examples: [("list_argmin([3, 9, 4])", "1")], overloads: [position(sign: -1)]),
    ScalarFunction(
      "list_contains", aliases: ["array_contains", "list_has", "array_has"], category: "list",
      summary: "Whether the list contains the element.",
      examples: [("list_contains([1, 2], 2)", "true")], overloads: [containing]),
    ScalarFunction(
      "list_extract", aliases: ["array_extract", "list_element"], category: "list",
      summary: "The element at a position, or character of a string; NULL beyond the ends.",
      examples: [("list_extract([4, 5], -1)", "5"), ("[4, 5][1]", "4")],
      overloads: [
        ScalarOverload(
          [.anyList, .exactly(.bigint)], resultFrom: { $0[0].elementType ?? .null }
        ) { a, n, _ in ListKernels.element(a[0], a[1], n) },
        .taking([.varchar, .bigint], returns: .varchar) { a, n, t in
          let x = ColumnReader<StringView>(a[0])
          let places = ColumnReader<Int64>(a[1])
          return Kernels.rows(a, n, t, StringView.self) { row in
            let bytes = x.pointer(row).buffer
            guard let index = ListKernels.index(places[row], UTF8Text.count(bytes)) else {
              return StringView()
            }
            let start = UTF8Text.offset(bytes, of: index)
            return UTF8Text.view(bytes, start, start + UTF8Text.width(bytes, start))
          }
        },
      ],
      signature: { arguments in
        // s['field'] and row[1] read fields.
        guard let first = arguments.first, case .structure = first.type else { return nil }
        return try StructFunctions.extraction(arguments, byName: true)
      }),
    ScalarFunction(
      "list_max", aliases: ["array_max"], category: "list", summary: "The largest element.",
      examples: [("list_max([3, 9, 4])", "9")], overloads: [extreme(sign: 1)]),
    ScalarFunction(
      "list_min", aliases: ["array_min"], category: "list", summary: "The smallest element.",
      examples: [("list_min([3, 9, 4])", "3")], overloads: [extreme(sign: -1)]),
    ScalarFunction(
      "list_position", aliases: ["array_position", "list_indexof", "array_indexof"],
      category: "list", summary: "The position of the element, from 1; NULL when absent.",
      examples: [("list_position([4, 5], 5)", "2")],
      overloads: [
        ScalarOverload(
          [.anyList, .any], resultFrom: { _ in .integer }, coerce: sought, nulls: .custom
        ) { a, n, t in
          // NULL is found as any other element.
          let places = ElementSearch.places(of: a[1], in: a[0], n)
          return Kernels.nullableRows([a[0]], n, t, Int32.self) { row in
            places[row] < 0 ? nil : places[row] + 1
          }
        }
      ]),
    ScalarFunction(
      "list_reverse", aliases: ["array_reverse"], category: "list",
      summary: "The elements from last to first.", examples: [("list_reverse([1, 2])", "[2, 1]")],
      overloads: [
        picking { entry, _, picks in
          picks.append(contentsOf: (entry.offset..<(entry.offset + entry.length)).reversed())
        }
      ]),
    ScalarFunction(
      "list_slice", aliases: ["array_slice"], category: "list",
      summary:
        "The elements, characters or bytes from one position to another, both included; every "
        + "so many when there is a step, backwards when it is negative.",
      examples: [
        ("list_slice([1, 2, 3, 4], 2, 3)", "[2, 3]"),
        ("list_slice([1, 2, 3, 4], 4, 1, -2)", "[4, 2]"),
      ],
      overloads: [
        ScalarOverload([.anyList, .exactly(.bigint), .exactly(.bigint)], resultFrom: { $0[0] }) {
          a, n, t in ListKernels.slice(a, n, t)
        },
        ScalarOverload(
          [.anyList, .exactly(.bigint), .exactly(.bigint), .exactly(.bigint)],
          resultFrom: { $0[0] }
        ) { a, n, t in try ListKernels.steppedSlice(a, n, t) },
        .taking([.varchar, .bigint, .bigint], returns: .varchar) { a, n, t in
          let x = ColumnReader<StringView>(a[0])
          let (from, to) = (ColumnReader<Int64>(a[1]), ColumnReader<Int64>(a[2]))
          return Kernels.rows(a, n, t, StringView.self) { row in
            let bytes = x.pointer(row).buffer
            let range = ListKernels.range(from[row], to[row], UTF8Text.count(bytes))
            return UTF8Text.view(
              bytes, UTF8Text.offset(bytes, of: range.lowerBound),
              UTF8Text.offset(bytes, of: range.upperBound))
          }
        },
        .taking([.blob, .bigint, .bigint], returns: .blob) { a, n, t in
          let x = ColumnReader<StringView>(a[0])
          let (from, to) = (ColumnReader<Int64>(a[1]), ColumnReader<Int64>(a[2]))
          return Kernels.rows(a, n, t, StringView.self) { row in
            let bytes = x.pointer(row).buffer
            let range = ListKernels.range(from[row], to[row], bytes.count)
            return UTF8Text.view(bytes, range.lowerBound, range.upperBound)
          }
        },
      ]),
    ScalarFunction(
      "list_value", aliases: ["list_pack", "unpivot_list"], category: "list",
      summary: "A list of the arguments.", examples: [("list_value(1, 2)", "[1, 2]")],
      overloads: [
        ScalarOverload(
          [], variadic: .common, resultFrom: { .list($0.first ?? .null) }, nulls: .custom
        ) { a, n, t in ListKernels.lists(of: a, n, t) }
      ]),
  ]

  static let containing = ScalarOverload(
    [.anyList, .any], resultFrom: { _ in .boolean }, coerce: sought,
    kernel: { a, n, _ in
      let places = ElementSearch.places(of: a[1], in: a[0], n)
      return Kernels.predicate(a, n) { row in places[row] >= 0 }
    })

  /// The size of one of an array's dimensions, which its type knows.
  private static let dimension = ScalarOverload([.any, .exactly(.bigint)], returns: .bigint) {
    a, n, t in
    var sizes: [Int] = []
    var type = a[0].type
    while case .array(let element, let size) = type {
      sizes.append(size)
      type = element
    }
    let wanted = ColumnReader<Int64>(a[1])
    return try Kernels.rows(a, n, t, Int64.self) { row in
      guard wanted[row] >= 1, wanted[row] <= Int64(sizes.count) else {
        throw SQLError(
          .outOfRange, "the array has dimensions 1 to \(sizes.count), not \(wanted[row])")
      }
      return Int64(sizes[Int(wanted[row]) - 1])
    }
  }

  /// The list and what is looked for, as a common element type.
  static func sought(_ types: [LogicalType]) throws -> [LogicalType] {
    guard let element = types[0] == .null ? .null : types[0].elementType,
      let common = ImplicitCast.commonType(element, types[1])
    else { throw SQLError(.binder, "cannot look for \(types[1]) in \(types[0])") }
    return [.list(common), common]
  }

  private static func best(_ entry: ListEntry, _ child: Column, sign: Int) -> Int? {
    var best: Int?
    for place in entry.offset..<(entry.offset + entry.length) where !child.isNull(place) {
      if let known = best, NestedComparison.compare(child, place, child, known) * sign <= 0 {
        continue
      }
      best = place
    }
    return best
  }

  private static func position(sign: Int) -> ScalarOverload {
    ScalarOverload([.anyList], returns: .bigint) { a, n, t in
      let x = ColumnReader<ListEntry>(a[0])
      return Kernels.nullableRows(a, n, t, Int64.self) { row in
        best(x[row], a[0].children[0], sign: sign).map { Int64($0 - x[row].offset + 1) }
      }
    }
  }

  private static func extreme(sign: Int) -> ScalarOverload {
    ScalarOverload([.anyList], resultFrom: { $0[0].elementType ?? .null }) { a, n, _ in
      let x = ColumnReader<ListEntry>(a[0])
      let child = a[0].children[0]
      return ListKernels.picked(child, n) { row in
        a[0].isNull(row) ? nil : best(x[row], child, sign: sign)
      }
    }
  }

  private static func picking(
    _ pick: @escaping @Sendable (ListEntry, Column, inout [Int]) -> Void
  ) -> ScalarOverload {
    ScalarOverload([.anyList], resultFrom: { $0[0] }) { a, n, t in
      ListKernels.rebuilt(a[0], n, t, pick)
    }
  }
}
