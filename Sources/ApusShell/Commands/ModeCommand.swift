import Diagnostics

extension DotCommand {
  static let mode = DotCommand(
    name: "mode", arguments: "[NAME]", summary: "how results are printed, or the list of ways",
    completions: { Renderers.all.map(\.name) }
  ) { shell, arguments in
    guard let name = arguments.first else {
      for renderer in Renderers.all {
        let mark = renderer.name == shell.settings.rendererName ? "* " : "  "
        let gap = String(repeating: " ", count: max(1, 12 - renderer.name.utf8.count))
        shell.output.write(mark + renderer.name + gap + renderer.summary + "\n")
      }
      return
    }
    guard let renderer = Renderers.named(name.lowercased()) else {
      let hint = didYouMean(name, among: Renderers.all.map(\.name)).map { "; \($0)" } ?? ""
      throw Mistake(message: "there is no mode \"\(name)\"\(hint)")
    }
    shell.settings.rendererName = renderer.name
  }
}
