import Apus
import Execution
import Foundation
import Testing

/// The pages say nothing that a file system can contradict.
@Suite struct DocumentationTests {
  static let pages =
    ["README.md", "CHANGELOG.md"]
    + Project.files(in: Project.root.appending(path: "docs"), ending: ".md").map { "docs/" + $0 }
    + Project.files(in: Project.root.appending(path: "Tests"), ending: ".md").map { "Tests/" + $0 }

  @Test("links lead somewhere", arguments: pages)
  func links(page: String) throws {
    let url = Project.root.appending(path: page)
    let text = try String(contentsOf: url, encoding: .utf8)
    for match in text.matches(of: /\]\(([^)#\s]+)(#[^)]*)?\)/) {
      let target = String(match.1)
      guard !target.contains("://"), !target.hasPrefix("mailto:") else { continue }
      let path = url.deletingLastPathComponent().appending(path: target).path
      #expect(FileManager.default.fileExists(atPath: path), "\(page) links to \(target)")
    }
  }

  @Test("the change log has its section for what is not released")
  func changeLog() throws {
    let url = Project.root.appending(path: "CHANGELOG.md")
    let text = try String(contentsOf: url, encoding: .utf8)
    #expect(text.contains("## Unreleased"))
  }

  /// A renderer or command that no table names is one that nobody can reach.
  @Test(
    "every file of the shell's open sets is in its table",
    arguments: [("Renderers", "Renderers.swift"), ("Commands", "DotCommands.swift")])
  func tables(folder: String, table: String) throws {
    let shell = Project.root.appending(path: "Sources/ApusShell")
    let listed = try String(contentsOf: shell.appending(path: table), encoding: .utf8)
    for file in Project.files(in: shell.appending(path: folder), ending: ".swift") {
      let text = try String(
        contentsOf: shell.appending(path: folder).appending(path: file), encoding: .utf8)
      for match in text.matches(
        of: /static let (\w+) = (RendererDefinition\(|DotCommand\(|toggle\(|leave\()/)
      {
        #expect(listed.contains("    .\(match.1),\n"), "\(file) defines \(match.1)")
      }
    }
  }

  @Test("the page of functions is what the tables say")
  func functionReference() throws {
    let url = Project.root.appending(path: "docs/reference/functions.md")
    let text = try String(contentsOf: url, encoding: .utf8)
    let isFresh = text == FunctionReference.page()
    #expect(isFresh, "docs/reference/functions.md is stale: `make reference` writes it anew")
    #expect(FunctionReference.unplacedFamilies.isEmpty)
  }

  @Test("every link of the page of functions has its place, every function a summary and a form")
  func functionAnchors() throws {
    let page = FunctionReference.page()
    let places = Set(page.matches(of: /<a id="([^"]+)">/).map { String($0.1) })
    for match in page.matches(of: /\]\(#((?:scalar|aggregate|macro|window|table)-[^)]+)\)/) {
      let isFamily = match.1 == "window-functions"
      let isKnown = isFamily || places.contains(String(match.1))
      #expect(isKnown, "\(match.1)")
    }
    for entry in FunctionEntry.all {
      #expect(!entry.summary.isEmpty && !entry.forms.isEmpty, "\(entry.name)")
    }
  }

  /// It costs 60 MB of shared objects, and milliseconds at every start.
  @Test("no source imports Foundation")
  func noFoundation() throws {
    let sources = Project.root.appending(path: "Sources")
    for file in Project.files(in: sources, ending: ".swift") {
      let text = try String(contentsOf: sources.appending(path: file), encoding: .utf8)
      #expect(!text.contains("import Foundation"), "Sources/\(file)")
    }
  }

  /// The arrows in docs/architecture.md are those of Package.swift.
  @Test("every target of the package is on the map")
  func map() throws {
    let package = try String(
      contentsOf: Project.root.appending(path: "Package.swift"), encoding: .utf8)
    let map = try String(
      contentsOf: Project.root.appending(path: "docs/architecture.md"), encoding: .utf8)
    for match in package.matches(of: /\.(?:target|executableTarget)\(\s*name: "(\w+)"/) {
      #expect(map.contains("\(match.1)/"), "docs/architecture.md does not show \(match.1)")
    }
  }
}
