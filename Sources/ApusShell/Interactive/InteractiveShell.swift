import Apus
import Glibc

/// The shell at a terminal: a prompt, statements over several lines, dot commands, history.
struct InteractiveShell {
  let shell: Shell
  private let editor: LineEditor

  static let prompt = "apus> "
  static let continuationPrompt = "  ..> "

  init(shell: Shell) {
    self.shell = shell
    let home = getenv("HOME").map { String(cString: $0) }
    editor = LineEditor(historyPath: home.map { $0 + "/.apus_history" }) { word, line in
      Completion.candidates(word: word, line: line, shell: shell)
    }
  }

  /// Reads and runs until `.quit` or Ctrl-D; false when `bail` ended it at an error.
  func run(bail: Bool) -> Bool {
    shell.output.write(
      "Apus \(Shell.version). Statements end with \";\"; \".help\" lists the commands.\n")
    shell.output.flush()
    var text = ""
    while !shell.wantsToQuit {
      switch editor.readLine(prompt: text.isEmpty ? Self.prompt : Self.continuationPrompt) {
      case .endOfInput:
        Output.standard.write("\n")
        return true
      case .cancelled:
        text = ""
      case .text(let line):
        if text.isEmpty, line.hasPrefix(".") {
          editor.remember(line)
          let succeeded = shell.runDotCommand(line, place: "")
          shell.output.flush()
          if !succeeded, bail { return false }
          continue
        }
        text += text.isEmpty ? line : "\n" + line
        guard Shell.isBetweenStatements(text) else { continue }
        editor.remember(text)
        let succeeded = shell.runScript(text, name: nil)
        text = ""
        if !succeeded, bail { return false }
      }
    }
    return true
  }
}
