import NeuralNet

/// The line that tells how a training gets on: the epoch, the loss, rows a second, the time left.
final class EpochProgress {
  private let epochs: Int
  private let rows: Int
  private let show: @Sendable (String?) -> Void
  private let start = EpochProgress.now
  /// Rows of all passes since the start.
  private var done = 0

  /// `rows`: of an epoch.
  init(_ provider: TrainProvider, rows: Int) {
    epochs = provider.options.training.epochs
    self.rows = rows
    show = provider.onProgress
  }

  private static var now: Double { Double(monotonicNanoseconds()) * 1e-9 }

  /// Within an epoch.
  func report(epoch: Int, rows part: Int, loss: Double) {
    let percent = part * 100 / max(rows, 1)
    tell("epoch \(epoch)/\(epochs) (\(percent) %)", epoch: epoch, part: part, loss: loss)
  }

  /// At the end of one.
  func note(_ report: EpochReport) {
    tell("epoch \(report.epoch)/\(epochs)", epoch: report.epoch, part: rows, loss: report.loss)
    done += rows
  }

  private func tell(_ head: String, epoch: Int, part: Int, loss: Double) {
    let seconds = max(Self.now - start, 1e-9)
    let rate = Double(done + part) / seconds
    let left = Double(epochs - epoch) * Double(rows) + Double(rows - part)
    let rounded = (loss * 10_000).rounded() / 10_000
    show("\(head), loss \(rounded), \(Int(rate)) rows/s, \(Int(min(left / rate, 1e9))) s left")
  }
}
