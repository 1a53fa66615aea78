/// Every dot command, by the alphabet. `.help`, the Tab key and "did you mean" read this table:
/// a new command is a file in `Commands/` and a line here.
enum DotCommands {
  static let all: [DotCommand] = [
    .echo,
    .exit,
    .headers,
    .help,
    .maxrows,
    .mode,
    .models,
    .nullvalue,
    .output,
    .print,
    .quit,
    .read,
    .schema,
    .tables,
    .timer,
  ]
}
