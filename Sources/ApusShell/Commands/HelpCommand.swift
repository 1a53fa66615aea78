import Diagnostics

extension DotCommand {
  static let help = DotCommand(
    name: "help", arguments: "[COMMAND]", summary: "list the commands, or explain one",
    completions: { DotCommands.all.map(\.name) }
  ) { shell, arguments in
    var shown = DotCommands.all
    if let name = arguments.first {
      let wanted = name.hasPrefix(".") ? String(name.dropFirst()) : name
      shown = shown.filter { $0.name == wanted }
      guard !shown.isEmpty else {
        let hint = didYouMean(wanted, among: DotCommands.all.map(\.name)).map { "; \($0)" } ?? ""
        throw Mistake(message: "there is no command \".\(wanted)\"\(hint)")
      }
    }
    let rows = shown.map { (".\($0.name) \($0.arguments)", $0.summary) }
    let width = rows.map(\.0.utf8.count).max() ?? 0
    for (left, right) in rows {
      let gap = String(repeating: " ", count: width - left.utf8.count + 2)
      shell.output.write(left + gap + right + "\n")
    }
  }
}
