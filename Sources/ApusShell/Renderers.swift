/// Every way to print a result, by the alphabet. The options `--name`, `.mode` and the help read
/// this table: a new form is a file in `Renderers/` and a line here.
enum Renderers {
  static let all: [RendererDefinition] = [
    .box,
    .csv,
    .json,
    .jsonlines,
    .line,
    .list,
    .markdown,
    .none,
    .tabs,
  ]

  static func named(_ name: String) -> RendererDefinition? { all.first { $0.name == name } }
}
