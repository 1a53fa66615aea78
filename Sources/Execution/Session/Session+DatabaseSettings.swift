import Diagnostics
import Planner
import Syntax

/// Settings that belong to the database, because they say what its views, defaults and queries mean:
/// SET GLOBAL keeps them as objects of the catalog, and so in the file. All others are the process's.
enum DatabaseSettings {
  /// Those there are, each under the name that it is kept by.
  static let rows: [(key: CatalogState.Key, setting: Setting)] = Setting.rows.compactMap {
    setting in
    setting.storedAs == setting.name ? (key(setting.name), setting) : nil
  }

  static func key(_ name: String) -> CatalogState.Key { CatalogState.Key(.setting, name) }

  static func named(_ name: String) -> Setting? { rows.first { $0.setting.name == name }?.setting }
}

extension CatalogState {
  /// What the database keeps of a setting.
  func kept(_ name: String) -> String? {
    guard case .setting(let text)? = self[DatabaseSettings.key(name)]?.item else { return nil }
    return text
  }
}

extension Session {
  /// SET GLOBAL, or with nil RESET GLOBAL. It counts for this connection too, whatever that had set
  /// for itself. A setting of the process is set as SET sets it.
  func applyToDatabase(_ name: QualifiedName, text: String?) throws {
    let setting = Setting.named(name.last.name)
    guard let setting, let stored = setting.storedAs.flatMap(DatabaseSettings.named) else {
      // What a newer program has kept can be taken away by any.
      let key = DatabaseSettings.key(name.last.name)
      let isKept = text == nil && state[key] != nil
      if isKept { change { $0[key] = nil } }
      if setting == nil, isKept { return }
      return try apply(name, text: text)
    }
    let key = DatabaseSettings.key(stored.name)
    if let text {
      let value = try placed(name.span) { stored.read(try changed(setting, text)) }
      if stored.name == "search_path" { try refuseAttached(value, at: name.span) }
      if value != state.kept(stored.name) {
        change { $0[key] = CatalogObject(name: stored.name, item: .setting(value)) }
      }
    } else if state[key] != nil {
      change { $0[key] = nil }
    }
    settings.own.remove(stored.name)
    adopt(stored)
  }

  /// Takes over what the database keeps, where this or another connection or process has changed it.
  func adoptDatabaseSettings() {
    for (position, row) in DatabaseSettings.rows.enumerated() {
      let stamp = state.shared[row.key]?.stamp ?? 0
      if connection.adopted[position] == stamp { continue }
      connection.adopted[position] = stamp
      if !settings.own.contains(row.setting.name) { adopt(row.setting) }
    }
  }

  /// Gives a setting the value that the database keeps, else the one it has at first. That is so too
  /// where the setting does not take it: it may be a newer program's, or name a schema that is gone.
  func adopt(_ setting: Setting) {
    let kept = setting.storedAs == setting.name ? state.kept(setting.name) : nil
    for text in [kept, setting.read(Settings())] {
      guard let text, let changed = try? changed(setting, text) else { continue }
      settings = changed
      return
    }
  }

  private func refuseAttached(_ path: String, at span: SourceSpan?) throws {
    for schema in path.split(separator: ",")
    where NameResolution.parts(of: String(schema)).database != NameResolution.database {
      throw SQLError(
        .invalidInput, "a database's search path names its own schemas only, not \"\(schema)\"",
        at: span, hint: "SET search_path = … is the connection's own")
    }
  }
}

/// Where the values of settings come from, as `apus_settings()` shows it.
struct SettingSources {
  let state: CatalogState
  let settings: Settings

  /// `connection`, `database`, `process` or `default`.
  func source(of setting: Setting) -> String {
    let name = setting.storedAs ?? setting.name
    if settings.own.contains(name) { return "connection" }
    if setting.storedAs != nil, state.kept(name) != nil, rejected(setting) == nil {
      return "database"
    }
    return setting.read(settings) == setting.read(Settings()) ? "default" : "process"
  }

  /// What the setting is for; also what the database keeps for it, when it does not take that.
  func description(of setting: Setting) -> String {
    rejected(setting).map {
      "\(setting.summary) ('\($0)', which the database keeps, has no effect)"
    }
      ?? setting.summary
  }

  private func rejected(_ setting: Setting) -> String? {
    guard setting.storedAs == setting.name, !settings.own.contains(setting.name),
      let text = state.kept(setting.name)
    else { return nil }
    var changed = settings
    do { try setting.write(&changed, text) } catch { return text }
    return setting.read(changed).lowercased() == setting.read(settings).lowercased() ? nil : text
  }

  /// What the database keeps and this program does not heed: name and value.
  var unknown: [(name: String, value: String)] {
    state.objects(.setting).compactMap { key, object in
      guard key.schema == CatalogState.mainSchema, case .setting(let text) = object.item,
        !DatabaseSettings.rows.contains(where: { $0.key == key })
      else { return nil }
      return (object.name, text)
    }
  }
}
